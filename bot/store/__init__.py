"""REMEMBERING. SQLAlchemy lives here: rows in, frozen values out, on SQLite and on Postgres alike."""

from bot.store.codec import decode_action, encode_action
from bot.store.store import Store
from bot.store.values import DeadRun, Done, Held, RunRecord, RunSave, Seen, SeenRow

__all__ = [
    "DeadRun",
    "Done",
    "Held",
    "RunRecord",
    "RunSave",
    "Seen",
    "SeenRow",
    "Store",
    "decode_action",
    "encode_action",
]
