"""Any terms, and all that may happen to an alert: long lives drawn from a seed, cut short by Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from random import Random

from hypothesis import strategies as st

from bot.core import action as a
from bot.core.alert import Alert, Disposition, FalseCause, Lane, Snooze, Terms, due
from bot.core.change import Change, Outcome
from bot.core.context import House
from bot.core.cover import Cover
from bot.core.step import step
from sensors.model.catalog import Catalog
from sensors.model.policy import Severity
from sensors.model.team import Hours, LadderStep, Member, Override, Role, Rotation, Team
from tests.core.making import ANA, BO, CY, HOUR, MINUTE, NOON, fire, opened

PEOPLE = (ANA, BO, CY)
HOSTILE = ("", "", "looks odd", "⟦UBO⟧ said so", "⟦t:999999999999⟧", "a\nb `c` <!here>")
LANES = (Lane.live, Lane.live, Lane.live, Lane.shadow, Lane.historical)


@dataclass(frozen=True)
class Happening:
    """`action` comes `gap` after the one before; with `waits` at the next due time, if that is later."""

    gap: timedelta
    action: a.Action
    waits: bool = False


Life = tuple[Alert, list[Happening]]


def ladder_of(random: Random) -> tuple[LadderStep, ...]:
    waits = sorted(random.choice((0, 0, 5, 10, 60, 300)) for _ in range(random.randint(0, 4)))
    whom = ("oncall", "team", "lead", "bo", "pager")
    return tuple(LadderStep(n * MINUTE, random.choice(whom)) for n in waits)


def terms_of(random: Random) -> Terms:
    return Terms(
        team="payments",
        ladder=ladder_of(random),
        repeat_interval=random.choice((0, 1, 30, 240)) * MINUTE,
        acknowledged_for=random.choice((0, 1, 60, 240)) * MINUTE,
        clear=random.choice(("never", "if_unacked", "always")),
        accumulates=random.random() < 0.5,
    )


def fire_of(random: Random, terms: Terms, lane: Lane) -> a.Fire:
    return fire(
        random.randint(1, 20),
        terms=terms,
        lane=lane,
        severity=random.choice(list(Severity)),
        new_evidence=random.random() < 0.5,
        as_of=NOON + random.randint(-60, 600) * MINUTE,
    )


def snooze_of(random: Random) -> Snooze:
    """As a snooze of more than one alert gives it to those that it covers; `until` counts from now."""
    until = NOON + random.choice((0, 1, 20, 300)) * HOUR
    ceiling, of = random.choice(list(Severity)[:-1]), random.randint(1, 2)
    return Snooze(until, random.choice(PEOPLE), random.choice(HOSTILE), NOON, ceiling, of, "seller:s_1")


def machine(random: Random, terms: Terms, lane: Lane) -> a.Action:
    return random.choice(
        (
            fire_of(random, terms, lane),
            replace(fire_of(random, terms, lane), snooze=snooze_of(random)),
            a.Hush(snooze_of(random), NOON + random.randint(-60, 60) * HOUR),
            a.Rouse(random.randint(1, 2), random.choice(PEOPLE)),
            a.Clear(NOON + random.randint(-60, 600) * MINUTE),
            a.Unknown(random.choice(HOSTILE)),
            a.Renamed(random.choice(("chat.moved", "chat.moved_again")), '{"seller_id":"s_1"}'),
            a.Mended(random.choice(PEOPLE), random.choice(("0a1b2c3d", "4e5f6a7b"))),
            a.Unheard(random.randint(0, 4), (random.choice(PEOPLE),), NOON + HOUR),
            a.Unheard(random.randint(0, 4), why=random.choice(HOSTILE)),
            a.PagerCalled(random.randint(1, 3), random.choice(HOSTILE)),
            a.RerunEnded(random.choice(PEOPLE), random.choice(HOSTILE)),
            a.JobDecided(
                random.randint(1, 3), "approved", "rescore", random.choice(PEOPLE), "it was approved"
            ),
            a.JobEnded(random.randint(1, 3), "rescore", random.random() < 0.5, random.choice(HOSTILE)),
        )
    )


def person(random: Random) -> a.Action:
    by, other, words = random.choice(PEOPLE), random.choice(PEOPLE), random.choice(HOSTILE)
    span = random.choice((None, timedelta(), MINUTE, 90 * MINUTE))
    cause = random.choice((None, *FalseCause))
    return random.choice(
        (
            a.Acknowledge(by, span),
            a.Acknowledge(by),
            a.Unacknowledge(by),
            a.Assign(by, other),
            a.SnoozeFor(by, NOON + random.choice((0, 1, 20, 30)) * HOUR, words),
            a.Wake(by),
            a.Resolve(by, random.choice(list(Disposition)), cause, words),
            a.Reopen(by, random.choice((None, None, 9))),
            a.Escalate(by, words),
            a.Comment(by, words),
            a.Rerun(by),
            a.ShareRows(by),
            a.StartJob(by, "rescore", {"seller_id": "s_1"}),
        )
    )


def life_of(seed: int, length: int) -> Life:
    """The first acts of one long life: what comes first is the same for every length."""
    random = Random(seed)
    terms, lane = terms_of(random), random.choice(LANES)
    first = opened(fire_of(random, terms, lane))
    return first, [_happening(random, terms, lane) for _ in range(length)]


def _happening(random: Random, terms: Terms, lane: Lane) -> Happening:
    gap = random.choice((timedelta(), timedelta(seconds=7), 3 * MINUTE, HOUR, random.randint(1, 90) * HOUR))
    match random.randint(0, 9):
        case 0 | 1 | 2 | 3:
            return Happening(gap, person(random))
        case 4 | 5 | 6:
            return Happening(gap, machine(random, terms, lane))
        case 7:
            return Happening(gap, a.Timer())
    return Happening(timedelta(), a.Timer(), waits=True)


def team_of(random: Random, name: str, least: int = 0) -> Team:
    """As somebody may have edited the files in the meantime: people left, turns name who is gone, nobody is
    on call at night, somebody covers."""
    everybody = [
        Member(n, f"U{n.upper()}", frozenset({random.choice(list(Role))})) for n in ("ana", "bo", "cy")
    ]
    members = tuple(random.sample(everybody, random.randint(least, 3)))
    turns = tuple(random.sample(("ana", "bo", "cy", "gone"), random.randint(0, 4)))
    rotation = random.choice((None, Rotation(turns, random.choice((1, 24)) * HOUR, NOON)))
    outside = random.choice(("nobody", "lead", "team", "bo", "gone"))
    hours = random.choice((None, Hours(frozenset(random.sample(range(7), 3)), time(9), time(17), outside)))
    override = Override(random.choice(("cy", "gone")), NOON, NOON + random.randint(1, 99) * HOUR)
    return Team(
        name, "C1", "C2", members, rotation=rotation, hours=hours, overrides=random.choice(((), (override,)))
    )


def house_of(random: Random, at: datetime) -> House:
    """The files and covers of a moment. Somebody answers for Patrol; the alert's own team may be gone."""
    owner = team_of(random, "platform", least=1)
    teams = random.choice(((owner,), (owner, team_of(random, "payments"))))
    covers = tuple(_cover(random, n, at) for n in range(random.randint(0, 3)))
    return House(Catalog(teams={team.name: team for team in teams}), owner.name, at, covers)


def _cover(random: Random, n: int, at: datetime) -> Cover:
    start = at - random.randint(-2, 9) * HOUR
    person, instead_of = random.choice(PEOPLE), random.choice((None, *PEOPLE))
    return Cover(n, "payments", person, instead_of, start, start + 9 * HOUR, person, start)


lives = st.builds(life_of, st.integers(0, 2**32), st.integers(0, 50))


def lived(alert: Alert, acts: list[Happening]) -> Iterator[tuple[Alert, a.Action, datetime, Outcome]]:
    """Each act with the alert before it and what came of it; ends where the key goes to another alert."""
    now = NOON
    for act in acts:
        next_due = due(alert) if act.waits else None
        now = max(now + act.gap, next_due.at) if next_due else now + act.gap
        action = act.action
        if isinstance(action, a.SnoozeFor):  # its time counts from now
            action = replace(action, until=now + (action.until - NOON))
        if isinstance(action, a.Hush | a.Fire) and action.snooze:
            until = now + (action.snooze.until - NOON)
            action = replace(action, snooze=replace(action.snooze, until=until))
        outcome = step(alert, action, now)
        yield alert, action, now, outcome
        if isinstance(outcome, Change):
            if outcome.opens:
                return
            alert = outcome.alert
