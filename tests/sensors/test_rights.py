"""Whether a role can do more than read. Over the real connector: test_snowflake_sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sensors.rights_snowflake import READS, may
from sensors.warehouse import WarehouseError

GRANTS = st.lists(
    st.tuples(
        st.sampled_from(["USAGE", "SELECT", "INSERT", "OWNERSHIP", "CREATE VIEW", "", "TRUNCATE"]),
        st.sampled_from(["TABLE", "ROLE", "SCHEMA", "PROCEDURE", "WAREHOUSE"]),
        st.sampled_from(["A", "B", "C", "PATROL"]),
    ),
    max_size=4,
)


@given(st.dictionaries(st.sampled_from(["PATROL", "A", "B", "PUBLIC"]), GRANTS))
def test_no_right_is_passed_over_however_roles_hang_together(
    granted: Mapping[str, Sequence[tuple[str, str, str]]],
) -> None:
    """Roles may be granted in a ring, and some are hidden from us."""

    def grants(role: str) -> Sequence[Mapping[str, Any]]:
        if role not in granted and role != "PATROL":
            raise WarehouseError("the role may not see this")
        return [{"privilege": p, "granted_on": k, "name": n} for p, k, n in granted.get(role, ())]

    reached, last = {"PATROL", "PUBLIC"}, set[str]()
    while reached != last:
        last = set(reached)
        held = [one for role in reached for one in granted.get(role, ())]
        reached |= {name for privilege, kind, name in held if (privilege, kind) == ("USAGE", "ROLE")}
    more = [
        one
        for role in reached
        for one in granted.get(role, ())
        if one[:2] != ("USAGE", "ROLE") and (one[0] not in READS or one[1] == "PROCEDURE")
    ]
    assert may("PATROL", grants).ok is not bool(more)
