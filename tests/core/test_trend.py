"""Alerts by day: none is lost, none is counted twice, and what is said is what is drawn."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.core.alert import Disposition
from bot.core.trend import NO_TREND, Day, Opened, Trend, came_to, in_words, trend

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata")
NOW = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
AGO = st.timedeltas(timedelta(), timedelta(days=40))
ALERTS = st.lists(
    st.tuples(AGO, st.one_of(st.none(), st.sampled_from(Disposition)), st.booleans()), max_size=20
)
BEGINS = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(NOW, ALERTS, st.sampled_from(ZONES), BEGINS, st.sampled_from([1, 7, 30]))
def test_every_alert_of_these_days_stands_on_one_of_them(
    now: datetime,
    said: list[tuple[timedelta, Disposition | None, bool]],
    zone: str,
    begins: time,
    days: int,
) -> None:
    alerts = [Opened(now - ago, what, is_open) for ago, what, is_open in said]
    found = trend(alerts, now, days, ZoneInfo(zone), begins)
    assert len(found.days) == days
    lately = sum(now - alert.at < timedelta(days=days - 1) - timedelta(hours=2) for alert in alerts)
    at_most = sum(now - alert.at <= timedelta(days=days) + timedelta(hours=2) for alert in alerts)
    assert lately <= sum(found.by_day) <= at_most
    assert found.total.total == sum(found.by_day)
    assert sum(found.called.values()) == found.total.total - found.total.unjudged
    assert found.total.right == found.called.get(Disposition.true_positive, 0)
    assert found.total.wrong == found.called.get(Disposition.false_positive, 0)
    assert found.open <= found.total.total


def test_a_day_begins_when_the_team_s_does_and_the_last_is_today() -> None:
    berlin, nine = ZoneInfo("Europe/Berlin"), time(9)
    now = datetime(2026, 3, 30, 8, tzinfo=UTC)  # a Monday, 10 o'clock; the clocks went forward on Sunday
    early, late = datetime(2026, 3, 30, 6, 59, tzinfo=UTC), datetime(2026, 3, 30, 7, tzinfo=UTC)
    found = trend([Opened(early), Opened(late)], now, 3, berlin, nine)
    assert (found.first, found.by_day) == (date(2026, 3, 28), (0, 1, 1))


def test_what_it_shows_is_said_in_words() -> None:
    found = Trend(date(2026, 11, 1), (Day(), Day(2, 1, 0, 1), Day(1, 0, 1)))
    assert in_words(found) == (
        "6 alerts in 3 days from 1 November: at most 4 on one (2 November), 2 on the last, 3 November."
        " 3 right, 1 false positive, 1 judged otherwise, 1 not judged yet."
    )
    assert came_to(Trend(date(2026, 11, 1), (Day(0, 2),))) == "2 false positives"
    assert in_words(Trend(date(2026, 11, 1), (Day(),) * 30)) == "No alert in 30 days."
    busiest_last = Trend(date(2026, 11, 1), (Day(1), Day(2)))
    assert in_words(busiest_last) == "3 alerts in 2 days from 1 November: 2 on the last, 2 November. 3 right."
    assert NO_TREND.total == Day()
