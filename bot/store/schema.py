"""The schema's version: bringing a database to it, asking whether it is there. Alembic lives here, and is
imported only where there is something to bring: most starts find nothing to do.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

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
        if was and was > head:
            raise StoreUnfit(
                f"The store at {database.url.render_as_string(hide_password=True)} is at version {was}, of a"
                f" newer Patrol; this one knows {head}. Run the newer Patrol, or put back a copy of before."
            )
        _migrate(connection)
        return f"The store is at version {head} now" + (f"; it was at {was}." if was else "; it was empty.")


def at_head(database: Database) -> bool:
    with database.read() as connection:
        return _version(connection) == _head()


def clock(database: Database) -> float:
    """Postgres's own time, in seconds since the epoch."""
    with database.read() as connection:
        return float(connection.execute(text("SELECT EXTRACT(EPOCH FROM clock_timestamp())")).scalar_one())


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def _head() -> str:
    """Migrations are numbered: the newest one's file begins with its number."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
