"""Defaults by folder: what a policy takes, where its mistakes are shown, and what a wrong file stops."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.cases.case import Ground
from sensors.cases.mutants import mutants
from sensors.defaults import as_taken, layered
from sensors.earlier import earlier
from sensors.file_defaults import SHARED
from sensors.model.policy import Every, Severity, WhenLate
from sensors.yaml_marks import Document
from tests.sensors.project import NAME, POLICY, SQL, Project

NEAR, FAR = "policies/payments/_defaults.yml", "policies/_defaults.yml"
OTHER = "policies/other.yml"


@pytest.fixture
def bare(project: Project) -> Project:
    """The policy says neither whose it is, nor when it looks, nor how bad it is."""
    for line in (
        "owner: payments\n",
        "schedule: {every: 5m}\n",
        "severity: {medium: 3, high: 6}\n",
        "needs: {core.chat_messages: wait, core.sellers: run}\n",
    ):
        project.change(POLICY, line, "")
    return project


def test_the_nearest_file_wins_and_a_key_is_taken_whole(bare: Project) -> None:
    bare.write(FAR, "owner: payments\nschedule: {every: 1h}\nseverity: {low: 1, critical: 9}\ntags: [all]\n")
    bare.write(NEAR, "schedule: {every: 10m}\nseverity: high\nmax_alerts: 7\n")
    catalog = bare.load()
    assert catalog.errors == ()
    policy = catalog.policies[NAME]
    assert (policy.owner, policy.schedule, policy.tags) == (
        "payments",
        Every(timedelta(minutes=10)),
        ("all",),
    )
    assert ([s for s, _ in policy.severity.bounds], policy.max_alerts) == ([Severity.high], 7)
    bare.change(POLICY, "key: [seller_id]", "severity: {medium: 3}\nkey: [seller_id]")
    assert bare.load().policies[NAME].severity.bounds == ((Severity.medium, 3),)


def test_what_is_said_nowhere_is_still_missing(bare: Project) -> None:
    bare.write(NEAR, "owner: payments\nschedule: {every: 10m}\n")
    assert bare.said() == [f"{POLICY}:1:1 severity is missing"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("owner: paymnts", f'{NEAR}:1:8 owner: no team "paymnts"; did you mean "payments"?'),
        ("tags: x", f'{NEAR}:1:7 tags: must be a list such as [a, b], not "x"'),
        ("ownr: payments", f'{NEAR}:1:1 unknown key "ownr"; did you mean "owner"?'),
        ("title: A", f"{NEAR}:1:1 title: belongs to each policy; a folder gives no default for it"),
        ("cases: []", f"{NEAR}:1:1 cases: belongs to each policy; a folder gives no default for it"),
        ("- owner", f"{NEAR}:1:1 this file is a mapping of keys that a policy may have: owner: …"),
        (
            "needs: {core.selers: wait}",
            f'{NEAR}:1:9 needs.core.selers: no table "core.selers" in policies/_assets.yml;'
            f' did you mean "core.sellers"? (for {POLICY})',
        ),
        (
            "severity: {low: 1, by: amount}",
            f"{NEAR}:1:24 severity.by: the query gives no column amount (for {POLICY})",
        ),
    ],
)
def test_a_mistake_is_shown_where_it_was_written(bare: Project, text: str, said: str) -> None:
    bare.write(FAR, "owner: payments\nseverity: high\nschedule: {every: 5m}\n")
    bare.write(NEAR, text + "\n")
    catalog = bare.load()
    assert [str(p) for p in catalog.errors] == [said]
    assert catalog.broken == {NAME}
    assert [str(p) for p in catalog.errors_of(NAME)] == [said]


def test_a_wrong_file_stops_those_below_it_and_they_keep_their_last_good_version(project: Project) -> None:
    for path in (OTHER, "policies/chat/_defaults.yml"):
        project.write(path, project.read(POLICY) if path == OTHER else "status: shadow\n")
    project.write("sql/other.sql", project.read(SQL))
    project.write(NEAR, "tags: [money]\n")
    before = project.load()
    assert before.errors == ()
    project.write(NEAR, "tags: [money\n")
    after = project.load(last_good=before)
    assert {p.path for p in after.errors} == {NEAR}
    assert after.broken == {NAME}
    assert after.policies[NAME].tags == ("money",)
    assert after.policies["other"].tags == ()


def test_the_content_depends_on_what_was_taken_and_on_nothing_else(project: Project) -> None:
    plain = project.load().policies[NAME].content
    project.write(NEAR, "owner: payments\n")  # the policy says that itself
    assert project.load().policies[NAME].content == plain
    project.write(NEAR, "tags: [money]\n")
    tagged = project.load().policies[NAME].content
    assert tagged != plain
    project.write(NEAR, "# money only\ntags: [money]\n")
    assert project.load().policies[NAME].content == tagged
    project.write(NEAR, "tags: [cash]\n")
    assert project.load().policies[NAME].content not in (plain, tagged)


def test_tables_that_a_folder_waits_for_are_waited_for_by_those_who_read_them(bare: Project) -> None:
    bare.change("policies/_assets.yml", "core.sellers: {", "core.orders: {owner: payments}\ncore.sellers: {")
    bare.write(FAR, "owner: payments\nseverity: high\nschedule: {every: 5m}\n")
    bare.write(NEAR, "needs: {core.chat_messages: wait, core.orders: skip}\n")
    catalog = bare.load()
    assert catalog.problems == bare.load().problems
    assert [str(p) for p in catalog.errors] == []
    assert catalog.policies[NAME].needs == {"core.chat_messages": WhenLate.wait}


def test_an_earlier_version_is_made_with_the_defaults_that_it_had(bare: Project) -> None:
    bare.write(NEAR, 'owner: payments\nseverity: {low: 2}\nschedule: {cron: "0 9 * * 1-5"}\n')
    then = bare.load().policies[NAME]
    bare.write(NEAR, "owner: payments\nseverity: critical\nschedule: {every: 1h}\n")
    catalog = bare.load()
    again = earlier(catalog.policies[NAME], then.body, catalog.assets)
    assert again == then


def test_cases_are_read_over_defaults(bare: Project) -> None:
    bare.write(NEAR, "owner: payments\nseverity: high\nschedule: {every: 5m}\n")
    catalog = bare.load()
    assert Ground.of(catalog.policies[NAME], catalog).document.path == POLICY


def test_a_number_that_is_changed_is_shown_in_the_file_that_says_it(bare: Project) -> None:
    bare.write(NEAR, "owner: payments\nseverity: {medium: 3, high: 6}\nschedule: {every: 5m}\n")
    catalog = bare.load()
    made = mutants(catalog.policies[NAME], catalog)
    found = {(m.path, m.line, m.column) for m in made if m.was == "severity.high: 6"}
    assert found == {(NEAR, 2, 29)}


def test_a_file_that_looks_like_one_is_told_of(project: Project) -> None:
    project.write("policies/payments/_default.yml", "owner: payments\n")
    warned = 'policies/payments/_default.yml:1:1 warning: is not read; did you mean "_defaults"?'
    assert warned in project.said()


KEYS = st.sampled_from(SHARED)
MAPPINGS = st.dictionaries(KEYS, st.one_of(st.text(max_size=3), st.integers(), st.lists(st.text(max_size=2))))


@given(MAPPINGS, st.lists(MAPPINGS, max_size=3))
def test_each_key_is_the_nearest_ones(own: dict[str, Any], below: list[dict[str, Any]]) -> None:
    documents = [Document(f"{n}/_defaults.yml", "", data=data) for n, data in enumerate(below)]
    made = layered(Document("policies/a.yml", "", data=own), documents)
    assert made.data == {
        key: next(one[key] for one in (own, *below) if key in one)
        for key in {*own, *(k for b in below for k in b)}
    }
    taken = {key: value for key, value in made.data.items() if key not in own}
    assert all(made.layer((key,)) is made for key in own)
    for key in taken:
        assert made.layer((key,)).data[key] == taken[key]
    assert not taken or as_taken(taken).over("policies/x/y.yml")[0].data == taken
