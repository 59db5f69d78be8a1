"""What policies have cost the warehouse over a time, as sums over their runs. It ranks none of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, select

from bot.core.cost import Cost
from bot.store.database import Database
from bot.store.tables import runs as t


class Costs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def between(
        self, since: datetime, until: datetime, policies: Collection[str] | None = None
    ) -> dict[str, Cost]:
        """By policy (of these, or of all), what its runs took that ended then and asked the warehouse."""
        query = SPENT if policies is None else SPENT.where(t.c.policy.in_(list(policies)))
        with self._database.read() as c:
            return {
                r.policy: Cost(r.policy, r.seconds, r.runs, int(r.rows or 0), _whole(r.bytes))
                for r in c.execute(query, {"since": since, "until": until})
            }


def _whole(held: object) -> int | None:
    return None if held is None else int(str(held))


SPENT = (
    select(
        t.c.policy,
        func.sum(t.c.elapsed_s).label("seconds"),
        func.count().label("runs"),
        func.sum(t.c.rows).label("rows"),
        func.sum(t.c.bytes).label("bytes"),
    )
    .where(t.c.ended_at >= bindparam("since"), t.c.ended_at < bindparam("until"), t.c.elapsed_s > 0)
    .group_by(t.c.policy)
)
