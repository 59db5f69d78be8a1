"""Every construct of `carries_over.yml` on every warehouse: the same rows, or refused in the words listed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sensors.model.policy import Query
from sensors.sql.lineage import prove
from sensors.warehouse import Warehouse, WarehouseError
from tests.sensors import carrying
from tests.sensors.carrying import BINDS, Construct, constructs, tables, told
from tests.sensors.project import SQL, Project
from tests.sensors.warehouses import PLACES, Place


def asked(warehouse: Warehouse, one: Construct) -> object:
    """The rows, or what the author is told."""
    try:
        native = warehouse.native(Query(one.sql, "snowflake", "sql/t.sql", ("core.t",)))
        return told(warehouse.query(native, BINDS, limit=100, timeout=timedelta(minutes=1)).rows)
    except WarehouseError as error:
        return error.message


def judged(one: Construct, found: object, refused: str | None) -> bool:
    """Whether it is as it is listed."""
    return isinstance(found, str) and refused in found if refused else found == told(one.rows)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_each_gives_the_same_rows_or_is_refused_as_listed(
    place: Place, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    wrong = []
    with place.open(request, tmp_path, tables(place.dialect)) as warehouse:
        for one in constructs():
            found, refused = asked(warehouse, one), one.refused.get(place.dialect)
            if judged(one, found, refused) == (" ".join(one.written.split()) in place.lacks):
                wrong.append((one.written, found, refused or told(one.rows)))
    assert wrong == []


def test_policies_may_use_all_of_them() -> None:
    refused = {one.written: prove(one.sql, "snowflake").problems for one in constructs()}
    assert {written: problems for written, problems in refused.items() if problems} == {}


def test_none_is_listed_twice() -> None:
    written = [one.written for one in constructs()]
    assert sorted(written) == sorted(set(written))
    assert set().union(*(place.lacks for place in PLACES)) <= {" ".join(one.split()) for one in written}


def test_the_pages_say_what_is_listed() -> None:
    """`python -m tests.sensors.carrying` writes them anew."""
    assert carrying.PAGE.read_text(encoding="utf-8") == carrying.page()
    text = carrying.WAREHOUSES.read_text(encoding="utf-8")
    assert text == carrying.with_functions(text)


BY_NAME = [
    ("TYPEOF(m.body) AS body,", f"{SQL}:2:66 TYPEOF has no equal in duckdb; write a .duckdb.sql beside it"),
    (
        "SOUNDEX(m.body) AS body,",
        f"{SQL}:2:66 this cannot be carried from snowflake to duckdb: SOUNDEX is",
    ),
]


@pytest.mark.parametrize(("written", "said"), BY_NAME)
def test_what_does_not_carry_over_is_named_at_its_place(project: Project, written: str, said: str) -> None:
    from sensors.compiled import compiled

    project.change(SQL, "m.body,", written)
    found = [str(problem) for problem in compiled(project.load(), demanded=True)]
    assert any(one.startswith(said) for one in found), found


def test_flatten_that_does_not_carry_over_is_named_at_its_place(project: Project) -> None:
    from sensors.compiled import compiled

    project.change("policies/_assets.yml", "body: text,", "body: text, tags: variant,")
    flatten = "JOIN {{ table('core.sellers') }} s USING (seller_id), LATERAL FLATTEN(input => m.tags{}) f\n"
    joined = "JOIN {{ table('core.sellers') }} s USING (seller_id)\n"
    project.change(SQL, joined, flatten.replace("{}", ""))
    project.change(SQL, "m.body,", "f.value::string AS body,")
    assert [str(problem) for problem in compiled(project.load(), demanded=True)] == []
    project.change(SQL, "m.tags)", "m.tags, mode => 'ARRAY')")
    (found,) = compiled(project.load(), demanded=True)
    assert str(found).startswith(f"{SQL}:4:")
    assert "FLATTEN as it is written here has no equal in duckdb" in str(found)
