"""Approvals become notices when a store is brought up to date, on both databases."""

from __future__ import annotations

from datetime import timedelta

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from bot.core.message import MessageState
from bot.store import Store, schema
from bot.store.database import Database
from tests.core.making import NOON

AT = "2026-01-05 12:00:00+00"
INSERT = text(f"""
INSERT INTO approvals (key, job, title, params, binding, asked_by, asked_at, expires_at, state,
  decided_by, why, told, channel, ts, said, shown, sending_since, shows_all)
VALUES (:key, 'hold', 'Hold', '{{}}', 'b', 'UANA', '{AT}', '{AT}', 'waiting', '', '',
  'waiting', :channel, :ts, :said, 'waiting', :sending, :all)
""")


def test_each_waits_as_a_notice_with_its_message_as_it_stands(bare_url: str) -> None:
    database = Database(bare_url)
    settings = Config()
    settings.set_main_option("script_location", str(schema.MIGRATIONS))
    plain = {"channel": "", "ts": "", "said": 0, "sending": None, "all": False}
    with database.write() as c:
        settings.attributes["connection"] = c
        command.upgrade(settings, "0022")
        c.execute(INSERT, {**plain, "key": "new"})
        c.execute(INSERT, {**plain, "key": "posted", "channel": "C1", "ts": "1.5", "said": 1})
        c.execute(INSERT, {**plain, "key": "under way", "channel": "C1", "sending": AT})
        c.execute(INSERT, {**plain, "key": "over", "said": 2, "all": True})
    database.close()
    store = Store(bare_url)
    store.upgrade()
    assert [asked.id for asked in store.approvals.waiting()] == [1, 2, 3, 4]
    found = {notice.approval: message for notice, message in store.notices.waiting(NOON + timedelta(days=9))}
    assert list(found) == [1, 2, 3]
    new, posted, under_way = found.values()
    assert new is None
    assert posted is not None
    assert (posted.ts, posted.channel, posted.state) == ("1.5", "C1", MessageState.posted)
    assert under_way is not None
    assert (under_way.ts, under_way.state, under_way.delivery) == (None, MessageState.sending, "approval-3-0")
    assert under_way.sending_since == NOON
    store.close()
