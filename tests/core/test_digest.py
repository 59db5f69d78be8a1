"""A team's digest: over which time it is, and what stands in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Acknowledge, Comment, Resolve, SnoozeFor, Unknown
from bot.core.alert import Alert, Disposition, Lane
from bot.core.digest import Digest, Span, digest, span_before
from sensors.model.policy import Severity
from sensors.model.team import Member, Rotation, Targets, Team
from tests.core.making import ANA, BO, DAY, HOUR, MINUTE, NOON, after, conditions, fire, opened

NINE = NOON.replace(hour=9)  # a Monday
TRUE = Disposition.true_positive
YESTERDAY = Span(NINE - DAY, NINE)
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata")


def team(timezone: str = "UTC", handoff: time = time(9)) -> Team:
    return Team(
        "payments",
        "C0PAYMENTS",
        "C0REVIEW",
        (Member("ana", ANA),),
        rotation=Rotation((), timezone=timezone, handoff=handoff),
    )


def alert(number: int, at: datetime, **fields: object) -> Alert:
    return replace(opened(fire(**fields), at), id=number)


def of(*alerts: Alert, span: Span = YESTERDAY, targets: Targets | None = None) -> Digest:
    """Whoever acknowledged or resolved was the first to be on it."""
    on_it = {a.id: at for a in alerts if (at := a.acknowledged_at or (a.resolved_by and a.resolved_at))}
    here = replace(team(), targets=targets or Targets())
    return digest(here, span, standing=[a for a in alerts if a.is_open], moved=alerts, answered=on_it)


def test_a_mondays_is_the_weeks_and_any_other_the_days() -> None:
    assert span_before(team(), NOON) == Span(NINE - 7 * DAY, NINE, weekly=True)
    assert span_before(team(), NOON + DAY) == Span(NINE, NINE + DAY)
    assert span_before(team(), NINE - MINUTE) == Span(NINE - 2 * DAY, NINE - DAY)
    assert span_before(team(), NINE).until == NINE


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(ZONES),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
)
def test_over_every_change_of_the_clock_each_begins_where_the_last_one_ended(
    now: datetime, zone: str, handoff: time
) -> None:
    here = team(zone, handoff)
    span = span_before(here, now)
    assert span.since < span.until <= now < span.until + timedelta(hours=49)
    if not span.weekly:
        assert span_before(here, span.until - timedelta(seconds=1)).until == span.since
    assert span_before(here, span.until) == span
    assert span.weekly == (span.until.astimezone(ZoneInfo(zone)).weekday() == 0)


def test_it_counts_what_fired_in_its_time_by_policy_and_what_that_came_to() -> None:
    at = NINE - HOUR
    true = after(alert(1, at), (Resolve(ANA, Disposition.true_positive), at + 10 * MINUTE))
    false = after(
        alert(2, at, severity=Severity.high), (Resolve(BO, Disposition.false_positive), at + 30 * MINUTE)
    )
    other = alert(3, at, policy="payments.other")
    early, late = alert(4, NINE - 2 * DAY), alert(5, NINE)
    found = of(true, false, other, early, late)
    assert [(f.policy, f.opened, f.right, f.wrong, f.severe) for f in found.fired] == [
        ("payments.refund_spike", 2, 1, 1, 1),
        ("payments.other", 1, 0, 0, 0),
    ]
    assert found.called == {Disposition.true_positive: 1, Disposition.false_positive: 1}
    assert (found.to_resolve.middle, found.to_resolve.n) == (timedelta(minutes=20), 2)
    assert found.to_resolve.judged == 0  # without a target
    assert found.opened == 3
    assert [a.id for a in found.open] == [3, 4]  # what came at nine is the next one's


def test_what_was_resolved_in_its_time_counts_whenever_it_had_opened_and_by_people_only() -> None:
    old = after(alert(1, NINE - 3 * DAY), (Resolve(ANA, Disposition.benign), NINE - HOUR))
    gone = replace(old, id=2, resolved_by=None, disposition=None)
    found = of(old, gone)
    assert (found.called, found.opened) == ({Disposition.benign: 1}, 0)
    assert found.to_resolve.middle == 3 * DAY - HOUR


def test_it_says_what_nobody_has_what_sleeps_and_what_is_not_known() -> None:
    at = NINE - HOUR
    mine = after(alert(1, at), (Acknowledge(ANA), at + 5 * MINUTE))
    asleep = after(alert(2, at), (SnoozeFor(BO, NINE + HOUR), at))
    unknown = after(alert(3, at, terms=conditions()), (Unknown("no data"), at))
    found = of(mine, asleep, unknown)
    assert [a.id for a in found.unowned] == [3]
    assert [a.id for a in found.snoozes] == [2]
    assert [a.id for a in found.late] == [3]
    assert found.to_acknowledge.middle == timedelta(minutes=5)


def test_what_pages_nobody_is_not_open_to_a_team_but_waits_for_a_verdict() -> None:
    quiet = alert(1, NINE - 5 * DAY, lane=Lane.shadow)
    taken = after(alert(2, NINE - HOUR, lane=Lane.historical), (Acknowledge(ANA), NINE - HOUR))
    found = of(quiet, taken, after(alert(3, NINE - HOUR, lane=Lane.shadow), (Comment(ANA, "x"), NINE)))
    assert (found.open, found.fired) == ((), ())
    assert [a.id for a in found.quiet] == [1, 3]
    assert not found.is_empty


def test_a_week_is_drawn_by_its_days_and_nothing_is_nothing() -> None:
    week = Span(NINE - 7 * DAY, NINE, weekly=True)
    alerts = [alert(n, NINE - n * DAY + HOUR) for n in (1, 1, 3, 7)]
    assert of(*alerts, span=week).week.by_day == (1, 0, 0, 0, 1, 0, 2)
    assert of(*alerts).week == of(*alerts, span=week).week  # a day's digest has it, too
    assert of().is_empty
    assert of().week.by_day == (0,) * 7


def test_people_are_measured_against_what_their_team_means_to_reach() -> None:
    at, targets = (
        NINE - 3 * HOUR,
        Targets(dict.fromkeys(Severity, 15 * MINUTE), dict.fromkeys(Severity, HOUR)),
    )
    soon = after(alert(1, at), (Acknowledge(ANA), at + 9 * MINUTE), (Resolve(ANA, TRUE), at + 2 * HOUR))
    at_once = after(alert(2, at), (Resolve(BO, TRUE), at + 10 * MINUTE))
    late = after(alert(3, at), (Acknowledge(ANA), at + 16 * MINUTE))
    nobody, fresh = alert(4, at), alert(5, NINE - 14 * MINUTE)
    gone = replace(at_once, id=6, resolved_by=None, disposition=None)  # the data closed it: no one's merit
    found = of(soon, at_once, late, nobody, fresh, gone, targets=targets)
    on_it = found.to_acknowledge
    assert (on_it.in_time, on_it.judged, on_it.past) == (2, 4, 1)
    assert (on_it.middle, on_it.n, on_it.target) == (10 * MINUTE, 3, 15 * MINUTE)
    done = found.to_resolve
    assert (done.in_time, done.judged, done.past, done.n) == (1, 4, 2, 2)


def test_the_noisiest_is_the_one_with_most_false_positives_not_with_most_alerts() -> None:
    at = NINE - HOUR
    false = [
        after(alert(n, at, policy="payments.b"), (Resolve(ANA, Disposition.false_positive), at + MINUTE))
        for n in (1, 2)
    ]
    found = of(*false, *(alert(n, at, policy="payments.a") for n in range(3, 9)))
    assert found.noisiest
    assert (found.noisiest.policy, found.noisiest.wrong) == ("payments.b", 2)
    assert of(*false[:1]).noisiest is None


def test_a_day_on_which_clocks_change_is_one_day() -> None:
    here = team("America/New_York")
    spring = span_before(here, datetime(2026, 3, 8, 20, tzinfo=UTC))  # a Sunday of 23 hours
    assert spring.until - spring.since == 23 * HOUR
    found = digest(here, spring, standing=[], moved=[alert(1, spring.until - MINUTE)], answered={})
    assert found.week.by_day == (0, 0, 0, 0, 0, 0, 1)


def test_it_begins_when_the_shift_does() -> None:
    evening = span_before(team(handoff=time(17, 30)), NOON)
    assert (evening.since, evening.until) == (NINE - 2 * DAY + 8.5 * HOUR, NINE - DAY + 8.5 * HOUR)
    berlin = span_before(team("Europe/Berlin", time(8)), NOON)
    assert f"{berlin.until.astimezone(ZoneInfo('Europe/Berlin')):%H:%M}" == "08:00"
    assert span_before(replace(team(), rotation=None), NOON).until == NINE
