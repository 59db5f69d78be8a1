"""The tables. What is queried is a column, the rest is JSON. A change needs its migration beside."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.store.columns import Json, Moment, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")  # only an INTEGER counts up by itself on SQLite


def of_alert(*, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    owner = ForeignKey("alerts.id", ondelete="CASCADE")
    return Column("alert_id", Id, owner, nullable=nullable, primary_key=primary_key)


runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("policy", Words, nullable=False),
    Column("cause", Words, nullable=False),
    Column("kind", Text, nullable=False),  # the cause's
    Column("due", Moment, nullable=False),
    Column("status", Text, nullable=False),
    Column("incremental", Boolean, nullable=False),
    Column("window_start", Moment),
    Column("window_end", Moment),
    Column("baseline_start", Moment),
    Column("from_watermark", Moment),
    Column("token", Text),
    Column("lease_until", Moment),
    Column("attempt", Integer, nullable=False),
    Column("asked_by", Words),
    Column("alert_id", Id, ForeignKey("alerts.id", ondelete="SET NULL")),
    Column("content", Text, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("rows", Integer),
    Column("violations", Integer),
    Column("error", Words),
    Column("query_id", Words),
    Column("query_asks", Text),  # a mark of its SQL and values
    Column("elapsed_s", Float),  # of all its attempts
    Column("bytes", BigInteger),  # that the rows given hold, about; empty where nobody counted
    Column("retry_at", Moment),  # of a failed run: when it is tried again
    UniqueConstraint("policy", "cause"),
    sqlite_autoincrement=True,  # an id is never given twice
)
ONE_RUNNING = text("status = 'running' AND incremental")
Index(
    "uq_runs_one_incremental",
    runs.c.policy,
    unique=True,
    sqlite_where=ONE_RUNNING,
    postgresql_where=ONE_RUNNING,
)
RUNNING = text("status = 'running'")
Index("ix_runs_lease", runs.c.lease_until, sqlite_where=RUNNING, postgresql_where=RUNNING)
RETRIED = text("retry_at IS NOT NULL")
Index("ix_runs_retry", runs.c.retry_at, sqlite_where=RETRIED, postgresql_where=RETRIED)
ENDED = text("ended_at IS NOT NULL")
Index("ix_runs_ended", runs.c.ended_at, sqlite_where=ENDED, postgresql_where=ENDED)  # of a day, of a week
Index("ix_runs_newest", runs.c.policy, runs.c.id)
TICKS = text("kind = 'tick'")
PLANNED = text("kind IN ('tick', 'upstream')")  # by its schedule; only these move the watermark
WAITING = text("status = 'waiting'")  # for data that are late; it has no window yet
Index("uq_runs_one_waiting", runs.c.policy, unique=True, sqlite_where=WAITING, postgresql_where=WAITING)
Index("ix_runs_ticks", runs.c.policy, runs.c.due, sqlite_where=TICKS, postgresql_where=TICKS)

policy_state = Table(
    "policy_state",
    metadata,
    Column("policy", Words, primary_key=True),
    Column("watermark", Moment),
)

ledger = Table(  # what the windows of pruned runs had covered
    "ledger",
    metadata,
    Column("policy", Words, primary_key=True),
    Column("scheduled", Boolean, primary_key=True),  # by its schedule; else because somebody asked
    Column("start", Moment, primary_key=True),
    Column("end", Moment, nullable=False),
)

renames = Table(  # names that policies have left
    "renames",
    metadata,
    Column("old", Words, primary_key=True),
    Column("new", Words, nullable=False),
    Column("at", Moment, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("policy", Words, nullable=False),
    Column("key_hash", Text, nullable=False),  # a key may be longer than an index holds
    Column("entity_hash", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("team", Words, nullable=False),
    Column("work", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("owner", Words),
    Column("snoozed_until", Moment),
    Column("due_at", Moment),
    Column("opened_at", Moment, nullable=False),
    Column("fired_at", Moment, nullable=False),
    Column("resolved_at", Moment),
    Column("disposition", Text),
    Column("version", Integer, nullable=False),
    Column("work_seq", Integer, nullable=False),
    Column("face_seq", Integer, nullable=False),
    Column("by_person", Boolean, nullable=False),  # the last change: people come first in delivery
    Column("shown_seq", Integer, nullable=False),  # what its card shows; -1: not posted
    Column("waiting_since", Moment, nullable=False),  # the oldest change that its card does not show
    Column("evidence_columns", Json),
    Column("evidence_total", Integer, nullable=False),
    Column("body", Json, nullable=False),
    sqlite_autoincrement=True,  # an id is never given twice
)
HOLDS_KEY = text("work <> 'resolved'")
Index(
    "uq_alerts_one_open",
    alerts.c.policy,
    alerts.c.key_hash,
    alerts.c.lane,
    unique=True,
    sqlite_where=HOLDS_KEY,
    postgresql_where=HOLDS_KEY,
)
Index("ix_alerts_key", alerts.c.policy, alerts.c.lane, alerts.c.key_hash)
Index("ix_alerts_due", alerts.c.due_at, sqlite_where=HOLDS_KEY, postgresql_where=HOLDS_KEY)
Index("ix_alerts_entity", alerts.c.entity_hash)
Index("ix_alerts_resolved", alerts.c.policy, alerts.c.resolved_at)
BEHIND = text("shown_seq < face_seq")
Index("ix_alerts_behind", alerts.c.waiting_since, sqlite_where=BEHIND, postgresql_where=BEHIND)

snoozes = Table(
    "snoozes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("scope", Text, nullable=False),  # alert | entity | policy
    of_alert(nullable=True),
    Column("match", Json),  # of an entity or a policy: what it is of, {"entity": "seller:s_1"}
    Column("until", Moment, nullable=False),
    Column("ceiling", Integer, nullable=False),
    Column("by", Words, nullable=False),
    Column("why", Words, nullable=False),
    Column("since", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("ended_by", Words),  # who ended one of an entity or a policy early
    Column("of_id", Id),  # of an alert: the snooze of its entity or policy that it is a copy of
    sqlite_autoincrement=True,  # an id is never given twice
)
STILL_ON = text("ended_at IS NULL")
Index("uq_snoozes_current", snoozes.c.alert_id, unique=True, sqlite_where=STILL_ON, postgresql_where=STILL_ON)
SCOPED = text("alert_id IS NULL")  # those of an entity or a policy
Index("ix_snoozes_scoped", snoozes.c.ended_at, sqlite_where=SCOPED, postgresql_where=SCOPED)
COPIES = text("of_id IS NOT NULL")
Index("ix_snoozes_copies", snoozes.c.of_id, sqlite_where=COPIES, postgresql_where=COPIES)

history = Table(
    "history",
    metadata,
    of_alert(primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", Words, nullable=False),
    Column("kind", Text, nullable=False),
    Column("story", Words, nullable=False),
    Column("action", Json, nullable=False),
)

BY_PEOPLE = text("actor <> 'patrol'")
Index(
    "ix_history_people",
    history.c.actor,
    history.c.at,
    sqlite_where=BY_PEOPLE,
    postgresql_where=BY_PEOPLE,
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Id, primary_key=True),
    of_alert(),
    Column("run_id", Id, ForeignKey("runs.id")),  # null: no run found it, but Patrol itself
    Column("row", Json, nullable=False),
    sqlite_autoincrement=True,  # an id is never given twice
)
Index("ix_evidence_alert", evidence.c.alert_id, evidence.c.id)
Index("ix_evidence_run", evidence.c.run_id)

seen = Table(
    "seen",
    metadata,
    Column("policy", Words, primary_key=True),
    Column("key_hash", Text, primary_key=True),
    Column("row_hash", Text, primary_key=True),
    Column("event_time", Moment),
    Column("value", Words),
    Column("seen_at", Moment, nullable=False),
)
Index("ix_seen_age", seen.c.policy, seen.c.seen_at)

effects = Table(
    "effects",
    metadata,
    Column("id", Id, primary_key=True),
    of_alert(),
    Column("change_seq", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("state", Text, nullable=False),  # pending | sending | done | dropped | parked
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("lease_until", Moment),
    Column("ended_at", Moment),
    Column("result", Words),
    UniqueConstraint("alert_id", "change_seq", "n"),
    sqlite_autoincrement=True,  # an id is never given twice
)
UNDONE = text("state IN ('pending', 'sending')")
Index("ix_effects_undone", effects.c.alert_id, sqlite_where=UNDONE, postgresql_where=UNDONE)

notices = Table(  # what is said in Slack and is about no alert
    "notices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("team", Words, nullable=False),
    Column("to", Text, nullable=False),  # a channel or a person
    Column("body", Json, nullable=False),
    Column("seq", Integer, nullable=False),  # counts what people would see change
    Column("since", Moment, nullable=False),
    Column("state", Text, nullable=False),  # pending | done | dropped
    Column("result", Words, nullable=False),
    sqlite_autoincrement=True,  # an id is never given twice
)
UNTOLD = text("state = 'pending'")
Index("ix_notices_untold", notices.c.id, sqlite_where=UNTOLD, postgresql_where=UNTOLD)

messages = Table(
    "messages",
    metadata,
    Column("delivery", Text, primary_key=True),
    of_alert(nullable=True),  # null: a notice
    Column("effect_id", Id, ForeignKey("effects.id", ondelete="CASCADE")),
    Column("channel", Text, nullable=False),
    Column("thread_ts", Text),
    Column("ts", Text),
    Column("state", Text, nullable=False),
    Column("shown_seq", Integer, nullable=False),
    Column("sending_since", Moment),
    Column("lease_until", Moment),
    Column("absent_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Moment),
    Column("look_again_at", Moment),
    Column("file_id", Text),  # of a file that is at Slack, whether it is shown or not
    Column("error", Words, nullable=False),
    Column("notice_id", Id, ForeignKey("notices.id", ondelete="CASCADE")),
)
Index("uq_messages_notice", messages.c.notice_id, unique=True)
CARD = text("effect_id IS NULL")
Index("uq_messages_card", messages.c.alert_id, unique=True, sqlite_where=CARD, postgresql_where=CARD)
Index("uq_messages_effect", messages.c.effect_id, unique=True)
Index("ix_messages_ts", messages.c.channel, messages.c.ts)
ASKING = text("effect_id IS NOT NULL AND shown_seq > 0")  # a page that nobody has answered
Index("ix_messages_asking", messages.c.effect_id, sqlite_where=ASKING, postgresql_where=ASKING)
LOOK_AGAIN = text("look_again_at IS NOT NULL")
Index(
    "ix_messages_look_again",
    messages.c.look_again_at,
    sqlite_where=LOOK_AGAIN,
    postgresql_where=LOOK_AGAIN,
)

pictures = Table(  # that are at Slack, in whatever message
    "pictures",
    metadata,
    Column("file_id", Text, primary_key=True),
    Column("at", Moment, nullable=False),  # when it was uploaded
)

pacing = Table(
    "pacing",
    metadata,
    Column("name", Text, primary_key=True),
    Column("free_at_us", BigInteger, nullable=False),  # microseconds of the epoch: one addition on both
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job", Words, nullable=False),
    Column("asked_by", Words, nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("asked_at", Moment, nullable=False),
    Column("deadline", Moment, nullable=False),
    Column("params", Json, nullable=False),
    Column("alert_id", Id, ForeignKey("alerts.id", ondelete="SET NULL")),
    Column("state", Text, nullable=False),
    Column("external_id", Words),
    Column("link", Words),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("outcome", Words, nullable=False),
    Column("poll_at", Moment),
    Column("lease_until", Moment),
    Column("attempts", Integer, nullable=False),
    Column("cancel_by", Words),
    Column("cancel_at", Moment),
    Column("cancel_said", Words),
    Column("tail", Words),  # the end of its log, where it failed
    Column("token", Text),  # with which its end may be told, where that was asked for
    sqlite_autoincrement=True,  # an id is never given twice
)
NOT_OVER = text("(ended_at IS NULL OR poll_at IS NOT NULL)")  # ended, too, while its outcome is to be told
Index("ix_job_runs_not_over", job_runs.c.id, sqlite_where=NOT_OVER, postgresql_where=NOT_OVER)
Index("ix_job_runs_alert", job_runs.c.alert_id)
GOOD = text("state = 'succeeded'")
Index("ix_job_runs_good", job_runs.c.job, job_runs.c.id, sqlite_where=GOOD, postgresql_where=GOOD)
Index("ix_job_runs_job", job_runs.c.job, job_runs.c.id)

contents = Table(
    "contents",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("at", Moment, nullable=False),
)
Index("ix_requests_at", requests.c.at)

versions = Table(
    "versions",
    metadata,
    Column("bundle", Words, primary_key=True),
    Column("version", Text, nullable=False),
    Column("hash", Text, ForeignKey("contents.hash"), nullable=False),
)

pulls = Table(  # of bundles that lie in repositories
    "pulls",
    metadata,
    Column("bundle", Words, primary_key=True),
    Column("source", Words, nullable=False),
    Column("commit", Text, nullable=False),  # "": none yet
    Column("hash", Text, ForeignKey("contents.hash")),  # of its files
    Column("since", Moment),  # when this commit was taken in
    Column("pulled_at", Moment),
    Column("tried_at", Moment, nullable=False),
    Column("failures", Integer, nullable=False),  # in a row
    Column("trouble", Words, nullable=False),
)
