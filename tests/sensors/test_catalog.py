"""Loading: what a project's files say, what a broken file leaves standing, and when contents differ."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from sensors.catalog import fingerprint
from sensors.model.policy import Every, Incremental, Severity, Status, Threshold, WhenLate
from sensors.model.team import Role
from tests.sensors.project import NAME, POLICY, SQL, Project


def test_a_policy_says_what_its_files_say(project: Project) -> None:
    policy = project.load().policies[NAME]
    assert (policy.title, policy.owner, policy.domain) == (
        "Seller steers buyers to pay off platform",
        "payments",
        "payments",
    )
    assert policy.schedule == Every(timedelta(minutes=5))
    assert policy.window == Incremental("sent_at", timedelta(minutes=15))
    assert policy.needs == {"core.chat_messages": WhenLate.wait, "core.sellers": WhenLate.run}
    assert policy.threshold == Threshold(3, timedelta(days=1))
    assert policy.severity.bounds == ((Severity.medium, 3), (Severity.high, 6))
    assert (policy.key, policy.row_key, policy.entity) == (("seller_id",), ("message_id",), ("seller_id",))
    assert (policy.status, policy.runs, policy.accumulates) == (Status.live, True, True)
    assert policy.query.tables == ("core.chat_messages", "core.sellers")
    assert "m.sent_at >= :window_start AND m.sent_at < :window_end" in policy.query.sql
    assert "m.body ILIKE '%paypal%'" in policy.query.sql


def test_what_lies_beside_is_read_too(project: Project) -> None:
    catalog = project.load()
    team = catalog.teams["payments"]
    assert (team.channel, team.review_channel) == ("C0PAYMENTS", "C0PAYMENTSREVIEW")
    assert team.members[0].roles == {Role.responder, Role.lead}
    assert team.rotation is not None
    assert team.rotation.anchor == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert [step.to for step in team.ladder(Severity.critical)] == ["oncall", "team", "lead"]
    job = catalog.jobs["hold_payouts"]
    assert job.config["url"] == "${PATROL_OPS_URL}"  # filled in when the job starts, never at load
    assert job.fill({}, {"seller_id": "s_1"}) == ({"seller_id": "s_1", "reason": "held from an alert"}, [])
    assert catalog.assets["core.chat_messages"].load_interval == timedelta(minutes=1)
    assert catalog.entities["seller_id"].url("s_1") == "https://admin.example.com/sellers/s_1"
    assert catalog.entities["seller_id"].url("s_1/../x") is None
    assert catalog.violations["off_platform"].title == "Payment outside the platform"


def test_an_environment_value_is_filled_into_a_link_at_load(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.change("policies/_entities.yml", "https://admin.example.com", "${ADMIN_AT:-https://a.example}")
    assert project.load().entities["seller_id"].link == "https://a.example/sellers/{id}"
    monkeypatch.setenv("ADMIN_AT", "https://b.example")
    assert project.load().entities["seller_id"].link == "https://b.example/sellers/{id}"


def test_a_broken_policy_keeps_its_last_good_version_and_stops_no_other(project: Project) -> None:
    good = project.load()
    project.write("policies/payments/second.yml", project.read(POLICY))
    project.write("sql/payments/second.sql", project.read(SQL))
    project.change(POLICY, "every: 5m", "every: five")
    broken = project.load(last_good=good)
    assert broken.policies[NAME] == good.policies[NAME]
    assert broken.broken == {NAME}
    assert "payments.second" in broken.policies
    assert len(broken.errors) == 1
    assert project.load().policies.keys() == {"payments.second"}


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("policies/_teams.yml", "payments:", "payments: {"),
        ("policies/_teams.yml", "C0PAYMENTS\n", "general\n"),
        ("policies/_assets.yml", "core.sellers: {owner", "core.sellers: {tiers: x, owner"),
        ("policies/_jobs.yml", "kind: sql", "kind: shell"),
        ("sql/_macros/text.sql", "{% endmacro %}", ""),
        (SQL, "SELECT", "DELETE"),
    ],
)
def test_what_stands_beside_a_policy_breaks_it_too_until_mended(
    project: Project, file: str, before: str, after: str
) -> None:
    good, whole = project.load(), project.read(file)
    project.change(file, before, after)
    with_last = project.load(last_good=good)
    assert with_last.policies[NAME].content == good.policies[NAME].content
    assert with_last.teams == good.teams
    assert with_last.errors
    assert NAME not in project.load().policies
    project.write(file, whole)
    mended = project.load(last_good=with_last)
    assert (mended.problems, mended.broken) == ((), frozenset())
    assert mended.policies[NAME] == good.policies[NAME]


def test_an_unreadable_teams_file_is_one_problem_not_one_for_each_policy(project: Project) -> None:
    project.write("policies/_teams.yml", "payments: {\n")
    assert len(project.load().problems) == 1


def test_all_problems_of_all_files_are_said_at_once(project: Project) -> None:
    project.change(POLICY, "every: 5m", "every: five")
    project.change(POLICY, "key: [seller_id]", "key: seller_id")
    project.change(SQL, "in_window(", "in_windw(")
    project.change("policies/_jobs.yml", "kind: sql", "kind: shell")
    paths = [problem.path for problem in project.load().problems]
    assert paths == ["policies/_jobs.yml", POLICY, POLICY, SQL]


def test_missing_and_orphaned_files_are_named(project: Project) -> None:
    (project.path / SQL).rename(project.path / "sql/payments/of_platform.sql")
    assert project.said() == [
        f"{POLICY}:1:1 its SQL is missing: write {SQL}",
        "sql/payments/of_platform.sql:1:1 warning: no policy runs this;"
        " its YAML would be policies/payments/of_platform.yml",
    ]


def test_a_path_that_cannot_be_a_name_is_said(project: Project) -> None:
    project.write("policies/payments/Off-Platform.yml", project.read(POLICY))
    project.write("sql/payments/Off-Platform.sql", project.read(SQL))
    project.write("policies/payments/other.yaml", "title: x\n")
    assert project.said() == [
        'policies/payments/Off-Platform.yml:1:1 the path is the policy\'s name; "Off-Platform"'
        " may hold only a–z, 0–9 and _, a letter first",
        "policies/payments/other.yaml:1:1 policy files end in .yml; rename it",
    ]
    assert project.load().policies.keys() == {NAME}


def test_bytes_that_are_no_text_are_said(project: Project) -> None:
    (project.path / POLICY).write_bytes(b"title: \xff\xfe\n")
    assert f"{POLICY}:1:1 this is not UTF-8 text; save it as UTF-8" in project.said()


def test_a_folder_without_policies_is_said(project: Project) -> None:
    (project.path / "policies").rename(project.path / "rules")
    assert project.said()[0].startswith("policies:1:1 there is no folder policies/ here")


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        (POLICY, "high: 6", "high: 7"),
        (SQL, "-- One row", "-- A row"),
        ("sql/_macros/text.sql", "%paypal%", "%venmo%"),
        ("policies/_teams.yml", "length: 7d", "length: 1d"),
        ("policies/_assets.yml", "load_interval: 1m", "load_interval: 2m"),
    ],
)
def test_the_content_of_a_policy_differs_when_anything_does_that_its_runs_depend_on(
    project: Project, file: str, before: str, after: str
) -> None:
    first = project.load()
    project.change(file, before, after)
    second = project.load()
    assert second.policies[NAME].content != first.policies[NAME].content
    assert second.version != first.version
    project.change(file, after, before)
    assert project.load().policies[NAME].content == first.policies[NAME].content
    assert project.load().version == first.version


def test_the_content_of_a_policy_stays_when_something_else_changes(project: Project) -> None:
    first = project.load()
    project.write("sql/_macros/other.sql", "{% macro other() %}1{% endmacro %}")
    project.write("policies/_violations.yml", project.read("policies/_violations.yml") + "\n# a note\n")
    second = project.load()
    assert second.policies[NAME].content == first.policies[NAME].content
    assert second.version != first.version


def test_the_fingerprint_differs_when_a_file_does(project: Project) -> None:
    first = fingerprint(project.path)
    assert fingerprint(project.path) == first
    project.change(POLICY, "high: 6", "high: 7")
    os.utime(project.path / POLICY, ns=(1, 1))
    second = fingerprint(project.path)
    assert second != first
    (project.path / SQL).rename(project.path / "sql/payments/x.sql")
    assert fingerprint(project.path) != second


def test_a_hand_written_version_for_duckdb_is_taken_and_proved(project: Project) -> None:
    native = "sql/payments/off_platform.duckdb.sql"
    project.write(
        native, "SELECT seller_id FROM {{ table('core.sellers') }} WHERE {{ in_window('sent_at') }}\n"
    )
    catalog = project.load()
    assert catalog.problems == ()
    assert catalog.policies[NAME].query.native["duckdb"].startswith("SELECT seller_id FROM core.sellers")
    project.write(native, "SELECT * FROM core.other, read_csv('x') WHERE a = $least\n")
    assert project.said() == [
        f"{native}:1:15 core.other is not read by {SQL}; both read the same",
        f"{native}:1:27 read_csv may not stand in FROM: it reaches outside the declared tables",
        f"{native}:1:52 :least has no value; give it one in params",
    ]


def test_a_reload_reads_only_what_has_changed(project: Project) -> None:
    for number in range(150):
        project.write(f"policies/payments/p{number}.yml", project.read(POLICY))
        project.write(f"sql/payments/p{number}.sql", project.read(SQL) + f"-- {number}\n")
    began = time.process_time()
    first = project.load()
    whole = time.process_time() - began
    project.change("policies/payments/p7.yml", "high: 6", "high: 7")
    began = time.process_time()
    second = project.load(last_good=first)
    again = time.process_time() - began
    assert len(second.policies) == 151
    changed = {name for name in second.policies if second.policies[name] != first.policies[name]}
    assert changed == {"payments.p7"}
    assert again < whole / 3
