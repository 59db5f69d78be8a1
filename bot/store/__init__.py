"""REMEMBERING. SQLAlchemy lives here: rows in, frozen values out, on SQLite and on Postgres alike."""

from bot.core.reconcile import Seen
from bot.store.store import Store
from bot.store.values import RENAMED_AWAY, DeadRun, Done, Held, RunRecord, RunSave

__all__ = [
    "RENAMED_AWAY",
    "DeadRun",
    "Done",
    "Held",
    "RunRecord",
    "RunSave",
    "Seen",
    "Store",
]
