"""The shapes of who is on call when: rotation, hours and overrides of a team."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from sensors.files import SPAN, Door, Duration, Schema, Text, shown, timezones, wrong
from sensors.model.clock import exists, instant, parse_duration, parse_wall, say_duration
from sensors.model.team import NINE, NOBODY, Hours, Override, Pager, Rotation
from sensors.near import near

TURNS = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=366)  # of a turn
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_CALL = timedelta(minutes=1)
CLOCK = r"^([01]?\d|2[0-3]):[0-5]\d$"


def _turn(value: Any) -> timedelta:
    span = TURNS.get(value) or parse_duration(value) if isinstance(value, str) else None
    if span is None:
        raise wrong(f"must be daily, weekly or a duration such as 12h or 14d, not {shown(value)}")
    if not SHORTEST <= span <= LONGEST:
        raise wrong(f"must be from {say_duration(SHORTEST)} to {say_duration(LONGEST)}, not {shown(value)}")
    return span


def _wall(value: Any) -> datetime:
    at = parse_wall(value) if isinstance(value, str) else None
    if at is None or not 1970 < at.year < 9000:
        raise wrong(f"must be a time such as 2026-01-05T09:00, not {shown(value)}")
    return at


def _o_clock(value: Any) -> time:
    if not isinstance(value, str) or not re.fullmatch(CLOCK, value, re.ASCII):
        raise wrong(f"must be a time of day such as 09:00, not {shown(value)}")
    hour, _, minute = value.partition(":")
    return time(int(hour), int(minute))


def _days(value: Any) -> frozenset[int]:
    """`mon-fri`, or a list of such."""
    parts = value if isinstance(value, list) else [value]
    if not parts:
        raise wrong("must name at least one day, such as mon-fri")
    return frozenset(day for part in parts for day in _span_of_days(part))


def _span_of_days(part: Any) -> list[int]:
    ends = part.strip().lower().split("-") if isinstance(part, str) else []
    for day in ends:
        if day not in DAYS:
            raise wrong(f"must be days such as mon-fri or [sat, sun], not {shown(part)}{near(day, DAYS)}")
    if not 1 <= len(ends) <= 2:
        raise wrong(f"must be days such as mon-fri or [sat, sun], not {shown(part)}")
    first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
    return [(first + n) % 7 for n in range((last - first) % 7 + 1)]


TURN_SCHEMA = {
    "anyOf": [{"enum": list(TURNS)}, {"type": "string", "pattern": SPAN}],
    "examples": ["daily", "weekly", "12h", "14d"],
}
DAYS_SCHEMA = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
    "examples": ["mon-fri", ["sat", "sun"]],
}
Turn = Annotated[timedelta, BeforeValidator(_turn), Schema(TURN_SCHEMA)]
Wall = Annotated[Any, BeforeValidator(_wall), Schema({"type": "string", "examples": ["2026-01-05T09:00"]})]
Clock = Annotated[
    Any, BeforeValidator(_o_clock), Schema({"type": "string", "pattern": CLOCK, "examples": ["09:00"]})
]
Days = Annotated[Any, BeforeValidator(_days), Schema(DAYS_SCHEMA)]


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """What was written, as a moment; without a zone it is that of the rotation."""
    return wall.astimezone(UTC) if wall.tzinfo else instant(wall, zone)


class RotationFile(Door):
    members: Annotated[list[Text], Field(min_length=1)] | None = Field(
        default=None, description="Who takes turns, in this order; default: all members"
    )
    length: Turn = Field(default=timedelta(days=7), description="How long a turn is: daily, weekly, 12h, 14d")
    anchor: Wall | None = Field(
        default=None, description="When a turn of the first began, by the clock of the zone; or `handoff`"
    )
    handoff: Clock | None = Field(
        default=None,
        description="The time of day at which turns begin, counted from a Monday. Default: 09:00",
    )
    timezone: Text = Field(
        default="UTC", description="Whose clock it is: it stays 09:00 in summer and winter"
    )

    @model_validator(mode="after")
    def zone(self) -> RotationFile:
        if self.timezone not in timezones():
            said = f'no time zone "{self.timezone}"{near(self.timezone, timezones())}'
            raise wrong(said, "timezone")
        if self.anchor and self.handoff:
            raise wrong("the anchor says at which time turns begin; leave out one of the two", "handoff")
        if self.anchor and not self.anchor.tzinfo and not exists(self.anchor, ZoneInfo(self.timezone)):
            raise wrong(f"the clocks of {self.timezone} jump over this time", "anchor")
        return self

    def value(self) -> Rotation:
        return Rotation(
            members=tuple(self.members or ()),
            length=self.length,
            anchor=_moment(self.anchor, ZoneInfo(self.timezone)) if self.anchor else None,
            timezone=self.timezone,
            handoff=self.handoff or NINE,
        )


class HoursFile(Door):
    days: Days = Field(default="mon-fri", validate_default=True, description="On which days: mon-fri")
    start: Clock = Field(alias="from", description="From this time of day, by the clock of the rotation")
    end: Clock = Field(
        alias="to", description="Until this time of day; of the next day where it is not the later"
    )
    outside: Text | None = Field(
        default=None, description="Who is on call at other times: lead, team, a member, or nobody"
    )

    @model_validator(mode="after")
    def no_gap(self) -> HoursFile:
        """That nobody is on call at some time must be meant."""
        if self.outside is None and (gap := self._gap):
            raise wrong(f"nobody is on call {gap}; say outside: lead, team, a member, or nobody")
        return self

    @property
    def _gap(self) -> str:
        """A time at which the hours do not hold, if there is one."""
        if free := [DAYS[n] for n in range(7) if n not in self.days]:
            return f"on {free[0].capitalize()} at noon"
        return f"from {self.end:%H:%M} to {self.start:%H:%M}" if self.start != self.end else ""

    def value(self) -> Hours:
        return Hours(self.days, self.start, self.end, self.outside or NOBODY)


class PagerFile(Door):
    """What it may hold beside is the runner's own to check."""

    url: Text = Field(description="Where the call is posted: an address, or a ${VARIABLE} of the environment")
    headers: dict[str, Text] = Field(
        default_factory=dict, description="Headers of the request; secrets stand as ${VARIABLES}"
    )
    body: Any = Field(
        default=None,
        description="The JSON that is sent, with {alert}, {title}, {severity}, {team}, {policy}, {why}",
    )
    timeout: Duration = Field(default=timedelta(seconds=10), description="How long it may take to answer")

    @model_validator(mode="after")
    def short(self) -> PagerFile:
        if self.timeout > LONGEST_CALL:
            raise wrong(f"must be {say_duration(LONGEST_CALL)} at most", "timeout")
        return self

    def value(self) -> Pager:
        return Pager(self.url, dict(self.headers), self.body, self.timeout)


class OverrideFile(Door):
    member: Text = Field(description="Who is on call then")
    start: Wall = Field(alias="from", description="From when, by the clock of the rotation")
    end: Wall = Field(alias="to", description="Until when")

    @model_validator(mode="after")
    def has_a_length(self) -> OverrideFile:
        if bool(self.start.tzinfo) != bool(self.end.tzinfo):
            raise wrong("write the zone at both times or at neither", "to")
        if self.end <= self.start:
            raise wrong("must be later than from", "to")
        return self

    def value(self, zone: ZoneInfo) -> Override:
        return Override(self.member, _moment(self.start, zone), _moment(self.end, zone))
