"""The first tables. Written out in full: what a migration did must not change with the code."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
JSON = sa.JSON()


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", ID, nullable=False),
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("key_hash", TEXT, nullable=False),
        sa.Column("entity_hash", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("team", TEXT, nullable=False),
        sa.Column("work", TEXT, nullable=False),
        sa.Column("condition", TEXT, nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("owner", TEXT, nullable=True),
        sa.Column("snoozed_until", TIME, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("fired_at", TIME, nullable=False),
        sa.Column("resolved_at", TIME, nullable=True),
        sa.Column("disposition", TEXT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("work_seq", sa.Integer(), nullable=False),
        sa.Column("face_seq", sa.Integer(), nullable=False),
        sa.Column("by_person", sa.Boolean(), nullable=False),
        sa.Column("shown_seq", sa.Integer(), nullable=False),
        sa.Column("waiting_since", TIME, nullable=False),
        sa.Column("evidence_columns", JSON, nullable=True),
        sa.Column("evidence_total", sa.Integer(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_behind", "alerts", ["waiting_since"], **where("shown_seq < face_seq"))
    op.create_index("ix_alerts_due", "alerts", ["due_at"], **where("work <> 'resolved'"))
    op.create_index("ix_alerts_entity", "alerts", ["entity_hash"])
    op.create_index("ix_alerts_key", "alerts", ["policy", "lane", "key_hash"])
    op.create_index("ix_alerts_resolved", "alerts", ["policy", "resolved_at"])
    op.create_index(
        "uq_alerts_one_open",
        "alerts",
        ["policy", "key_hash", "lane"],
        unique=True,
        **where("work <> 'resolved'"),
    )
    op.create_table(
        "contents",
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_contents")),
    )
    op.create_table(
        "pacing",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("free_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pacing")),
    )
    op.create_table(
        "policy_state",
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("watermark", TIME, nullable=True),
        sa.PrimaryKeyConstraint("policy", name=op.f("pk_policy_state")),
    )
    op.create_table(
        "requests",
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_requests")),
    )
    op.create_index("ix_requests_at", "requests", ["at"])
    op.create_table(
        "seen",
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("key_hash", TEXT, nullable=False),
        sa.Column("row_hash", TEXT, nullable=False),
        sa.Column("event_time", TIME, nullable=True),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("policy", "key_hash", "row_hash", name=op.f("pk_seen")),
    )
    op.create_index("ix_seen_age", "seen", ["policy", "seen_at"])
    op.create_table(
        "effects",
        sa.Column("id", ID, nullable=False),
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("change_seq", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("result", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_effects_alert_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effects")),
        sa.UniqueConstraint("alert_id", "change_seq", "n", name=op.f("uq_effects_alert_id_change_seq_n")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_effects_undone", "effects", ["alert_id"], **where("state IN ('pending', 'sending')"))
    op.create_table(
        "history",
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("story", TEXT, nullable=False),
        sa.Column("action", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_history_alert_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alert_id", "seq", name=op.f("pk_history")),
    )
    op.create_table(
        "job_runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("asked_by", TEXT, nullable=False),
        sa.Column("idempotency_key", TEXT, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("deadline", TIME, nullable=False),
        sa.Column("params", JSON, nullable=False),
        sa.Column("alert_id", ID, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=True),
        sa.Column("link", TEXT, nullable=True),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("poll_at", TIME, nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_job_runs_alert_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_job_runs_idempotency_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_runs_alert", "job_runs", ["alert_id"])
    op.create_index(
        "ix_job_runs_not_over", "job_runs", ["id"], **where("(ended_at IS NULL OR poll_at IS NOT NULL)")
    )
    op.create_table(
        "runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("incremental", sa.Boolean(), nullable=False),
        sa.Column("window_start", TIME, nullable=True),
        sa.Column("window_end", TIME, nullable=True),
        sa.Column("baseline_start", TIME, nullable=True),
        sa.Column("from_watermark", TIME, nullable=True),
        sa.Column("token", TEXT, nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("asked_by", TEXT, nullable=True),
        sa.Column("alert_id", ID, nullable=True),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("violations", sa.Integer(), nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("query_id", TEXT, nullable=True),
        sa.Column("elapsed_s", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_runs_alert_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("policy", "cause", name=op.f("uq_runs_policy_cause")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_lease", "runs", ["lease_until"], **where("status = 'running'"))
    op.create_index("ix_runs_newest", "runs", ["policy", "id"])
    op.create_index("ix_runs_ticks", "runs", ["policy", "due"], **where("kind = 'tick'"))
    op.create_index(
        "uq_runs_one_incremental",
        "runs",
        ["policy"],
        unique=True,
        **where("status = 'running' AND incremental"),
    )
    op.create_table(
        "snoozes",
        sa.Column("id", ID, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("alert_id", ID, nullable=True),
        sa.Column("match", JSON, nullable=True),
        sa.Column("until", TIME, nullable=False),
        sa.Column("ceiling", sa.Integer(), nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_snoozes_alert_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snoozes")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_snoozes_current", "snoozes", ["alert_id"], unique=True, **where("ended_at IS NULL"))
    op.create_table(
        "versions",
        sa.Column("bundle", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["contents.hash"], name=op.f("fk_versions_hash")),
        sa.PrimaryKeyConstraint("bundle", name=op.f("pk_versions")),
    )
    op.create_table(
        "evidence",
        sa.Column("id", ID, nullable=False),
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("row", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_evidence_alert_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_evidence_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_evidence_alert", "evidence", ["alert_id", "id"])
    op.create_index("ix_evidence_run", "evidence", ["run_id"])
    op.create_table(
        "messages",
        sa.Column("delivery", TEXT, nullable=False),
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("effect_id", ID, nullable=True),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("thread_ts", TEXT, nullable=True),
        sa.Column("ts", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("shown_seq", sa.Integer(), nullable=False),
        sa.Column("sending_since", TIME, nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("absent_at", TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", TIME, nullable=True),
        sa.Column("look_again_at", TIME, nullable=True),
        sa.Column("error", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_messages_alert_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["effect_id"], ["effects.id"], name=op.f("fk_messages_effect_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_ts", "messages", ["channel", "ts"])
    op.create_index(
        "ix_messages_look_again", "messages", ["look_again_at"], **where("look_again_at IS NOT NULL")
    )
    op.create_index("uq_messages_card", "messages", ["alert_id"], unique=True, **where("effect_id IS NULL"))
    op.create_index("uq_messages_effect", "messages", ["effect_id"], unique=True)
