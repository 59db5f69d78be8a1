"""The tables of whom alerts are about, what is asked before it is done, what is ordered for a while."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Table, Text

from bot.store.columns import Json, Moment, Words
from bot.store.tables import STILL_ON, Id, metadata, of_alert

alert_entities = Table(  # whom each alert is about
    "alert_entities",
    metadata,
    Column("entity_hash", Text, primary_key=True),  # of "seller:s_1"
    of_alert(primary_key=True),
)
Index("ix_alert_entities_alert", alert_entities.c.alert_id)

asks = Table(  # what somebody was shown a preview of, until he says yes
    "asks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("by", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("what", Json, nullable=False),
    Column("ended_at", Moment),
    sqlite_autoincrement=True,  # an id is never given twice
)

orders = Table(  # what people ordered of policies for a while
    "orders",
    metadata,
    Column("id", Id, primary_key=True),
    Column("policy", Words, nullable=False),
    Column("kind", Text, nullable=False),  # pause | every
    Column("interval_s", Float),  # of every
    Column("until", Moment, nullable=False),
    Column("by", Words, nullable=False),
    Column("why", Words, nullable=False),
    Column("since", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("ended_by", Words),  # who ended it early
    sqlite_autoincrement=True,  # an id is never given twice
)
Index(
    "uq_orders_on",
    orders.c.policy,
    orders.c.kind,
    unique=True,
    sqlite_where=STILL_ON,
    postgresql_where=STILL_ON,
)
