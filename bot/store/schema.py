"""The schema's version: bringing a database to it, asking whether it is there. Alembic lives here."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.errors import StoreUnfit
from bot.store.database import Database

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 7_283_551  # any number that is ours: two processes that upgrade Postgres at once take turns


def upgrade(database: Database) -> str:
    """Brings the schema to the newest version in one transaction; says what it did."""
    with database.write() as connection:
        if not database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": LOCK})
        was, head = _version(connection), _head()
        if was == head:
            return f"The store is at version {head} already."
        if was and not _known(was):
            raise StoreUnfit(
                f"The store at {database.url.render_as_string(hide_password=True)} is at version {was}, of a"
                f" newer Patrol; this one knows {head}. Run the newer Patrol, or put back a copy of before."
            )
        settings = _settings()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
        return f"The store is at version {head} now" + (f"; it was at {was}." if was else "; it was empty.")


def at_head(database: Database) -> bool:
    with database.read() as connection:
        return _version(connection) == _head()


def _settings() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings


def _known(version: str) -> bool:
    revisions = ScriptDirectory.from_config(_settings()).walk_revisions()
    return any(one.revision == version for one in revisions)


def _head() -> str | None:
    return ScriptDirectory.from_config(_settings()).get_current_head()


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
