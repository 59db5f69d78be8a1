"""The migrations give the tables that the code names."""

from __future__ import annotations

import re

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from bot.process.errors import SettingsError, StoreAway
from bot.store import Store, schema
from bot.store.database import Database
from bot.store.tables import metadata


def _definitions(database: Database) -> dict[str, str]:
    """Every table and index of the database in its own words."""
    catalog = (
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        if database.sqlite
        else """
        SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT table_name || '.' || column_name,
            concat_ws(' ', data_type, is_nullable, column_default) FROM information_schema.columns
        WHERE table_schema = 'public'
        """
    )
    with database.read() as c:
        found = {
            row.name: " ".join(sorted(re.findall(r"\w+|'.*?'|[<>=]+", row.sql)))
            for row in c.execute(text(catalog))
        }
    return {name: sql for name, sql in found.items() if "alembic" not in name}


def test_migrations_give_exactly_the_tables_of_the_code(url: str) -> None:
    database = Database(url)
    with database.read() as c:
        context = MigrationContext.configure(c, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    migrated = _definitions(database)
    with database.write() as c:
        metadata.drop_all(c)
        metadata.create_all(c)
    assert migrated == _definitions(database)
    assert {"uq_alerts_one_open", "uq_runs_one_incremental"} <= set(migrated)
    database.close()


def test_upgrade_says_what_it_did_and_does_it_once(bare_url: str) -> None:
    store = Store(bare_url)
    assert not store.at_head()
    assert "it was empty" in store.upgrade()
    assert store.at_head()
    assert "already" in store.upgrade()
    store.close()


def test_a_store_without_tables_says_what_to_run(bare_url: str) -> None:
    store = Store(bare_url)
    with pytest.raises(StoreAway, match="patrol db upgrade"):
        store.alerts.get(1)
    store.close()


def test_times_are_times_on_postgres_and_sortable_text_on_sqlite(url: str) -> None:
    database = Database(url)
    kinds = {str(c["type"]) for c in inspect(database.engine).get_columns("runs") if c["name"] == "due"}
    assert kinds <= {"TEXT", "TIMESTAMP"}
    database.close()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("mysql://x/y", "SQLite or Postgres"),
        ("not a url", "sqlite:///patrol.db"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_a_wrong_address_is_told_in_words(wrong: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Store(wrong)


def _settings() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(schema.MIGRATIONS))
    return settings


def test_the_newest_migration_is_the_one_whose_file_has_the_highest_number() -> None:
    assert ScriptDirectory.from_config(_settings()).get_heads() == [schema._head()]


def test_what_the_first_version_kept_is_there_after_the_second(bare_url: str) -> None:
    database = Database(bare_url)
    with database.write() as c:
        settings = _settings()
        settings.attributes["connection"] = c
        command.upgrade(settings, "0001")
        c.execute(
            text(
                "INSERT INTO runs (policy, cause, kind, due, status, incremental, attempt, content) "
                "VALUES ('p', 'tick', 'tick', '2026-01-05 12:00:00+00', 'succeeded', :yes, 1, '')"
            ),
            {"yes": True},
        )
        c.execute(
            text(
                "INSERT INTO alerts (policy, key_hash, entity_hash, lane, team, work, condition, severity, "
                "opened_at, fired_at, version, work_seq, face_seq, by_person, shown_seq, waiting_since, "
                "evidence_total, body) VALUES ('p', 'k', 'e', 'live', 't', 'open', 'firing', 1, :at, :at, 1, "
                "0, 1, :no, -1, :at, 1, '{}')"
            ),
            {"no": False, "at": "2026-01-05 12:00:00+00"},
        )
        c.execute(text('INSERT INTO evidence (alert_id, run_id, "row") VALUES (1, 1, \'{"a": 1}\')'))
    store = Store(bare_url)
    assert "it was at 0001" in store.upgrade()
    assert store.alerts.evidence(1).rows == ({"a": 1},)
    with database.write() as c:
        c.execute(text('INSERT INTO evidence (alert_id, "row") VALUES (1, \'{"a": 2}\')'))
    assert store.alerts.evidence(1).rows == ({"a": 2}, {"a": 1})
    store.close()
    database.close()
