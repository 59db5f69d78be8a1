"""`bundles:` of patrol.yml, and each mistake in it at its place."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.process.errors import SettingsError
from bot.process.settings import load, schema
from sensors.model.bundle import Bundle
from sensors.model.session import Session

WORDS = ["risk", "path", "git", "token", "branch"]
GIT = "git: https://git.example/r.git"


def test_bundles_are_folders_and_branches_of_repositories(tmp_path: Path) -> None:
    (tmp_path / "patrol.yml").write_text(
        "bundles:\n"
        "  shop: {path: ../shop, dialect: DuckDB}\n"
        f"  risk: {{{GIT}, branch: next, path: ./rules/risk/, token: RISK_TOKEN, owner: risk,\n"
        "         session: {role: patrol_risk, warehouse: patrol_s}}\n"
        "dialect: postgres\n"
    )
    risk, shop = load(tmp_path, {}).bundles
    address = "https://git.example/r.git"
    session = Session("patrol_risk", "patrol_s")
    given = ("risk", "postgres", "risk", "rules/risk", address, "next", "RISK_TOKEN")
    assert risk == Bundle(*given, place=(3, 3), session=session)
    assert risk.source == f"{address} next rules/risk"
    assert (shop.path, shop.dialect, shop.git, shop.source) == ("../shop", "duckdb", None, "../shop")


@pytest.mark.parametrize("text", ["", "bundles:\n", "bundles: {}\n", "bundles: null\n"])
def test_there_need_be_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "patrol.yml").write_text(text)
    assert load(tmp_path, {}).bundles == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bundles: risk", "1:10 bundles: must hold lines of the form `name: {path: ../folder}`"),
        ("bundles: {risk: ../risk}", "1:17 bundles.risk: must say where its files are:"),
        ("bundles: {risk: {}}", "1:11 bundles.risk: must say where its files are:"),
        ("bundles: {Risk: {path: x}}", "1:11 bundles.Risk: must be a short name of a-z, 0-9, _ and -"),
        ("bundles: {main: {path: x}}", "1:11 bundles.main: is the name of the project's own bundle"),
        ("bundles: {job: {path: x}}", "1:11 bundles.job: means something else in job:x"),
        ("bundles: {table: {path: x}}", "bundles.table: means something else in table:x"),
        ("bundles: {slack: {path: x}}", "begins with SLACK_ in the environment is Patrol's own"),
        ("bundles: {patrol-x: {path: x}}", "begins with PATROL_X_ in the environment is Patrol's own"),
        ("bundles: {a: {path: x}, a: {path: y}}", "1:25 bundles.a: stands here a second time"),
        ("bundles: {a: {path: x}}\nbundles: {}", "patrol.yml:2:1 bundles: stands here a second time"),
        ("bundles: {a: {path: x}, a_b: {path: y}}", "so a could name what belongs to a_b; choose another"),
        ("bundles: {a: {pth: x}}", "1:15 bundles.a.pth: there is no such key; there are path, git"),
        ("bundles: {a: {path: x, session: big}}", "a.session: must hold role, warehouse, schema, or some"),
        ("bundles: {a: {path: x, session: {rol: x}}}", "1:34 bundles.a.session.rol: there is no such key"),
        ("bundles: {a: {path: x, session: {role: 'x y'}}}", "a.session.role: must be a plain name"),
        ("bundles: {a: {path: x, session: {role: [x]}}}", "a.session.role: must be a plain name"),
        ("bundles: {a: {path: x, session: {role: x}, session: {}}}", "a.session: stands here a second time"),
        ("bundles: {a: {path: [x]}}", "1:21 bundles.a.path: must be a single value"),
        ("bundles: {a: {path: x, path: y}}", "1:24 bundles.a.path: stands here a second time"),
        ("bundles: {a: {path: x, token: A_T}}", "bundles.a.token: has a meaning only with git"),
        (f"bundles: {{a: {{{GIT}, path: ../x}}}}", "bundles.a.path: must be a folder within the repository"),
        (f"bundles: {{a: {{{GIT}, branch: --x}}}}", "bundles.a.branch: must be the name of a branch"),
        (f"bundles: {{a: {{{GIT}, token: ghp-1}}}}", "a.token: must be the name of an environment"),
        (f"bundles: {{a: {{{GIT}, token: SLACK_BOT_TOKEN}}}}", "a.token: must be a variable of its own"),
        (f"bundles: {{a: {{{GIT}, dialect: klingon}}}}", "bundles.a.dialect: must be a dialect of SQL"),
        ("bundles: {a: {git: 'ext::sh -c x'}}", "bundles.a.git: must be an address that begins with https://"),
        ("bundles: {a: {git: 'https://u:p@x/r.git'}}", "bundles.a.git: must not hold a password"),
        ("bundles: {a: {git: 'http://x/r', token: A_T}}", "a.git: must begin with https://, or every"),
        ("bundles: {a: {git: 'git@x:r.git', token: A_T}}", "bundles.a.token: has a meaning only with an"),
        ("bundle: {a: {path: x}}", "bundle: must be a single value"),
        ("bundels: {a: {path: x}}", 'there is no such setting; did you mean "bundles"?'),
    ],
)  # fmt: skip
def test_each_mistake_has_its_place_and_shows_no_secret(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "patrol.yml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, {})
    assert said in str(caught.value)
    assert "u:p" not in str(caught.value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    st.recursive(
        st.text(max_size=12) | st.sampled_from([*WORDS, "https://x/y", "~", "[", "{a: b}"]),
        lambda inner: st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    )
)
def test_whatever_stands_there_is_taken_or_told(tmp_path: Path, said: object) -> None:
    (tmp_path / "patrol.yml").write_text(f"bundles: {said!r}\n", encoding="utf-8")
    with contextlib.suppress(SettingsError):
        assert all(one.path or one.git for one in load(tmp_path, {}).bundles)


def test_a_bundle_may_be_taken_from_a_folder_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "patrol.yml").write_text(f"bundles: {{risk: {{{GIT}, path: rules}}, shop: {{path: x}}}}\n")
    monkeypatch.chdir(tmp_path)
    risk, shop = load(tmp_path, {"PATROL_BUNDLE_FOLDERS": "risk = team"}).bundles
    assert (risk.git, risk.path, shop.path) == (None, str(tmp_path / "team"), "x")
    for wrong, said in (
        ("risk", "must be names and folders"),
        ("rsk=x", "no bundle 'rsk' in patrol.yml; there"),
    ):
        with pytest.raises(SettingsError, match=said):
            load(tmp_path, {"PATROL_BUNDLE_FOLDERS": wrong})


def test_the_operators_guide_declares_them_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs/operators.md").read_text()
    (yaml,) = re.findall(r"<!-- bundles -->\n```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "patrol.yml").write_text(yaml)
    assert [one.name for one in load(tmp_path, {}).bundles] == ["risk", "shop"]


def test_the_schema_knows_them() -> None:
    each = schema()["properties"]["bundles"]["additionalProperties"]
    assert each["properties"].keys() >= {"path", "git", "branch", "token", "owner", "dialect"}
