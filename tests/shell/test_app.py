"""The whole bot in this process, against a Slack of our own over real sockets: what it says of itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.app import Bot
from bot.core.job_run import JobState
from bot.process.errors import SettingsError
from bot.process.settings import Settings, load
from bot.sandbox import Sandbox
from bot.schedule import CHORES
from tests.jobs.serving import serving
from tests.shell.making import ELSEWHERE, HELD, World
from tests.shell.test_call_backs import GOOD, JOB, Risk, call, declare

START_IN = 30.0  # on a machine that others use, too


def wait(look: Callable[[], Any], seconds: float = START_IN) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


def settings(world: World, slack: Sandbox, **more: str) -> Settings:
    given = {
        "PATROL_SLACK_URL": slack.api,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "PATROL_WAREHOUSE_URL": world.table.url,
        "PATROL_STORE_URL": world.url,
        "PATROL_PORT": "0",
    }
    return load(world.project, {**given, **more})


@pytest.fixture
def bot(world: World, slack: Sandbox) -> Iterator[Bot]:
    """Up and looking, every second."""
    for name, text in (("elsewhere", ELSEWHERE), ("held", HELD)):
        world.write(f"policies/payments/{name}.yml", text.replace("every: 1m", "every: 1s"))
    made = Bot(settings(world, slack))
    made.start()
    yield made
    made.stop()


def checks(bot: Bot) -> dict[str, str]:
    return dict(bot.health().checks)


def cards(slack: Sandbox) -> list[dict[str, Any]]:
    return [m for m in slack.messages("payments") if m.get("blocks")]


def test_a_row_is_posted_and_a_click_is_recorded_within_the_figures(
    world: World, slack: Sandbox, bot: Bot
) -> None:
    wait(lambda: bot.health().ready)  # a click before that reaches nobody
    world.table.says("s_1", datetime.now(UTC))
    (card,) = wait(lambda: cards(slack))
    (alert,) = bot.store.alerts.open()
    posted = float(card["ts"]) - alert.opened_at.timestamp()
    assert posted < 5  # a second on a quiet machine
    seen = slack.click("ana", "payments", card["ts"], "alert.ack")
    assert seen["acked"]
    assert seen["ack_ms"] < 2_000
    assert bot.store.alerts.get(alert.id).owner == "U0ANA"  # type: ignore[union-attr]
    wait(lambda: "ACKNOWLEDGED" in str(cards(slack)[0]))


def test_when_all_is_well_it_says_so_in_each_part(bot: Bot) -> None:
    assert wait(lambda: bot.health().ready)
    assert bot.health().ok
    assert set(checks(bot).values()) == {"ok"}
    assert bot._web
    assert httpx.get(f"{bot._web.url}/readyz", trust_env=False).status_code == 200
    metrics = httpx.get(f"{bot._web.url}/metrics", trust_env=False)
    assert metrics.status_code == 200
    assert "payments.held" not in metrics.text


def test_a_job_that_is_started_calls_back_at_the_port(
    world: World, slack: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    risk = Risk()
    declare(world, JOB)
    with serving(risk.routes()) as there:
        monkeypatch.setenv("RISK_URL", there)
        bot = Bot(settings(world, slack, PATROL_URL="https://patrol.example/"))
        bot.start()
        try:
            assert bot._web
            run = bot.starting.ask(bot.project.catalog.jobs["rescore"], "U0ANA", {}, None, "k")
            wait(lambda: bot.store.jobs.get(run.id).state is JobState.running)  # type: ignore[union-attr]
            assert risk.told_at.startswith("https://patrol.example/hooks/runs/1-")
            here = risk.told_at.replace("https://patrol.example", bot._web.url)
            assert call(f"{here}x", GOOD)[0] == 404
            assert call(here, GOOD) == (202, "Job run 1 has ended: succeeded.")
            wait(lambda: bot.store.jobs.get(run.id).poll_at is None)  # type: ignore[union-attr]
        finally:
            bot.stop()


def test_every_chore_is_begun_and_soon_heard_of(bot: Bot) -> None:
    assert {job.id for job in bot.scheduler._scheduler.get_jobs()} >= {f":{name}" for name in CHORES}
    wait(lambda: {"pagers", "sweep"} <= set(bot.scheduler.beats))


def test_what_is_wrong_is_said_in_words_and_what_is_away_outside_makes_nothing_unsound(
    world: World, slack: Sandbox, bot: Bot
) -> None:
    wait(lambda: bot.health().ready)
    world.table.breaks()
    wait(lambda: "is not a DuckDB file" in checks(bot)["warehouse"])
    world.write("policies/payments/held.yml", "title: [")
    wait(lambda: "problem" in checks(bot)["files"])
    slack.faults({"method": "chat.postMessage", "fault": "error:not_in_channel"})
    wait(lambda: "not_in_channel" in checks(bot)["delivery"])  # the broken sensor's own card
    assert bot.health().ok
    (Path(world.folder) / "patrol.db").rename(world.folder / "elsewhere.db")
    bot.store._database.engine.dispose()
    (world.folder / "patrol.db").mkdir()
    assert "cannot be opened" in checks(bot)["store"]
    assert (bot.health().ok, bot.health().ready) == (True, False)


def test_without_slack_it_is_sound_but_not_ready_and_comes_back(
    world: World, slack: Sandbox, bot: Bot
) -> None:
    wait(
        lambda: bot.health().ready and slack.state()["connected"] == 2
    )  # else the second comes after the cut
    slack.faults({"method": "apps.connections.open", "fault": "500"}, cut_sockets=True)
    wait(lambda: not bot.health().ready)
    assert bot.health().ok
    assert "no Socket Mode connection" in checks(bot)["slack"]
    slack.no_faults()
    wait(lambda: bot.health().ready)
    assert world


def test_a_chore_that_does_not_end_is_said_and_a_long_look_for_late_rows_is_none(bot: Bot) -> None:
    wait(lambda: "take_over" in bot.scheduler.beats and "sweep" in bot.scheduler.beats)
    bot.scheduler.stop()
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    bot.scheduler.beats = {"late_rows": long_ago - timedelta(hours=1)}
    assert checks(bot)["schedule"] == "ok"
    bot.scheduler.beats = {"sweep": long_ago}
    assert checks(bot)["schedule"] == "not heard of for a minute: sweep"
    assert not bot.health().ok
    bot.scheduler.stop = lambda: None  # type: ignore[method-assign]  # it has been


def test_without_tokens_or_with_wrong_ones_nothing_begins(world: World, slack: Sandbox) -> None:
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN is not set"):
        Bot(load(world.project, {"PATROL_WAREHOUSE_URL": world.table.url}))
    wrong = Bot(settings(world, slack, SLACK_BOT_TOKEN="xoxb-wrong"))
    with pytest.raises(SettingsError, match="invalid_auth"):
        wrong.start()
    assert wrong.store.alerts.counts() == {}


def test_a_slack_that_is_away_at_the_start_is_waited_for(world: World, slack: Sandbox) -> None:
    slack.faults({"method": "auth.test", "fault": "500"}, {"method": "apps.connections.open", "fault": "500"})
    made = Bot(settings(world, slack))
    made.start()
    try:
        assert not made.health().ready
        world.table.says("s_1", datetime.now(UTC))
        slack.no_faults()
        wait(lambda: made.health().ready)
    finally:
        made.stop()


def test_a_seller_is_snoozed_from_a_command_and_the_channel_is_told(
    world: World, slack: Sandbox, bot: Bot
) -> None:
    wait(lambda: bot.health().ready)
    world.table.says("s_1", datetime.now(UTC))
    wait(lambda: cards(slack))
    (answer,) = slack.command("ana", "payments", "/patrol snooze seller:s_1 3d on it", wait_ms=3000)[
        "ephemerals"
    ]
    assert "It covers 1 open alert now: ALR-1." in str(answer)
    slack.click("ana", "payments", answer["ts"], "ask.yes", wait_ms=1500)
    wait(lambda: "SNOOZED" in str(cards(slack)[0]))
    wait(lambda: any("ana snoozed `seller:s_1`" in str(m) for m in slack.messages("payments")))
    slack.command("ana", "payments", "/patrol wake seller:s_1")
    wait(lambda: any("It hid 1 alert" in str(m) for m in slack.messages("payments")))
    wait(lambda: "*OPEN*" in str(cards(slack)[0]))
