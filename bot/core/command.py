"""What people type after `/patrol`, read by the table of verbs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches

from bot.core.alert import Disposition, FalseCause
from bot.core.past import between
from bot.core.verbs import BY_NAME, SAME_AS, Verb
from bot.core.verdict import CAUSES, VERDICTS, WORDS, bare, near_cause
from sensors.model.clock import parse_duration


@dataclass(frozen=True)
class Command:
    """A verb with what was said. `links` are pasted messages as (channel, ts); a bare verb has no targets."""

    verb: str
    alerts: tuple[int, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    name: str = ""  # of a policy, a job or another target
    person: str = ""  # Slack id, or a name to look up
    span: timedelta | None = None
    until: time | None = None
    weekday: int | None = None  # of `until:fri`; Monday is 0
    interval: timedelta | None = None  # of `every`
    disposition: Disposition | None = None
    false_cause: FalseCause | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    words: str = ""
    approval: int = 0
    names: tuple[str, ...] = ()  # of policies or tables, in order
    past: str = ""  # which time, as `past.between` reads it
    chain: bool = False  # with what hangs on them
    again: bool = False  # also what was looked at before
    job_run: int = 0

    def ends(self, now: datetime) -> datetime | None:
        """When the span is over, or the next such time of day or weekday has come, by the clock of `now`.

        An hour that a clock change repeats is the next of the two; of one that it leaves out, an hour later.
        """
        if self.span:
            return (now.astimezone(UTC) + self.span).astimezone(now.tzinfo)
        if self.until is None and self.weekday is None:
            return None
        apart, first = (1, 0) if self.weekday is None else (7, (self.weekday - now.weekday()) % 7)
        days = (now.date() + timedelta(days=first + apart * n) for n in range(2))
        walls = [datetime.combine(day, self.until or time(), tzinfo=now.tzinfo) for day in days]
        moments = (moment for wall in walls for moment in _moments(wall))
        return next(moment for moment in moments if moment > now.astimezone(UTC)).astimezone(now.tzinfo)


def _moments(wall: datetime) -> list[datetime]:
    """When the clock on the wall shows this, in UTC: twice in the hour that a change repeats."""
    found = [wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [
        at for at in found if at.astimezone(wall.tzinfo).replace(tzinfo=None) == wall.replace(tzinfo=None)
    ]
    return list(dict.fromkeys(shown)) or found[:1]


@dataclass(frozen=True)
class Mistake:
    """What was not understood, and the nearest thing that would be."""

    what: str
    hint: str


DASHES = re.compile(r"[‐‑‒–—―−]")
ALERT = re.compile(r"(?:alr-|#)?(\d{1,9})", re.IGNORECASE)
ALERTS = re.compile(rf"{ALERT.pattern}(?:,{ALERT.pattern})*,?", re.IGNORECASE)
JOB_RUN = re.compile(r"(?:run-|#)?(\d{1,9})", re.IGNORECASE)
APPROVAL = re.compile(r"(?:apr-|#)?(\d{1,9})", re.IGNORECASE)
LINK = re.compile(r"<?https?://\S+?/archives/([CDG][A-Z0-9]+)/p(\d{10})(\d{6})\S*")
PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|@([\w.-]+)")
TARGET = re.compile(r"`?(?!\d+$)[^\s`]*[.:][^\s`]+`?")  # seller:s_1, payments.x
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNTIL = re.compile(
    rf"until:(?:(?P<day>{'|'.join(DAYS)})[a-z]*(?::(?=\d))?)?(?P<time>\d{{1,2}}(?::\d{{2}})?)?", re.IGNORECASE
)
TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?$")
UNITS = ("m", "min", "minutes", "h", "hour", "hours", "d", "day", "days")
PAST = re.compile(r"\d|now$|now\.|\.\.|…|‥")  # how a time in the past begins
TO = ("to", "until", "-")  # between two times
EVER = datetime(2000, 1, 1, tzinfo=UTC)  # to see whether a time can be read
SINCE = "say 7d, 30d..7d or 2026-11-01..2026-11-08"
LASTS = "say 30m, 2h, 1d, until:18:00 or until:fri"


def time_of_day(text: str) -> time | None:
    """`18`, `18:30`; None where it is no time of day."""
    found = TIME.match(text)
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (24, 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def parse(text: str) -> Command | Mistake:
    """The command in `text` (without `/patrol`), or what is wrong with it. Never raises."""
    words = text.replace("\u00a0", " ").split()
    if not words:
        return Command("help")
    said = DASHES.sub("-", words[0]).lower().lstrip("/")
    verb = BY_NAME.get(SAME_AS.get(said, said))
    if verb is None:
        return _no_such_verb(said)
    return _Reader(verb, words[1:]).read()


def _no_such_verb(said: str) -> Mistake:
    near = get_close_matches(said, [*BY_NAME, *SAME_AS], n=1)
    return Mistake(f"There is no `{said[:40]}`.", f"Did you mean `{near[0]}`?" if near else "Try `help`.")


class _Reader:
    """Reads the words of one verb from left to right, as its `takes` says. Notes keep their dashes."""

    def __init__(self, verb: Verb, words: list[str]) -> None:
        self.verb = verb
        self.as_typed = words
        self.words = [DASHES.sub("-", word).replace("․", ".") for word in words]  # as answers write names
        self.found: dict[str, object] = {}

    def read(self) -> Command | Mistake:
        for part in self.verb.takes:
            mistake = getattr(self, f"_{part}")()
            if mistake:
                return Mistake(mistake, f"Write it so: `{self.verb.usage}`")
        if self.words:
            return Mistake(f"`{' '.join(self.words)[:60]}` is too much.", f"Write it so: `{self.verb.usage}`")
        return Command(self.verb.name, **self.found)  # type: ignore[arg-type]  # each part sets its own field

    def _alerts(self) -> str | None:
        alerts: list[int] = []
        links: list[tuple[str, str]] = []
        while self.words:
            if ALERTS.fullmatch(self.words[0]):
                alerts += [int(number) for number in ALERT.findall(self.words[0])]
            elif link := LINK.match(self.words[0]):
                links.append((link[1], f"{link[2]}.{link[3]}"))
            else:
                break
            self.words.pop(0)
        self.found |= {"alerts": tuple(dict.fromkeys(alerts)), "links": tuple(dict.fromkeys(links))}
        return None

    def _approval(self) -> str | None:
        number = APPROVAL.fullmatch(self.words[0]) if self.words else None
        if number is None:
            return "Which one? `approvals` shows what waits."
        self.words.pop(0)
        self.found["approval"] = int(number[1])
        return None

    def _job_run(self) -> str | None:
        """The number of a run, or the name of a job."""
        if not self.words:
            return "Which run? `job rescore_seller` shows those of a job."
        word = self.words.pop(0).strip("`").lower()
        number = JOB_RUN.fullmatch(word)
        if number is None:
            self.found["name"] = word.removeprefix("job:")
        else:
            self.found["job_run"] = int(number[1])
        return None

    def _target(self) -> str | None:
        self._alerts()
        if not self.found["alerts"] and not self.found["links"] and self.words:
            word = self.words.pop(0).strip("`")
            self.found["name"] = word if ":" in word else word.lower()  # ids may have capitals
        return None

    def _about(self) -> str | None:
        """Alerts, or else one entity or policy, as it was typed: ids may have capitals."""
        self._alerts()
        named = not self.found["alerts"] and not self.found["links"] and self.words
        if named and TARGET.fullmatch(self.words[0]) and not UNTIL.fullmatch(self.words[0]):
            self.found["name"] = self.words.pop(0).strip("`")
        return None

    def _name(self) -> str | None:
        if not self.words:
            return "Which one?"
        self.found["name"] = self.words.pop(0).strip("`").lower()
        return None

    def _maybe_name(self) -> str | None:
        return self._name() if self.words else None

    def _person(self) -> str | None:
        person = PERSON.fullmatch(self.words[0]) if self.words else None
        if person is None:
            return "To whom? Name somebody with @."
        self.words.pop(0)
        self.found["person"] = person[1] or person[2].lower()
        return None

    def _span(self) -> str | None:
        if not self.words:
            return f"For how long? {LASTS.capitalize()}."
        if "person" in self.verb.takes and self.words[1:] and PERSON.fullmatch(self.words[0]):
            self.words[:2] = self.words[1::-1]  # `cover @bo 2h`
        said = self.words.pop(0)
        if said.isdigit() and self.words and self.words[0].lower() in UNITS:
            said += self.words.pop(0)[0].lower()
        if said.lower() in ("until", "until:") and self.words:  # a phone's keyboard puts a space there
            said = f"until:{self.words.pop(0)}"
        if said.lower() in UNITS:
            return f"Write the time without a space: 2{said[0].lower()}."
        if (until := UNTIL.fullmatch(said)) and (until["day"] or until["time"]):
            return self._until(said, until)
        span = parse_duration(said)
        if span is None:
            return f"`{said[:40]}` is no duration; {LASTS}."
        self.found["span"] = span
        return None

    def _until(self, said: str, until: re.Match[str]) -> str | None:
        at = time_of_day(until["time"] or "0")
        if at is None:
            return f"`{said}` is no time of day."
        self.found["until"] = at
        if until["day"]:
            self.found["weekday"] = DAYS.index(until["day"].lower())
        return None

    def _maybe_span(self) -> str | None:
        """A time, if one is said."""
        word = self.words[0] if self.words else ""
        spaced = f"until:{self.words[1]}" if word.lower() == "until" and self.words[1:] else word
        return self._span() if UNTIL.fullmatch(spaced) or parse_duration(word) else None

    def _names(self) -> str | None:
        """All before the time; none where nothing is said."""
        names: list[str] = []
        while self.words and not PAST.match(self.words[0]):
            names.append(self.words.pop(0).strip("`,").lower())
        self.found["names"] = tuple(dict.fromkeys(filter(None, names)))
        return "Backfill what? Name a policy, then the time." if self.words and not names else None

    def _past(self) -> str | None:
        """A time of the past, which may be written in several words, and how it is looked at."""
        if not self.words:
            return f"Since when? {SINCE.capitalize()}." if self.found.get("names") else None
        said: list[str] = []
        while self.words and (PAST.match(self.words[0]) or (said and self.words[0].lower() in TO)):
            said.append(self.words.pop(0))
        past = " ".join(".." if word.lower() in TO else word for word in said)
        if between(past, EVER) is None:
            return f"`{past[:60]}` is no time in the past; {SINCE}."
        while self.words and self.words[0].lower() in ("chain", "again"):
            self.found[self.words.pop(0).lower()] = True
        self.found["past"] = past
        near = get_close_matches(self.words[0].lower(), ("chain", "again"), n=1) if self.words else []
        return f"`{self.words[0][:40]}`? Did you mean `{near[0]}`?" if near else None

    def _interval(self) -> str | None:
        interval = parse_duration(self.words.pop(0)) if self.words else None
        if interval is None:
            return "How often? Say 5m, 1h or 1d."
        self.found["interval"] = interval
        return None

    def _disposition(self) -> str | None:
        said = self.words.pop(0).lower() if self.words else ""
        if said not in VERDICTS:
            near = get_close_matches(said, VERDICTS, n=1)
            wrong = f"`{said[:40]}` is no verdict{f'; did you mean `{near[0]}`?' if near else '.'} "
            return f"{wrong if said else ''}What was it? One of {WORDS}."
        self.found["disposition"] = VERDICTS[said]
        if VERDICTS[said] is Disposition.false_positive and self.words:
            return self._cause(self.words[0])
        return None

    def _cause(self, said: str) -> str | None:
        """Why it was one, if that is said: a slip of the hand is not taken for the beginning of a note."""
        near = near_cause(said)
        if near is None:
            return None
        if bare(said) not in CAUSES:
            return f"`{said[:40]}` is no cause; did you mean `{near}`? A note begins with another word."
        self.words.pop(0)
        self.found["false_cause"] = CAUSES[near]
        return None

    def _params(self) -> str | None:
        self._alerts()
        params: dict[str, str] = {}
        for word in self.words:
            name, equals, value = word.partition("=")
            if not (name and equals):
                return f"`{word[:40]}` is no parameter; write name=value."
            params[name.lower()] = value
        self.words = []
        self.found["params"] = params
        return None

    def _filters(self) -> str | None:
        filters: dict[str, str] = {}
        for word in self.words:
            name, colon, value = word.partition(":")
            filters[name.lower()] = value.lower() if colon else ""
        self.words = []
        self.found["filters"] = filters
        return None

    def _words(self) -> str | None:
        self.found["words"] = " ".join(self.as_typed[len(self.as_typed) - len(self.words) :])
        self.words = []
        return None
