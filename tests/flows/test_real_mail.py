"""A warehouse that Patrol did not make: real, hostile mail of 2002, replayed by day with a moved clock."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bot.app import Bot
from bot.process.settings import load
from bot.sandbox import Sandbox
from sensors.model.run import Cause, CauseKind

ROOT = Path(__file__).parents[2]
MAIL = ROOT.parent / "shared" / "data" / "messages.parquet"
FIRST = datetime(2002, 8, 20, tzinfo=UTC)
DAYS = 30
POLICIES = ("mail.pressure", "mail.many_names")

pytestmark = pytest.mark.skipif(not MAIL.exists(), reason=f"{MAIL.name} does not lie beside the project")


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **span: float) -> None:
        self.at += timedelta(**span)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "mail"
    shutil.copytree(Path(__file__).parent / "mail", folder)
    with duckdb.connect(str(folder / "mail.duckdb")) as c:
        c.execute(f"CREATE TABLE messages AS SELECT * EXCLUDE (corpus, is_spam) FROM '{MAIL}'")
    return folder


@pytest.fixture
def slack() -> Iterator[Sandbox]:
    with Sandbox(channels=["mail", "mail-review"], pace=False) as sandbox:
        yield sandbox


@pytest.fixture
def bot(project: Path, slack: Sandbox) -> Iterator[Bot]:
    """All of Patrol but its own clock: the story says when it is what day."""
    environment = {"PATROL_SLACK_URL": slack.api, "SLACK_BOT_TOKEN": slack.bot_token}
    made = Bot(load(project, {**environment, "SLACK_APP_TOKEN": slack.app_token}), Clock(FIRST))
    made.store.upgrade()
    made.engine.reload()
    yield made
    made.warehouse.close()
    made.store.close()


def live_a_day(bot: Bot, clock: Clock, day: datetime) -> None:
    clock.at = max(clock.at, day)
    for name in POLICIES:
        ticked = bot.engine.tick(name, Cause(CauseKind.tick, day.isoformat()), day)
        assert ticked.looked, ticked.why_not
        assert ticked.looked.ok, ticked.looked.error
    deliver_all(bot, clock)


def deliver_all(bot: Bot, clock: Clock) -> None:
    """A second passes between messages to a channel, as Slack demands."""
    while bot.store.outbox.cards(clock()):
        if not bot.deliverer.once():
            clock.move(seconds=1)


@pytest.fixture
def month(bot: Bot, slack: Sandbox) -> Callable[[], list[dict[str, Any]]]:
    clock = bot.engine.clock
    assert isinstance(clock, Clock)
    for day in range(DAYS):
        live_a_day(bot, clock, FIRST + timedelta(days=day + 1))
    return lambda: slack.messages("mail")


def test_a_month_of_mail_gives_one_card_for_each_sender_who_presses(
    month: Callable[[], list[dict[str, Any]]], bot: Bot
) -> None:
    first = FIRST.replace(tzinfo=None)
    senders = (
        duckdb.connect()
        .execute(
            f"SELECT DISTINCT sender FROM '{MAIL}' WHERE sent_at >= ? AND sent_at < ? AND "
            "regexp_matches(lower(body), 'risk free|act now|100% free|no obligation|limited time')",
            [first + timedelta(hours=22), first + timedelta(days=DAYS)],  # the first run looks back 2 h
        )
        .fetchall()
    )
    alerts = bot.store.alerts.open(policy="mail.pressure", limit=1000)
    assert {a.key_values["sender"] for a in alerts} == {sender for (sender,) in senders}
    assert len(alerts) > 20
    assert len(month()) == len(bot.store.alerts.open(limit=1000))


def marks_of(part: Any) -> list[str]:
    """What Slack would read as a mark, in every text of a message that it reads for marks."""
    if isinstance(part, dict) and part.get("type") == "mrkdwn":
        return [piece.split(">")[0] for piece in part["text"].split("<")[1:]]
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [mark for one in inner for mark in marks_of(one)]


def test_nothing_in_it_pings_links_or_formats(
    month: Callable[[], list[dict[str, Any]]], slack: Sandbox
) -> None:
    texts = [{"type": "mrkdwn", "text": message["text"]} for message in month()]
    marks = {mark for part in (*texts, *month()) for mark in marks_of(part)}
    ours = {mark for mark in marks if mark.startswith("!date^103")}  # dates of 2002
    assert ours
    assert marks - ours == {"@U0ANA"}
    pinged = {note["user"] for note in slack.state()["notifications"]}
    assert pinged == {"U0ANA"}  # who is on call, and nobody else


def test_run_shows_a_day_as_one_object_and_posts_nothing(project: Path, slack: Sandbox) -> None:
    words = ["run", "mail.pressure", "--at", "2002-09-10", "--json", "--project", str(project)]
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    shown = json.loads(done.stdout)
    assert set(shown) >= {"policy", "window", "status", "columns", "rows", "violations", "elapsed_s"}
    assert shown["status"] == "succeeded"
    assert shown["window"]["end"] == "2002-09-10T00:00:00+00:00"
    assert not slack.messages("mail")


def test_serve_looks_at_it_and_says_so(
    project: Path, slack: Sandbox, wait: Callable[..., Any], clean_environment: dict[str, str]
) -> None:
    ours = {
        "PATROL_SLACK_URL": slack.api,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }
    words = ["serve", "--port", "0", "--project", str(project)]
    serving = subprocess.Popen(
        [sys.executable, "-m", "bot", *words], cwd=ROOT, env={**clean_environment, **ours}
    )
    try:

        def policies_that_ran() -> bool:
            if slack.state()["connected"] == 0:
                return False
            said = slack.command("ana", "mail", "/patrol status")["ephemerals"]
            return str(said).count("🟢") == len(POLICIES)

        wait(policies_that_ran, "not both policies have run")
    finally:
        serving.terminate()
        assert serving.wait(20) == 0
