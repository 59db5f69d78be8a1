"""The nightly build is four hours late: nobody is paged for nonsense, its owner hears of it once, and when it
lands all that waited runs once, in order; one `show` explains it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from bot.core.alert import Work
from bot.core.reply import AssetReply, PolicyReply, Reply, StatusReply
from bot.core.stale import STALE_ASSET
from bot.sandbox import Sandbox
from bot.slack.answers import render
from tests.shell.making import ELSEWHERE, FILES, HELD, HELD_SQL, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.outside import ANA
from tests.shell.trouble import EVERY, HELD_NAME
from tests.shell.upstream import Beat, job_ends
from tests.slack.hostile import mrkdwn_of

ASSETS = FILES["policies/_assets.yml"].replace(
    "core.chat: {owner: payments, loaded_until: sent_at, load_interval: 1m,",
    "core.chat: {owner: platform, loaded_until: sent_at, freshness: {late_after: 29h},",
)
PLATFORM = "platform: {channel: C0OTHER, members: {cy: {slack: U0CY}}, ladder: {medium: [{to: cy}]}}\n"
EARLY = ELSEWHERE.replace("{every: 1m}", '{cron: "0 6 * * *"}') + "needs: {core.chat: wait}\n"
OFTEN = ELSEWHERE + "needs: {core.chat: wait}\n"
AFTER_BUILD = HELD.replace("{every: 1m}", "{after: [core.chat, 'job:hold_payouts']}")
AFTER_EARLY = HELD.replace("{every: 1m}", "{after: ['policy:payments.elsewhere']}")
SIX = NOON.replace(hour=6) + timedelta(days=1)
LANDS = SIX + 4 * HOUR


@pytest.fixture
def town_at_six(town: World) -> Beat:
    """The last good build ended yesterday, with rows until midnight. It is nearly six o'clock."""
    files = {"_assets.yml": ASSETS, "_teams.yml": FILES["policies/_teams.yml"] + PLATFORM}
    policies = {"elsewhere": EARLY, "often": OFTEN, "held": AFTER_BUILD, "graph": AFTER_EARLY}
    for name, text in {**files, **{f"payments/{name}.yml": text for name, text in policies.items()}}.items():
        town.write(f"policies/{name}", text)
    town.write("sql/payments/often.sql", FILES["sql/payments/elsewhere.sql"])
    town.write("sql/payments/graph.sql", HELD_SQL)
    town.clock.at = NOON.replace(hour=5)
    town.table.says("s_1", NOON.replace(hour=0), "hello")
    beat = Beat(town.node())
    job_ends(beat.node, "yesterday")
    for _ in range(2):
        beat.runs([EVERY, "payments.often"])  # it begins; then it has its first time
        beat.once(2 * HOUR)
    town.clock.at = SIX - 30 * SECOND
    return beat


def live(beat: Beat, until: timedelta, step: timedelta = MINUTE) -> list[str]:
    """Time goes by as it does in a bot; what looked, in order."""
    node, looked, end = beat.node, [], beat.node.clock() + until
    assert node.deliverer
    while node.clock() < end:
        beat.came.clear()
        beat.runs([EVERY, "payments.often"])  # the clock asks for these
        looked += [name for name, ticked in beat.came if ticked.looked]
        looked += beat.once(step)
        node.engine.silence.once()
        node.engine.sweep()
        node.deliverer.once()
    return looked


def words(reply: Reply) -> str:
    return plain(mrkdwn_of(render(reply).blocks))


def plain(texts: Iterable[str]) -> str:
    """Dots in names are written so that Slack makes no links of them."""
    return "\n".join(texts).replace("․", ".")


def ask(node: Node, said: str) -> Reply:
    return node.desk.command(ANA, said)


def test_a_build_that_is_four_hours_late(town: World, town_at_six: Beat, slack: Sandbox) -> None:
    beat, node = town_at_six, town_at_six.node
    before = {name: len(node.store.runs.recent(name)) for name in node.engine.catalog.policies}
    assert live(beat, LANDS - node.clock(), 5 * MINUTE) == []

    # one alert, to those whose table it is; nobody else hears of anything
    (alert,) = node.alerts()
    assert (alert.policy, alert.terms.team) == (STALE_ASSET, "platform")
    assert alert.title == "core.chat is late: loaded until 2026-01-05 00:00 UTC; it may be 1 d 5 h old"
    (card,) = slack.messages("other")
    assert "2 policies (payments.elsewhere, payments.often) wait for it" in plain(mrkdwn_of(card["blocks"]))
    assert slack.messages("payments") == []
    assert node.kinds(alert.id) == ["opened"]

    # one answer explains it
    shown = ask(node, "show core.chat")
    assert isinstance(shown, AssetReply)
    assert "*late*" in words(shown)
    assert "2 policies (payments.elsewhere, payments.often) wait for it" in words(shown)
    assert "platform own it" in words(shown)
    status = ask(node, "status")
    assert isinstance(status, StatusReply)
    assert [stale.asset.name for stale in status.late] == ["core.chat"]
    assert "core.chat` *late*" in words(status)
    page = ask(node, f"policy {EVERY}")
    assert isinstance(page, PolicyReply)
    assert "It has waited since" in words(page)

    # it lands: the table first, the job's end a little later
    town.table.says("s_1", LANDS - 6 * HOUR, times=3)
    town.table.says("s_2", LANDS - 5 * HOUR, times=3)
    looked = live(beat, 2 * MINUTE)
    job_ends(node, "today")
    looked += live(beat, 3 * MINUTE)
    assert sorted(looked) == sorted(
        [EVERY, "payments.often", "payments.graph", HELD_NAME, *["payments.often"] * 4]
    )
    assert looked.index(EVERY) < looked.index("payments.graph")
    for name in (EVERY, HELD_NAME, "payments.graph"):
        assert len(node.store.runs.recent(name)) == before[name] + 1, "once for all four hours"
    assert {a.newest["seller_id"] for a in node.alerts(EVERY)} == {"s_1", "s_2"}

    # it is over by itself, and the pages say so
    assert node.alert(alert.id).work is Work.resolved
    assert node.kinds(alert.id) == ["opened", "resolved"]
    assert "*late*" not in words(ask(node, "show core.chat"))
    assert "*late*" not in words(ask(node, "status"))
    assert "Ran last for `core.chat` as of <!date^" in words(ask(node, f"policy {HELD_NAME}"))
    assert "`policy:payments.elsewhere` run" in words(ask(node, "why policy:payments.graph"))
