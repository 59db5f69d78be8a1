"""What runs depended on, by hash, and the one active version of each bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Select, select

from bot.store.database import Database, in_parts
from bot.store.tables import contents as t
from bot.store.tables import versions


class Contents:
    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, kind: str, body: bytes | str) -> str:
        """Keeps a body; its hash (sha256, hex) finds it again. The same body is kept once."""
        with self._database.write() as c:
            return self.keep_in(c, kind, body)

    def keep_all(self, kind: str, bodies: Mapping[str, str]) -> None:
        """Keeps bodies by their hashes, in one transaction; those that are known cost nothing."""
        with self._database.read() as c:
            known = {row.hash for part in in_parts(bodies) for row in c.execute(_known(part))}
        missing = [body for name, body in bodies.items() if name not in known]
        if missing:
            with self._database.write() as c:
                for body in missing:
                    self.keep_in(c, kind, body)

    def keep_in(self, c: Connection, kind: str, body: bytes | str) -> str:
        """The same within a transaction of another room's."""
        raw = body.encode() if isinstance(body, str) else body
        name = hashlib.sha256(raw).hexdigest()
        insert = self._database.insert(t).values(hash=name, kind=kind, body=raw)
        c.execute(insert.on_conflict_do_nothing())
        return name

    def get(self, name: str) -> bytes | None:
        with self._database.read() as c:
            body = c.execute(select(t.c.body).where(t.c.hash == name)).scalar()
        return None if body is None else bytes(body)

    def activate(self, bundle: str, version: str, body: str) -> None:
        """Makes this the version that every process uses, whole and at once."""
        with self._database.write() as c:
            new = {"version": version, "hash": self.keep_in(c, "version", body)}
            insert = self._database.insert(versions).values(bundle=bundle, **new)
            c.execute(insert.on_conflict_do_update(index_elements=[versions.c.bundle], set_=new))

    def active(self, bundle: str) -> tuple[str, str] | None:
        """The version and its body."""
        query = select(versions.c.version, t.c.body).join(t, t.c.hash == versions.c.hash)
        with self._database.read() as c:
            found = c.execute(query.where(versions.c.bundle == bundle)).first()
        return (found.version, bytes(found.body).decode()) if found else None


def _known(hashes: Sequence[str]) -> Select[tuple[str]]:
    return select(t.c.hash).where(t.c.hash.in_(hashes))
