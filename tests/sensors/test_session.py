"""`session:`: what a policy, its folder and its bundle say, who may say what, which warehouses take it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.catalog import Loaded, load
from sensors.check import check
from sensors.earlier import earlier
from sensors.file_session import SessionFile
from sensors.files import validated
from sensors.model.session import USUAL, Session
from sensors.warehouse import Warehouse
from sensors.yaml_marks import Document
from tests.sensors.project import NAME, POLICY, Project
from tests.sensors.test_bundles import bundle

THEIRS = f"risk:{NAME}"
DEFAULTS = "policies/payments/_defaults.yml"


def says(project: Project, text: str) -> None:
    project.change(POLICY, "key: [seller_id]", f"session: {text}\nkey: [seller_id]")


def in_bundle(project: Project, session: Session) -> Loaded:
    root = bundle(project, "risk")
    return load(project.path, others=[replace(root, bundle=replace(root.bundle, session=session))])


def test_the_nearest_word_counts_part_by_part_between_policy_and_bundle(project: Project) -> None:
    says(project, "{warehouse: patrol_l, schema: payments}")
    catalog = in_bundle(project, Session(role="patrol_risk", warehouse="patrol_s"))
    assert catalog.errors == ()
    assert catalog.policies[THEIRS].session == Session("patrol_risk", "patrol_l", "payments")
    assert catalog.policies[NAME].session == Session("", "patrol_l", "payments")


def test_tables_that_a_bundle_brings_are_asked_as_its_queries_are(project: Project) -> None:
    root = bundle(project, "risk")
    assets = root.folder / "policies" / "_assets.yml"
    assets.write_text("risk.scores: {owner: payments}\n")
    catalog = load(
        project.path, others=[replace(root, bundle=replace(root.bundle, session=Session("patrol_risk")))]
    )
    assert catalog.errors == ()
    assert {a.name: a.session for a in catalog.assets.values() if a.session.said} == {
        "risk.scores": Session("patrol_risk")
    }


def test_a_folder_says_it_for_its_policies_and_a_policy_otherwise(project: Project) -> None:
    project.write(DEFAULTS, "session: {role: patrol_pii}\n")
    assert project.load().policies[NAME].session == Session("patrol_pii")
    says(project, "{schema: payments}")
    assert project.load().policies[NAME].session == Session(schema="payments")  # each key whole, as ever


def test_where_nothing_is_said_the_address_says_all(project: Project) -> None:
    assert project.load().policies[NAME].session == USUAL
    assert USUAL.words == ""
    assert Session("a", "b", "c").words == "role a, warehouse b, schema c"


def test_a_policy_asked_as_another_is_another_version_and_an_earlier_one_knows_as_whom(
    project: Project,
) -> None:
    project.write(DEFAULTS, "owner: payments\n")
    first = in_bundle(project, Session("patrol_risk")).policies[THEIRS]
    second = in_bundle(project, Session("patrol_pii")).policies[THEIRS]
    assert first.content != second.content
    catalog = in_bundle(project, USUAL)
    again = earlier(catalog.policies[THEIRS], second.body, catalog.assets)
    assert again is not None
    assert again.session == Session("patrol_pii")


def test_only_patrol_yml_gives_another_teams_bundle_a_role(project: Project) -> None:
    root = bundle(project, "risk")
    says(project, "{role: patrol_pii}")
    assert project.load().errors == ()  # the project's own policies may
    (root.folder / POLICY).write_text(project.read(POLICY))
    catalog = load(project.path, others=[root])
    said = "session.role: may be said for a bundle in patrol.yml alone: bundles.risk.session.role"
    assert [str(one) for one in catalog.errors] == [f"../risk/{POLICY}:7:17 {said}"]
    assert catalog.policies.keys() == {NAME}


@pytest.mark.parametrize(
    ("speaks", "said"),
    [
        ("snowflake", []),
        ("duckdb", []),
        (None, []),
        (
            "postgres",
            [
                "7:17 session.role: postgres takes no role here: the role is that of the user in the",
                "7:40 session.warehouse: postgres takes no warehouse here: nothing there is called a",
            ],
        ),
        (
            "mysql",
            [
                "7:17 session.role: mysql takes no role",
                "7:40 session.warehouse: mysql takes no warehouse",
                "7:53 session.schema: mysql takes no schema here: write the schema into the tables' names",
            ],
        ),
    ],
)
def test_a_warehouse_that_has_no_such_thing_refuses_it_by_name(
    project: Project, speaks: str | None, said: list[str]
) -> None:
    says(project, "{role: patrol_pii, warehouse: big, schema: payments}")
    errors = [str(one) for one in project.load(carry_to=speaks).errors]
    assert len(errors) == len(said)
    for error, start in zip(errors, said, strict=True):
        assert error.startswith(f"{POLICY}:{start}")


def test_what_a_bundle_says_and_the_warehouse_lacks_is_said_of_the_bundle(project: Project) -> None:
    root = bundle(project, "risk")
    risk = replace(root, bundle=replace(root.bundle, session=Session(warehouse="big")))
    catalog = load(project.path, others=[risk], carry_to="postgres")
    (error,) = catalog.errors
    assert "bundles.risk.session of patrol.yml: postgres takes no warehouse here" in str(error)


WRONG = ["a b", "a;DROP TABLE x", 'a"', "1a", "a.b", "", "ä", "a" * 256, "${HOME}", "a\u200b"]


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("key", ["role", "warehouse", "schema"])
def test_only_plain_names_are_taken(name: str, key: str) -> None:
    found, problems = validated(SessionFile, Document("x.yml", "", {key: name}))
    assert found is None
    assert len(problems) == 1


@given(st.text())
def test_no_name_ends_what_it_stands_in(text: str) -> None:
    found, _ = validated(SessionFile, Document("x.yml", "", {"role": text}))
    assert found is None or (text.isascii() and not set(text) & set(" \"'`;.-/*()[]{}\\\n\r\t\0,="))


def test_a_table_by_its_last_change_is_refused_where_nothing_keeps_that(
    project: Project, warehouse: Warehouse
) -> None:
    assets = "policies/_assets.yml"
    project.change(assets, "  loaded_until: sent_at\n", "")
    project.change(assets, "{late_after: 1h}", "{late_after: 1h, by: last_altered}")
    project.change(POLICY, "lookback: 15m", "lookback: 1d")
    assert project.load(carry_to="snowflake").errors == ()
    (error,) = project.load(carry_to="postgres").errors
    assert str(error).startswith(
        f"{assets}:6:35 core.chat_messages.freshness.by: postgres keeps no time of a"
    )
    assert "track_commit_timestamp dates rows" in str(error)
    here = project.load()
    assert here.errors == ()
    (warning,) = [p for p in check(here, warehouse) if "freshness" in p.what]
    assert warning.warning
    assert "DuckDB keeps no time of a table's last change, so it is never late there" in str(warning)
