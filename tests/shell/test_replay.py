"""What replay says is what the bot does, over the same rows, with a store and a clock moved by hand."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import event, given, settings
from hypothesis import strategies as st

from bot.core.action import Acknowledge, Resolve
from bot.core.alert import Alert, Disposition, Event, due
from bot.core.change import Refused
from bot.core.held import FOR_EVER, NOBODY, Assumed
from bot.core.oncall import people
from bot.core.plan import due_between
from bot.core.reconcile import flood_key
from bot.workbench.replay import Replay, plan
from sensors.catalog import load
from tests.shell.making import DAY, ELSEWHERE, FILES, HOUR, MINUTE, NOON, Clock, Node, Table, World

NAME = "payments.elsewhere"
GRID = 5 * MINUTE  # half of the rows lie on it, as due times do
FAR = NOON + 300 * DAY

PLAIN = """-- One row per message that asks to be paid elsewhere.
SELECT message_id, seller_id, body, sent_at
FROM {{ table('core.chat') }}
WHERE {{ in_window('sent_at') }} AND body ILIKE '%pay me%'
"""
TOGETHER = """-- One row per seller and body, of the window.
SELECT MIN(message_id) AS message_id, seller_id, body, MAX(sent_at) AS sent_at
FROM {{ table('core.chat') }}
WHERE {{ in_window('sent_at') }} AND body ILIKE '%pay me%'
GROUP BY seller_id, body
"""
INCREMENTAL = (
    "window: {column: sent_at, lookback: 10m}",
    "window: {column: sent_at, lookback: 2h, delay: 10m}",
    "window: {column: sent_at}",
)
TRAILING = ("window: {column: sent_at, trailing: 2h}", "window: {column: sent_at, trailing: 7h}")
COUNTED = (
    "",
    "threshold: {count: 2, within: 3h}",
    "threshold: {count: 3, within: 12h}",
    "threshold: {distinct: body, count: 2, within: 6h}",
)
CLEARS = ("", "clear: always", "clear: if_unacked")
SCHEDULES = ("{every: 30m}", "{every: 1h}", '{cron: "20 */3 * * *", timezone: America/New_York}')

Row = tuple[str, int, str]  # seller, how many grid steps after the beginning, body
rows = st.lists(
    st.tuples(
        st.sampled_from(["s_1", "s_2", "s_3", "s_4"]),
        st.integers(1, 440),
        st.sampled_from(["pay me here", "pay me there", "hello"]),
    ),
    min_size=1,
    max_size=40,
)


@st.composite
def policies(draw: st.DrawFn) -> tuple[str, str]:
    """A policy's YAML and SQL."""
    events = draw(st.booleans())
    window = draw(st.sampled_from(INCREMENTAL if events else TRAILING))
    more = [draw(st.sampled_from(COUNTED if events else ("", "threshold: {count: 2}")))]
    more += [] if events else [draw(st.sampled_from(CLEARS))]
    more += [f"max_alerts: {draw(st.sampled_from([1, 2, 25]))}"]
    schedule = draw(st.sampled_from(SCHEDULES))
    text = ELSEWHERE.replace("window: {column: sent_at, lookback: 5m}", window)
    text = text.replace("schedule: {every: 1m}", f"schedule: {schedule}").replace("medium: 1", "low: 1")
    return "\n".join([text, *more]), draw(st.sampled_from((PLAIN, TOGETHER) if events else (PLAIN,)))


assumptions = st.builds(
    Assumed,
    answered_after=st.sampled_from([None, 5 * MINUTE, 10 * MINUTE, 40 * MINUTE]),
    resolved_after=st.sampled_from([None, 3 * HOUR, 15 * HOUR]),
)


def world_of(folder: Path, empty_store: Path, yaml: str, sql: str, written: list[Row]) -> World:
    shutil.copy(empty_store, folder / "patrol.db")
    made = World(folder, f"sqlite:///{folder / 'patrol.db'}", Clock(), Table(folder / "market"))
    for name, text in FILES.items():
        made.write(name, text)
    made.write("policies/payments/elsewhere.yml", yaml)
    made.write("sql/payments/elsewhere.sql", sql)
    said = [(seller, NOON + n * GRID - n % 2 * MINUTE, body) for seller, n, body in written]
    values = ", ".join(
        f"('m_{n}', '{seller}', '{body}', TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}')"
        for n, (seller, at, body) in enumerate([*said, ("s_0", FAR, "loaded")])
    )
    made.table.does(f"INSERT INTO core.chat VALUES {values}")
    return made


def lives(node: Node, begin: datetime, end: datetime, assumed: Assumed) -> None:
    """The bot's own life over that time; whom it tells does what is assumed."""
    dues = [*due_between(node.engine.catalog.policies[NAME].schedule, begin, end)]
    ticks = iter(dues)
    tick = next(ticks, None)
    while (at := min([tick or FAR, *moments(node, assumed)], default=FAR)) <= end:
        node.clock.at = at
        people_act(node, at, assumed)
        node.engine.sweep()
        if at == tick:
            ticked = node.tick(NAME, at)
            assert ticked.looked, ticked.why_not
            assert ticked.looked.ok, ticked.looked.error
            tick = next(ticks, None)
            node.engine.sweep()
    assert len(dues) > 10


def came_at(node: Node, alert: Alert) -> datetime:
    return [e.at for e in node.store.alerts.history(alert.id) if e.kind in ("opened", "reopened")][-1]


def moments(node: Node, assumed: Assumed) -> list[datetime]:
    """When something is next to be done about an open alert, by the clock or by people."""
    found = []
    for alert in node.alerts(NAME):
        came, following = came_at(node, alert), due(alert)
        assert following
        wanted = [came + span for span in (assumed.answered_after, assumed.resolved_after) if span]
        found += [at for at in (following.at, *wanted) if at > node.clock.at]
    return found


def people_act(node: Node, at: datetime, assumed: Assumed) -> None:
    for alert in node.alerts(NAME):
        came = came_at(node, alert)
        by = next(iter(people("oncall", node.engine.catalog.teams["payments"], came)), NOBODY)
        answers, ends = assumed.answered_after, assumed.resolved_after
        if answers is not None and at - came == answers and (ends is None or answers < ends):
            node.engine.act(alert.id, Acknowledge(by, FOR_EVER), by=by)
        if ends is not None and at - came == ends:
            node.engine.act(alert.id, Resolve(by, Disposition.true_positive), by=by)


def stored(node: Node) -> list[Alert]:
    found = []
    while (alert := node.store.alerts.get(len(found) + 1)) is not None:
        found.append(alert)
    return found


Told = tuple[Alert, list[tuple[str, datetime, str, str]]]


def as_told(alert: Alert, history: list[Event]) -> Told:
    """The whole alert and its history, but for its number: of keys found together any may be the first."""
    keys = ", ".join(sorted(str(alert.newest.get("keys", "")).split(", ")))
    newest = {**alert.newest, "keys": keys} if alert.key == flood_key(NAME) else alert.newest
    last = nameless(alert.last_event)
    same = replace(alert, id=0, previous=None, newest=newest, last_event=last)
    return same, [(e.kind, e.at, e.actor, nameless(e.story)) for e in history]


def nameless(story: str) -> str:
    return re.sub(r"ALR-\d+", "ALR", story)


def in_order(told: list[Told]) -> list[Told]:
    return sorted(told, key=lambda one: (one[0].opened_at, one[0].key))


def replayed(world: World, begin: datetime, end: datetime, assumed: Assumed) -> Replay:
    catalog = load(world.project)
    policy = catalog.policies[NAME]
    warehouse = world.nodes[0].warehouse
    planned = plan(policy, warehouse.dialect, begin, end)
    assert not isinstance(planned, Refused)
    work = Replay(policy, catalog, warehouse, begin, end, planned, assumed=assumed)
    for looked in work.steps():
        assert looked.ok
    return work


@settings(max_examples=8, deadline=None, derandomize=True)
@given(policy=policies(), written=rows, assumed=assumptions)
def test_replay_says_what_the_bot_does(
    empty_store: Path, policy: tuple[str, str], written: list[Row], assumed: Assumed
) -> None:
    with TemporaryDirectory() as folder:
        world = world_of(Path(folder), empty_store, *policy, written)
        end = NOON + 36 * HOUR
        try:
            node = world.node()
            lives(node, NOON, end, assumed)
            work = replayed(world, NOON, end, assumed)
            ours = {n: [e for i, e in work.held.events if i == n] for n in work.held.alerts}
            says = [as_told(alert, ours[n]) for n, alert in work.held.alerts.items()]
            does = [as_told(alert, [*node.store.alerts.history(alert.id)]) for alert in stored(node)]
            assert in_order(says) == in_order(does)
            event("alerts" if says else "no alert")
        finally:
            world.close()
