"""REMEMBERING. SQLAlchemy lives here: rows in, frozen values out, on SQLite and on Postgres alike."""

from bot.core.reconcile import Seen
from bot.store.store import Store
from bot.store.values import RENAMED_AWAY, Ask, DeadRun, Done, Held, Keys, RunRecord, RunSave, Waiting

__all__ = [
    "RENAMED_AWAY",
    "Ask",
    "DeadRun",
    "Done",
    "Held",
    "Keys",
    "RunRecord",
    "RunSave",
    "Seen",
    "Store",
    "Waiting",
]
