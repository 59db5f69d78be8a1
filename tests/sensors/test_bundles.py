"""Bundles: each loaded by itself beside the project's own, none stops another, their order means nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors import sources
from sensors.cases.case import Ground
from sensors.catalog import Loaded, load
from sensors.check import check
from sensors.earlier import earlier
from sensors.model.bundle import Bundle
from sensors.model.catalog import Catalog
from sensors.sources import Root, Sources
from tests.sensors.project import FILES, NAME, POLICY, SQL, Project

THEIRS = f"risk:{NAME}"


def bundle(project: Project, name: str, owner: str | None = None) -> Root:
    """A bundle with one policy, the project's own once more."""
    folder = project.path.parent / name
    for file in (POLICY, SQL):
        write(folder, file, project.read(file))
    return Root(Bundle(name, owner=owner, path=f"../{name}"), folder, prefix=f"{name}:", shown=f"../{name}/")


def write(folder: Path, file: str, text: str) -> None:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)


def loaded(project: Project, *others: Root, last_good: Catalog | None = None) -> Loaded:
    return load(project.path, others=others, last_good=last_good)


def said(catalog: Catalog) -> list[str]:
    return [str(problem) for problem in catalog.errors]


def test_a_bundle_uses_what_the_project_has_and_its_policies_bear_its_name(project: Project) -> None:
    catalog = loaded(project, bundle(project, "risk"))
    assert catalog.problems == ()
    assert catalog.policies.keys() == {NAME, THEIRS}
    theirs = catalog.policies[THEIRS]
    assert (theirs.bundle, theirs.path, theirs.query.path) == ("risk", f"../risk/{POLICY}", f"../risk/{SQL}")
    assert [(held.name, held.policies, held.trouble) for held in catalog.bundles] == [
        ("main", 1, ""),
        ("risk", 1, ""),
    ]


def test_without_bundles_the_catalog_is_the_projects_alone(project: Project) -> None:
    catalog = project.load()
    assert [held.name for held in catalog.bundles] == ["main"]
    assert not catalog.parts
    assert catalog.part("main") is catalog
    assert not catalog.part("risk").policies


def test_a_policy_that_breaks_keeps_its_last_good_version_and_stops_no_other(project: Project) -> None:
    risk = bundle(project, "risk")
    good = loaded(project, risk)
    write(risk.folder, POLICY, project.read(POLICY).replace("every: 5m", "every: five"))
    broken = loaded(project, risk, last_good=good)
    assert broken.broken == {THEIRS}
    assert broken.policies == good.policies
    assert [problem.path for problem in broken.errors] == [f"../risk/{POLICY}"]
    assert broken.errors_of(THEIRS) == broken.errors
    assert broken.errors_of(NAME) == ()
    assert loaded(project, risk).policies.keys() == {NAME}


def test_a_new_bundle_has_no_last_good_version_of_the_projects(project: Project) -> None:
    risk = bundle(project, "risk")
    write(risk.folder, POLICY, "title: [")
    assert loaded(project, risk, last_good=project.load()).policies.keys() == {NAME}


def test_a_bundle_whose_folder_is_away_stays_as_it_was(project: Project) -> None:
    risk = bundle(project, "risk")
    good = loaded(project, risk)
    risk.folder.rename(risk.folder.with_name("elsewhere"))
    away = loaded(project, risk, last_good=good)
    assert away.policies == good.policies
    assert loaded(project, risk, last_good=away).policies == good.policies
    assert away.version == good.version
    assert away.bundles[1].trouble == "there is no folder policies/ in ../risk"
    assert said(away) == ["patrol.yml:1:1 bundles.risk: there is no folder policies/ in ../risk"]
    assert loaded(project, risk).policies.keys() == {NAME}


def test_why_a_bundle_is_not_its_newest_version_is_said_of_it(project: Project) -> None:
    risk = replace(bundle(project, "risk"), trouble="its host does not answer")
    catalog = loaded(project, risk)
    assert catalog.bundles[1].trouble == "its host does not answer"
    assert said(catalog) == ["patrol.yml:1:1 bundles.risk: its host does not answer"]
    assert len(catalog.policies) == 2


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("_assets.yml", "core.sellers: {owner: payments}", "policies/_assets.yml says what this table"),
        ("_assets.yml", "Core.Sellers: {owner: payments}", "policies/_assets.yml says what this table"),
        ("_jobs.yml", "hold_payouts: {title: x, kind: sql}", "policies/_jobs.yml says what this job is"),
        ("_violations.yml", "off_platform: {title: x, what: y}", "says what this violation is"),
        ("_teams.yml", "risk: {channel: C0RISK}", "who may act is said in the project's own"),
        ("_entities.yml", "shop: {column: seller_id, link: 'https://a.example/{id}'}", "is the column of"),
        ("_entities.yml", "x: {column: x, link: 'https://a.example/${OPS_TOKEN}/{id}'}", "begin with RISK_"),
        ("_jobs.yml", "ban: {title: x, kind: http, headers: {'${OPS_TOKEN}': x}}", "begin with RISK_"),
        ("_jobs.yml", "ban: {title: x, kind: http, url: '${RISK_A:-${SLACK_BOT_TOKEN}}'}", "SLACK_BOT"),
        ("_jobs.yml", "ban: {title: x, kind: command, command: [ban]}", "may not start a program"),
        ("_jobs.yml", "ban: {title: x, kind: dbt, project: x}", "may not start a program"),
    ],
)  # fmt: skip
def test_a_bundle_adds_and_does_not_say_otherwise(project: Project, file: str, text: str, what: str) -> None:
    risk = bundle(project, "risk")
    write(risk.folder, f"policies/{file}", f"{text}\n")
    alone, catalog = project.load(), loaded(project, risk)
    assert [what in problem.what for problem in catalog.errors] == [True], said(catalog)
    assert catalog.errors[0].path == f"../risk/policies/{file}"
    assert (catalog.teams, catalog.assets, catalog.jobs) == (alone.teams, alone.assets, alone.jobs)
    assert (catalog.entities, catalog.violations) == (alone.entities, alone.violations)
    assert len(catalog.policies) == 2
    assert what in catalog.bundles[1].trouble


def test_what_a_bundle_adds_serves_its_own_policies_only(project: Project) -> None:
    risk, trust = bundle(project, "risk"), bundle(project, "trust")
    write(risk.folder, "policies/_assets.yml", "core.scores: {owner: payments, columns: {seller_id: text}}\n")
    write(risk.folder, "sql/_macros/ours.sql", "{% macro ours() %}TRUE{% endmacro %}")
    for root in (risk, trust):
        query = "SELECT seller_id FROM {{ table('core.scores') }} WHERE {{ ours() }}"
        write(root.folder, "sql/scored.sql", query)
        text = "title: A score\nowner: payments\nseverity: low\nschedule: {every: 1h}\nkey: [seller_id]\n"
        write(root.folder, "policies/scored.yml", text)
    catalog = loaded(project, risk, trust)
    assert "risk:scored" in catalog.policies
    assert catalog.broken == {"trust:scored"}
    assert {problem.path for problem in catalog.errors} == {"../trust/sql/scored.sql"}


def test_a_bundles_links_stand_on_its_own_cards_only(project: Project) -> None:
    risk = bundle(project, "risk")
    write(risk.folder, "policies/_entities.yml", "x: {column: x, link: 'https://risk.example/{id}'}\n")
    catalog = loaded(project, risk)
    assert catalog.entities_of(THEIRS).keys() == {"x", "seller_id"}
    assert catalog.entities_of(NAME).keys() == catalog.entities_of("patrol.late").keys() == {"seller_id"}
    assert project.load().entities_of(NAME).keys() == {"seller_id"}


def test_a_bundle_with_an_owner_holds_no_other_teams_policies(project: Project) -> None:
    text = project.read("policies/_teams.yml") + "risk: {channel: C0RISK, members: {cy: {slack: U0CY}}}\n"
    project.write("policies/_teams.yml", text)
    catalog = loaded(project, bundle(project, "risk", owner="risk"))
    assert catalog.broken == {THEIRS}
    assert 'must be "risk", the owner of bundle risk' in catalog.errors[0].what
    nobodys = loaded(project, bundle(project, "risk", owner="rsk"))
    assert nobodys.errors[-1].path == "patrol.yml"
    assert 'bundles.risk.owner: no team "rsk"; did you mean "risk"?' in nobodys.errors[-1].what


def test_what_two_bundles_say_is_told_to_both_and_stays_with_whoever_had_it(project: Project) -> None:
    risk, trust = bundle(project, "risk"), bundle(project, "trust")
    table = "policies/_assets.yml"
    write(risk.folder, table, "core.scores: {owner: payments, tier: vetted}\n")
    good = loaded(project, risk, trust)
    write(trust.folder, table, "core.scores: {owner: payments, tier: scratch}\n")
    for order in ((risk, trust), (trust, risk)):
        both = loaded(project, *order, last_good=good)
        assert both.assets["core.scores"].tier == "vetted"
        assert [problem.path for problem in both.errors] == [f"../risk/{table}", f"../trust/{table}"]
        assert all(held.trouble for held in both.bundles[1:])
    assert "core.scores" not in loaded(project, risk, trust).assets


def test_two_tables_of_one_name_that_are_spelled_apart_are_one(project: Project) -> None:
    risk, trust = bundle(project, "risk"), bundle(project, "trust")
    write(risk.folder, "policies/_assets.yml", "core.scores: {tier: raw}\n")
    write(trust.folder, "policies/_assets.yml", "\n\nCore.Scores: {tier: raw}\n")
    assert said(loaded(project, risk, trust))[1].startswith("../trust/policies/_assets.yml:3:1 Core.Scores: ")


PIECES = {
    "policies/_assets.yml": ("", "core.s: {tier: vetted}\n", "core.s: {tier: raw}\ncore.x: {}\n", "["),
    "policies/_entities.yml": ("", "y: {column: y}\n", "z: {column: y}\n", "seller: {column: q}\n"),
    "policies/_violations.yml": ("", "spam: {title: Spam, what: x}\n", "off_platform: {title: x, what: y}\n"),
    SQL: (FILES[SQL],),
    POLICY: (FILES[POLICY], FILES[POLICY].replace("every: 5m", "every: five"), "title: ["),
}  # fmt: skip
VERSIONS = st.fixed_dictionaries({path: st.sampled_from(texts) for path, texts in PIECES.items()})


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.lists(VERSIONS, min_size=3, max_size=3), st.lists(VERSIONS, min_size=3, max_size=3))
def test_the_order_of_bundles_means_nothing(
    tmp_path_factory: pytest.TempPathFactory, before: list[dict[str, str]], now: list[dict[str, str]]
) -> None:
    project = Project(tmp_path_factory.mktemp("project"))
    for path, text in FILES.items():
        project.write(path, text)

    def roots(versions: list[dict[str, str]]) -> list[Root]:
        return [
            Root(Bundle(name), Path(), prefix=f"{name}:", shown=f"{name}:", texts=Sources(texts))
            for name, texts in zip(("risk", "trust", "shop"), versions, strict=True)
        ]

    def seen(order: tuple[int, ...]) -> Loaded:
        was, new = roots(before), roots(now)
        first = loaded(project, *(was[i] for i in order))
        return loaded(project, *(new[i] for i in order), last_good=first)

    one, *others = [seen(order) for order in permutations(range(3))]
    for other in others:
        assert other == replace(one, bundles=other.bundles)
        assert set(other.bundles) == set(one.bundles)
    assert NAME in one.policies  # and the project's own goes on, whatever they say


def test_a_moved_policy_may_come_from_another_bundle(project: Project) -> None:
    risk = bundle(project, "risk")
    for was, known in (("old.name", "risk:old.name"), ("main:old.name", "old.name"), ("shop:x", "shop:x")):
        write(risk.folder, POLICY, f"{project.read(POLICY)}renamed_from: {was}\n")
        assert loaded(project, risk).policies[THEIRS].renamed_from == known


def test_a_bundle_that_lies_in_no_folder_is_read_all_the_same(project: Project) -> None:
    texts = Sources({POLICY: project.read(POLICY), SQL: project.read(SQL), "policies/X.yml": ""})
    nowhere = project.path.parent / "nowhere"
    root = Root(Bundle("risk"), nowhere, prefix="risk:", shown="risk:", texts=texts, commit="c0ffee")
    catalog = loaded(project, root)
    assert THEIRS in catalog.policies
    assert [problem.path for problem in catalog.errors] == ["risk:policies/X.yml"] * len(catalog.errors)
    assert catalog.bundles[1].commit == "c0ffee"
    assert replace(root, commit="beef").print != root.print


def test_the_cases_and_the_past_of_a_bundles_policy_are_found(project: Project) -> None:
    risk = bundle(project, "risk")
    case = "cases: [{name: a, at: 2026-01-01T00:00:00Z, given: {core.sellers: rows.csv}, expect: []}]\n"
    write(risk.folder, POLICY, project.read(POLICY) + case)
    write(risk.folder, "policies/payments/rows.csv", "seller_id,nowhere\ns_1,1\n")
    catalog = loaded(project, risk)
    assert [p.path for p in check(catalog) if not p.warning] == ["../risk/policies/payments/rows.csv"]
    policy = catalog.policies[THEIRS]
    ground = Ground.of(policy, catalog)
    assert ground.document.path == policy.path
    assert ground.file(policy.path).read_text() == ground.document.text
    assert earlier(policy, policy.body, catalog.assets) is not None
    assert sources.fingerprint(risk.folder) in risk.print
