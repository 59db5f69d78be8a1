"""REMEMBERING. SQLAlchemy lives here: rows in, frozen values out, on SQLite and on Postgres alike."""

from bot.core.reconcile import Seen
from bot.store.store import Store
from bot.store.values import Ask, DeadRun, Done, Held, Keys, RunRecord, RunSave

__all__ = [
    "Ask",
    "DeadRun",
    "Done",
    "Held",
    "Keys",
    "RunRecord",
    "RunSave",
    "Seen",
    "Store",
]
