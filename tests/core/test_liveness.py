"""No open alert is forgotten: whatever happens to it, it is due to somebody, and what is due goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Acknowledge, Action, Assign, JobDecided, SnoozeFor, Timer, Unacknowledge
from bot.core.alert import Alert, Lane, Work, due
from bot.core.change import Change
from bot.core.ladder import PAGES
from bot.core.step import step
from tests.core.acting import Happening, Life, house_of, ladder_of, life_of, lived, lives
from tests.core.making import ANA, BO, MINUTE, NOON, after, done, events, fire, opened, told

LATE = st.integers(0, 48).map(lambda n: n * n * MINUTE)


def ended(alert: Alert, acts: list[Happening]) -> tuple[Alert, datetime]:
    """The alert at the end of all that happened to it, and when that was."""
    now = NOON
    for _, _, at, outcome in lived(alert, acts):
        now = at
        if isinstance(outcome, Change) and not outcome.opens:
            alert = outcome.alert
    return alert, now


def attended(alert: Alert, at: datetime) -> Change:
    """What the timer does that is due: it moves the alert on, or tells somebody."""
    outcome = step(alert, Timer(), at)
    assert isinstance(outcome, Change), (alert, outcome)
    was, now_due = due(alert), due(outcome.alert)
    assert was is not None
    later = now_due is not None and now_due.at > was.at
    assert later or told(outcome), (alert, outcome)
    return outcome


@given(lives)
def test_an_alert_is_due_exactly_as_long_as_it_is_open(life: Life) -> None:
    alert, acts = life
    states = [alert, *(o.alert for _, _, _, o in lived(alert, acts) if isinstance(o, Change))]
    for state in states:
        next_due = due(state)
        assert (next_due is not None) is state.is_open
        if next_due:
            assert next_due.at.tzinfo is not None
            assert next_due.to
            assert next_due.why


def test_a_life_may_hold_everything_that_can_happen() -> None:
    acts = [act.action for seed in range(40) for act in life_of(seed, 50)[1]]
    assert {type(act) for act in acts} == set(Action.__args__)


@given(lives, st.integers(0, 2**32))
def test_it_is_due_to_people_whatever_becomes_of_teams_turns_and_covers(life: Life, seed: int) -> None:
    """The files change and people stand in for each other between any two acts; orders to policies leave
    what is open alone. Somebody is in the team that answers for Patrol, as `check` wants it."""
    alert, acts = life
    random = Random(seed)
    for before, _, now, outcome in lived(alert, acts):
        state = outcome.alert if isinstance(outcome, Change) else before
        next_due = due(state)
        if next_due:
            assert house_of(random, now).people(next_due.to, state), (next_due, now)
            assert house_of(random, next_due.at).people(next_due.to, state), next_due


@given(lives, LATE)
def test_what_is_due_moves_the_alert_on_or_tells_somebody(life: Life, late: timedelta) -> None:
    alert, now = ended(*life)
    if next_due := due(alert):
        attended(alert, max(next_due.at, now) + late)
        attended(alert, next_due.at)


@given(lives)
def test_a_timer_that_comes_early_or_twice_does_nothing(life: Life) -> None:
    alert, _ = ended(*life)
    next_due = due(alert)
    early = (next_due.at if next_due else NOON) - timedelta(microseconds=1)
    assert not isinstance(step(alert, Timer(), early), Change)


@given(lives, st.lists(LATE, min_size=30, max_size=30))
def test_repeated_timers_never_get_stuck_and_never_spin(life: Life, late: list[timedelta]) -> None:
    alert, now = ended(*life)
    if not alert.is_open:
        return
    seen = 0
    for delay in late:
        next_due = due(alert)
        assert next_due is not None
        if next_due.at > now:
            seen = 0
        seen += 1
        assert seen <= 5, "five timers at one moment"  # the snooze, the reminder, its end, the page, and on
        now = max(next_due.at, now) + (delay if seen == 1 else timedelta())
        alert = attended(alert, now).alert


@given(lives)
def test_a_live_alert_is_paged_again_and_again_until_it_is_worked_on(life: Life) -> None:
    alert, now = ended(*life)
    if not alert.is_open or alert.lane is not Lane.live:
        return
    pages: list[tuple[datetime, str | None]] = []
    for _ in range(4 + 3 + len(alert.terms.ladder)):
        next_due = due(alert)
        assert next_due is not None
        now = max(next_due.at, now)
        change = attended(alert, now)
        pages += [(now, e.to) for e in change.effects if e.kind in PAGES]
        alert = change.alert
    assert len(pages) >= 3, "snooze, reminder and end of an acknowledgement, then only pages"
    steps = [s.after for s in alert.terms.ladder]
    longest = max([MINUTE, alert.terms.repeat_interval, *(b - a for a, b in pairwise(steps))])
    assert all(b - a <= longest for (a, _), (b, _) in pairwise(pages))
    assert alert.step <= len(steps)
    assert pages[-1][1] == "lead" or len(pages) < len(steps) + 1


@given(st.integers(0, 999), st.integers(0, 300))
def test_past_its_end_the_ladder_goes_on_with_the_lead(seed: int, interval: int) -> None:
    steps = ladder_of(Random(seed))
    alert = opened(fire(terms=events(ladder=steps, repeat_interval=interval * MINUTE)))
    whom = []
    for _ in range(len(steps) + 3):
        next_due = due(alert)
        assert next_due is not None
        change = attended(alert, next_due.at)
        whom += told(change)
        alert = change.alert
    by_the_card = 1 if steps and not steps[0].after else 0
    rest = [one.to for one in steps[by_the_card:]]
    assert whom[: len(rest)] == rest
    assert set(whom[len(rest) :]) == {"lead"}


@given(lives)
def test_pages_go_to_live_alerts_only(life: Life) -> None:
    alert, acts = life
    for before, action, _, outcome in lived(alert, acts):
        if before.lane is not Lane.live and isinstance(outcome, Change):
            pages = [e for e in outcome.effects if e.kind in PAGES]
            assert not pages, action
            if not isinstance(action, Assign | Unacknowledge | JobDecided):  # of one to another
                assert told(outcome) == [], action


def test_a_run_out_acknowledgement_pages_the_current_person_on_call_at_once() -> None:
    alert = after(opened(), Acknowledge(ANA))
    reminded = after(alert, (Timer(), NOON + timedelta(minutes=192)))
    change = done(reminded, Timer(), NOON + timedelta(hours=4))
    assert change.alert.work is Work.open
    assert change.alert.owner is None
    assert told(change) == ["oncall"]
    assert due(change.alert) is not None


def test_those_who_were_also_on_it_are_off_it_when_the_acknowledgement_runs_out() -> None:
    alert = after(opened(), Acknowledge(ANA), Acknowledge(BO))
    over = after(alert, (Timer(), NOON + timedelta(minutes=192)), (Timer(), NOON + timedelta(hours=4)))
    assert over.helpers == ()


def test_a_snooze_of_an_alert_that_pages_nobody_ends_too() -> None:
    quiet = opened(fire(lane=Lane.shadow))
    snoozed = after(quiet, SnoozeFor(ANA, NOON + timedelta(hours=1)))
    next_due = due(snoozed)
    assert next_due is not None
    assert next_due.at == NOON + timedelta(hours=1)
    woken = done(snoozed, Timer(), next_due.at)
    assert woken.alert.snooze is None
    assert told(woken) == []


def test_an_acknowledgement_of_an_alert_that_pages_nobody_runs_out_too() -> None:
    alert = after(opened(fire(lane=Lane.shadow)), Acknowledge(ANA))
    next_due = due(alert)
    assert next_due is not None
    assert next_due.at == NOON + timedelta(hours=4)
    over = done(alert, Timer(), next_due.at)
    assert over.alert.work is Work.open
    assert told(over) == []
