"""Signed requests of others: proven, done once for each delivery, answered in sentences."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.job_run import JobState, Progress
from bot.process import web
from bot.process.errors import SettingsError
from bot.process.metrics import Metrics
from bot.process.settings import load
from bot.process.settings_hooks import Hook
from bot.steering.hooks import Answer, HookDoor, nobody, signature
from tests.shell.making import HOUR, MINUTE, Node, World
from tests.shell.outside import Outside, go_on

SECRET = "a secret of sixteen or more"
ENVIRON = {"HOOK_SECRET": SECRET}
UPDATES = Hook("sellers_loaded", "HOOK_SECRET", updates="core.sellers")
STARTS = Hook("hold", "HOOK_SECRET", starts="hold_payouts")
GUIDE = Path(__file__).parents[2] / "docs" / "operators.md"


@pytest.fixture
def outside() -> Outside:
    return Outside(on_start=lambda: Progress(JobState.succeeded, outcome="held"))


@pytest.fixture
def bot(world: World, outside: Outside) -> Node:
    node = world.node(runners=lambda _: outside)
    node.engine.reload()
    return node


def sent(bot: Node, hook: Hook, said: object = None, **more: Any) -> Answer:
    body = said if isinstance(said, bytes) else b"" if said is None else json.dumps(said).encode()
    at = str(more.get("at", int(bot.clock().timestamp())))
    headers = {
        "x-patrol-timestamp": at,
        "x-patrol-signature": more.get("signed", signature(more.get("secret", SECRET), at, body)),
    }
    return HookDoor(hook, bot.starting, ENVIRON).take(headers, more.get("body", body), 0.0)


def test_a_table_is_updated_once_for_each_delivery(bot: Node) -> None:
    first = sent(bot, UPDATES, {"delivery": "run-17", "at": "2026-01-05T09:00:00Z"})
    assert (first.status, json.loads(first.body)) == (202, {"ok": True, "said": "core.sellers was updated."})
    bot.clock.on(MINUTE)
    again = sent(bot, UPDATES, {"delivery": "run-17"})
    assert (again.status, "known already" in again.said) == (202, True)
    state = bot.store.states.newest(["core.sellers"])["core.sellers"]
    assert (state.mark, state.at) == ("delivery run-17", datetime(2026, 1, 5, 9, tzinfo=UTC))


def test_a_table_that_tells_by_itself_how_far_it_is_loaded_is_not_updated_a_second_time(bot: Node) -> None:
    answer = sent(bot, replace(UPDATES, updates="core.chat"), {"delivery": "run-17"})
    assert (answer.status, "tells by itself when it is loaded" in answer.said) == (202, True)
    assert bot.store.states.history("core.chat") == []


def test_a_delivery_that_comes_late_makes_nothing_older(bot: Node) -> None:
    sent(bot, UPDATES, {"delivery": "2", "at": "2026-01-05T09:00:00Z"})
    assert (
        sent(bot, UPDATES, {"delivery": "1", "at": "2026-01-05T08:00:00Z"}).said
        == "core.sellers was updated."
    )
    state = bot.store.states.newest(["core.sellers"])["core.sellers"]
    assert (state.mark, state.at) == ("delivery 1", datetime(2026, 1, 5, 9, tzinfo=UTC))


def test_the_same_request_again_does_nothing_again_though_it_names_no_delivery(bot: Node) -> None:
    for _ in range(3):
        assert sent(bot, UPDATES).status == 202
    assert len(bot.store.states.history("core.sellers")) == 1
    bot.clock.on(MINUTE)
    sent(bot, UPDATES)
    assert len(bot.store.states.history("core.sellers")) == 2


def test_a_job_is_started_once_with_checked_values(bot: Node, outside: Outside) -> None:
    said = {"delivery": 17, "params": {"seller_id": "s_1"}}
    assert sent(bot, STARTS, said).said == "Hold payouts is starting as job run 1."
    assert "already" in sent(bot, STARTS, said).said
    go_on(bot, seconds=3)
    (run,) = bot.store.jobs.recent()
    assert (run.by, run.state, len(outside.starts)) == ("hook hold", JobState.succeeded, 1)
    wrong = sent(bot, STARTS, {"params": {"seller_id": "s_1; DROP"}})
    assert (wrong.status, "seller_id must look like" in wrong.said) == (422, True)
    assert "is missing" in sent(bot, STARTS, {}).said
    assert "is not a parameter" in sent(bot, STARTS, {"params": {"seller": 1}}).said


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"secret": "another secret of sixteen"}, "is not that of this hook's secret"),
        ({"body": b'{"delivery": "changed"}'}, "is not that of this hook's secret"),
        ({"signed": ""}, "It is not signed"),
        ({"signed": "v0=\u00e9\udc80"}, "is not that"),
        ({"at": "yesterday"}, "It is not signed"),
        ({"at": 1_500_000_000}, "more than five minutes"),
        ({"at": 9_999_999_999}, "more than five minutes"),
    ],
)
def test_what_is_not_proven_does_nothing(bot: Node, more: dict[str, Any], why: str) -> None:
    answer = sent(bot, UPDATES, {"delivery": "x"}, **more)
    assert answer.status == 401
    assert why in answer.said
    assert bot.store.states.newest(["core.sellers"]) == {}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"{", "must be a JSON object"),
        (b"\xff\xfe", "must be a JSON object"),
        (b"[" * 40_000, "must be a JSON object"),
        ([1], "must be a JSON object"),
        ({"delivery": ""}, "delivery must be"),
        ({"delivery": True}, "delivery must be"),
        ({"delivery": "x" * 300}, "delivery must be"),
        ({"at": "soon"}, "at must be a time that has passed"),
        ({"at": 5}, "at must be a time that has passed"),
        ({"at": "2099-01-01T00:00:00Z"}, "at must be a time that has passed"),
    ],
)
def test_what_is_wrong_with_it_is_said(bot: Node, said: object, why: str) -> None:
    answer = sent(bot, UPDATES, said)
    assert answer.status == 422
    assert why in answer.said


def test_what_is_too_long_or_not_there_is_said(bot: Node) -> None:
    assert sent(bot, UPDATES, b"x" * 70_000).status == 413
    gone = sent(bot, Hook("x", "HOOK_SECRET", updates="core.gone"))
    assert (gone.status, gone.said) == (422, "There is no core.gone in the files any more.")
    assert sent(bot, Hook("x", "HOOK_SECRET", starts="gone")).status == 422
    assert nobody({}, b"", 0.0).status == 404


@given(st.binary(max_size=60), st.binary(max_size=60), st.text(min_size=16, max_size=30))
def test_a_signature_is_of_one_body_one_time_and_one_secret(one: bytes, other: bytes, secret: str) -> None:
    secret = secret.encode("utf-8", "ignore").decode()
    right = signature(secret, "1", one)
    assert (signature(secret, "1", other) == right) == (one == other)
    assert signature(secret, "2", one) != right
    assert signature(secret + "x", "1", one) != right


def test_a_secret_that_is_not_there_ends_the_start(bot: Node) -> None:
    with pytest.raises(SettingsError, match="HOOK_SECRET is not set"):
        HookDoor(UPDATES, bot.starting, {})
    with pytest.raises(SettingsError, match="shorter than 16"):
        HookDoor(UPDATES, bot.starting, {"HOOK_SECRET": "short"})


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("hooks: [a]", "must hold lines of the form"),
        ("hooks: {a: x}", "must say what it does"),
        ("hooks: {A b: {updates: core.sellers, secret: S}}", "must be a short name"),
        ("hooks: {a: {updates: core.sellers}}", "must say secret"),
        ("hooks: {a: {secret: S}}", "must say one of updates and starts"),
        ("hooks: {a: {updates: x, starts: y, secret: S}}", "must say one of updates and starts"),
        ("hooks: {a: {updates: core.sellers, secret: 'hunter2!'}}", "must be the name of an environment"),
        ("hooks: {a: {updats: core.sellers, secret: S}}", 'did you mean "updates"?'),
        ("hooks: {a: {updates: [x], secret: S}}", "must be a text"),
        ("hocks: {}", 'did you mean "hooks"?'),
    ],
)
def test_what_is_wrong_in_patrol_yml_is_said_at_its_place(tmp_path: Path, lines: str, said: str) -> None:
    (tmp_path / "patrol.yml").write_text(lines + "\n")
    with pytest.raises(SettingsError, match=re.escape(said)) as wrong:
        load(tmp_path, {})
    assert "patrol.yml:1:" in str(wrong.value)
    assert "hunter2" not in str(wrong.value)


def test_hooks_are_read(tmp_path: Path) -> None:
    (tmp_path / "patrol.yml").write_text(
        "hooks:\n  sellers_loaded: {updates: core.sellers, secret: HOOK_SECRET}\n"
    )
    assert load(tmp_path, {}).hooks == (UPDATES,)


# -- the example of the guide, over the wire


@pytest.fixture
def address(world: World, bot: Node) -> Iterator[str]:
    world.clock.at = datetime.now(UTC)
    old = (world.project / "policies/_jobs.yml").read_text()
    build = "\ndbt_build: {title: Build, kind: http, owner: payments, url: 'http://127.0.0.1:9/x'}\n"
    world.write("policies/_jobs.yml", old + build)
    bot.engine.reload()
    hook = Hook("dbt_done", "HOOK_SECRET", updates="job:dbt_build")
    door = HookDoor(hook, bot.starting, ENVIRON)
    posts: dict[str, web.Take] = {hook.path: door.take, "/hooks/{name:path}": nobody}
    healthy = web.Health(True, True, {})
    handle = web.serve(web.app(lambda: healthy, Metrics().registry, posts), 0)
    yield handle.url
    handle.close()


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="no curl or no openssl")
def test_the_example_of_the_guide_works(bot: Node, address: str) -> None:
    example = re.search(r"<!-- run: hook -->\n```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert example

    def run(**environ: str) -> dict[str, Any]:
        given = {**os.environ, "PATROL_URL": address, "DBT_HOOK_SECRET": SECRET, **environ}
        made = subprocess.run(
            ["bash", "-euc", example[1]], env=given, capture_output=True, text=True, timeout=20, check=True
        )
        found: dict[str, Any] = json.loads(made.stdout)
        return found

    assert run() == {"ok": True, "said": "job:dbt_build was updated."}
    assert bot.store.states.newest(["job:dbt_build"])["job:dbt_build"].mark == "delivery run-17"
    assert not run(DBT_HOOK_SECRET="another secret of sixteen")["ok"]
    assert run(PATROL_URL=f"{address}/hooks/nowhere?")["said"] == "There is no such hook in patrol.yml."


def test_an_hour_later_it_is_too_late(world: World, bot: Node) -> None:
    at = int(bot.clock().timestamp())
    world.clock.on(HOUR)
    assert sent(bot, UPDATES, at=at).status == 401
