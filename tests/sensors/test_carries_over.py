"""Every construct of `carries_over.yml` on every warehouse: the same rows, or refused in the words listed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sensors.model.policy import Query
from sensors.sql.lineage import prove
from sensors.warehouse import Warehouse, WarehouseError
from tests.sensors import carrying
from tests.sensors.carrying import BINDS, Construct, constructs, tables, told
from tests.sensors.project import SQL, Project
from tests.sensors.warehouses import PLACES, Place, postgres_server

__all__ = ["postgres_server"]
GROUPS = list(dict.fromkeys(one.about for one in constructs()))


@pytest.fixture(scope="module", params=PLACES, ids=lambda place: place.name)
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.param
    return found


@pytest.fixture(scope="module")
def warehouse(
    place: Place, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    with place.open(request, Path(tmp_path_factory.mktemp("carrying")), tables(place.dialect)) as found:
        yield found


def asked(warehouse: Warehouse, one: Construct) -> object:
    """The rows, or what the author is told."""
    try:
        native = warehouse.native(Query(one.sql, "snowflake", "sql/t.sql", ("core.t",)))
        return told(warehouse.query(native, BINDS, limit=100, timeout=timedelta(minutes=1)).rows)
    except WarehouseError as error:
        return error.message
    except ValueError as error:  # JSON that is none
        return str(error)


@pytest.mark.parametrize("about", GROUPS)
def test_each_gives_the_same_rows_or_is_refused_as_listed(
    about: str, place: Place, warehouse: Warehouse
) -> None:
    wrong = []
    for one in (one for one in constructs() if one.about == about):
        found, refused = asked(warehouse, one), one.refused.get(place.dialect)
        right = refused in found if refused and isinstance(found, str) else found == told(one.rows)
        right = right and bool(refused) == isinstance(found, str)
        if right == (" ".join(one.written.split()) in place.lacks):
            wrong.append((one.written, found, refused or told(one.rows)))
    assert wrong == []


def test_policies_may_use_all_of_them() -> None:
    refused = {one.written: prove(one.sql, "snowflake").problems for one in constructs()}
    assert {written: problems for written, problems in refused.items() if problems} == {}


def test_what_a_place_lacks_is_listed_and_no_more() -> None:
    """Those of the local Snowflake stand in carries_over_local.txt; each was seen to be wrong there."""
    written = {" ".join(one.written.split()) for one in constructs()}
    for place in PLACES:
        assert place.lacks <= written


def test_none_is_listed_twice() -> None:
    written = [one.written for one in constructs()]
    assert sorted(written) == sorted(set(written))


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
