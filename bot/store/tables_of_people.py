"""The tables of what people do: jobs that wait for a second person, and the audit. As `tables.py`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from bot.store.columns import Json, Moment, Words
from bot.store.tables import Id, metadata

approvals = Table(
    "approvals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # of what was asked: once, whatever happens in between
    Column("job", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("params", Json, nullable=False),
    Column("binding", Text, nullable=False),
    Column("asked_by", Words, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("alert_id", Id, ForeignKey("alerts.id", ondelete="SET NULL")),
    Column("state", Text, nullable=False),
    Column("decided_by", Words, nullable=False),
    Column("decided_at", Moment),
    Column("why", Words, nullable=False),
    Column("told", Text, nullable=False),  # which state its alert's history has been told
    Column("lease_until", Moment),
    sqlite_autoincrement=True,  # an id is never given twice
)
STILL_OPEN = text("(state = 'waiting' OR told <> state)")
Index("ix_approvals_open", approvals.c.id, sqlite_where=STILL_OPEN, postgresql_where=STILL_OPEN)

audit = Table(  # lines are added; only their words can be erased
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("by", Words, nullable=False),
    Column("via", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("deed", Text, nullable=False),
    Column("about", Words, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("words", Words),  # null: erased
    Column("salt", Text),
    Column("words_hash", Text, nullable=False),
    Column("alert_id", Id),  # stays when the alert is forgotten
    Column("seq", Integer),
    Column("seal", Integer),
    sqlite_autoincrement=True,  # an id is never given twice
)
UNSEALED = text("seal IS NULL")
Index("ix_audit_unsealed", audit.c.id, sqlite_where=UNSEALED, postgresql_where=UNSEALED)
Index("ix_audit_seal", audit.c.seal)
Index("ix_audit_alert", audit.c.alert_id)

audit_seals = Table(
    "audit_seals",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("previous", Text, nullable=False),
    Column("lines", Json, nullable=False),  # id and hash of each
    Column("hash", Text, nullable=False),
    Column("pruned_at", Moment),
)
