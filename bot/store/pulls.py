"""What was pulled of each bundle that lies in a repository: for all processes the same, swapped whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Update, and_, case, delete, or_, select, update

from bot.store.contents import Contents
from bot.store.database import Database
from bot.store.tables import contents
from bot.store.tables import pulls as t


@dataclass(frozen=True)
class Pull:
    """How it stands with the pulling of one bundle."""

    bundle: str
    source: str
    commit: str  # "": nothing was pulled yet
    hash: str | None  # finds its files among the contents
    since: datetime | None  # when this commit was taken in
    pulled_at: datetime | None
    tried_at: datetime
    failures: int  # in a row
    trouble: str


class Pulls:
    def __init__(self, database: Database, contents: Contents) -> None:
        self._database = database
        self._contents = contents

    def all(self) -> dict[str, Pull]:
        with self._database.read() as c:
            return {row.bundle: Pull(**row._mapping) for row in c.execute(select(t))}

    def claim(self, bundle: str, source: str, now: datetime, every: timedelta) -> bool:
        """Whether it is ours to pull it: nobody has begun to within `every`, or it was of another source."""
        fresh = {"commit": "", "hash": None, "since": None, "pulled_at": None, "failures": 0, "trouble": ""}
        row = {"bundle": bundle, "source": source, "tried_at": now}
        another = t.c.source != source
        insert = self._database.insert(t).values(**row, **fresh)
        free = or_(t.c.tried_at <= now - every, t.c.tried_at > now + every, another)
        kept = {name: case((another, insert.excluded[name]), else_=t.c[name]) for name in fresh}
        aim = {"source": source, "tried_at": now, **kept}
        claim = insert.on_conflict_do_update(index_elements=[t.c.bundle], set_=aim, where=free)
        with self._database.write() as c:
            return c.execute(claim.returning(t.c.bundle)).first() is not None

    def pulled(self, bundle: str, tried_at: datetime, commit: str, files: str, now: datetime) -> bool:
        """Makes this commit the one that every process uses, and forgets the one before; False where another
        process has begun to pull since."""
        with self._database.write() as c:
            kept = self._contents.keep_in(c, "pull", files)
            was = c.execute(select(t.c.hash).where(t.c.bundle == bundle)).scalar()
            since = case((and_(t.c.commit == commit, t.c.hash == kept), t.c.since), else_=now)
            new = {
                "commit": commit,
                "hash": kept,
                "since": since,
                "pulled_at": now,
                "failures": 0,
                "trouble": "",
            }
            if c.execute(_ours(bundle, tried_at).values(**new)).rowcount != 1:
                return False
            if was and was != kept:
                c.execute(delete(contents).where(contents.c.hash == was, contents.c.kind == "pull"))
            return True

    def failed(self, bundle: str, tried_at: datetime, trouble: str) -> bool:
        """The last commit stands."""
        new = {"failures": t.c.failures + 1, "trouble": trouble}
        with self._database.write() as c:
            return c.execute(_ours(bundle, tried_at).values(**new)).rowcount == 1


def _ours(bundle: str, tried_at: datetime) -> Update:
    return update(t).where(t.c.bundle == bundle, t.c.tried_at == tried_at)
