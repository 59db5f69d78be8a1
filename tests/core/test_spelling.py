"""Whatever has a spelling is read from it as it was: parse(format(x)) = x."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.core.command import DAYS, Command, parse
from bot.core.entities import POLICY, target_of
from bot.core.snooze import Scope, Target
from bot.core.trail import Head
from bot.core.verbs import SAME_AS, VERBS, Verb
from bot.core.verdict import CAUSES, VERDICTS
from sensors.file_schema import written
from sensors.model.asset import Entity
from sensors.model.catalog import Catalog
from sensors.model.clock import parse_duration
from sensors.model.run import Cause, CauseKind
from tests.core.looking import policy

SPANS = st.builds(
    lambda n, unit: n * unit,
    st.integers(1, 500),
    st.sampled_from(
        [timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(7)]
    ),
)
ORDINARY = st.sampled_from(["because", "the", "bank", "knows", "—", "50%", "é", "a=b", "x:y", "<@UBO>", "'"])
NOTE = st.lists(ORDINARY, max_size=4).map(" ".join)
NUMBER = st.integers(1, 10**9 - 1)
TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
Part = tuple[str, dict[str, Any]]  # as it is typed, and what is meant


def part(text: str, **meant: Any) -> Part:
    return text, meant


def several(numbers: list[int], how: str, between: str) -> Part:
    return part(between.join(f"{how}{n}" for n in numbers), alerts=tuple(numbers), links=())


def instead(one: Part) -> Part:
    """Named in the place of alerts."""
    text, meant = one
    return text, meant | {"alerts": (), "links": ()}


def resolved(word: str, cause: str) -> Part:
    is_false = VERDICTS[word] is VERDICTS["fp"]
    meant = {"disposition": VERDICTS[word]} | ({"false_cause": CAUSES[cause]} if is_false and cause else {})
    return part(f"{word} {cause}" if is_false and cause else word, **meant)


def until(at: time, day: int | None) -> Part:
    if day is None:
        return part(f"until:{at:%H:%M}", until=at)
    return part(f"until:{DAYS[day]}:{at:%H:%M}", until=at, weekday=day)


alerts = st.builds(
    several,
    st.lists(NUMBER, min_size=1, max_size=4, unique=True),
    st.sampled_from(["", "#", "ALR-", "alr–"]),
    st.sampled_from([" ", ",", ", "]),
)
links = st.integers(10**15, 10**16 - 1).map(
    lambda n: part(f"<https://x.slack.com/archives/C1/p{n}>", alerts=(), links=(("C1", _ts(n)),))
)
named = st.sampled_from(["payments.refund_spike", "chat.x"]).map(lambda name: part(name, name=name))
entity = st.sampled_from(["seller:s_1", "Seller:S_1", "buyer:b:2"]).map(lambda name: part(name, name=name))
lasting = SPANS.map(lambda span: part(written(span), span=span)) | st.builds(
    until, TIMES, st.none() | st.integers(0, 6)
)
PARTS: dict[str, st.SearchStrategy[Part]] = {
    "alerts": alerts | links,
    "target": alerts | named.map(instead),
    "about": alerts | (named | entity).map(instead),
    "name": named,
    "maybe_name": named | st.just(part("")),
    "names": st.lists(st.sampled_from(["payments.x", "core.orders", "job:dbt"]), min_size=1, unique=True).map(
        lambda found: part(" ".join(found), names=tuple(found))
    ),
    "past": st.builds(
        lambda said, how: part(f"{said} {' '.join(how)}", past=said, **dict.fromkeys(how, True)),
        st.sampled_from(["7d", "30d..7d", "2026-11-01..2026-11-08", "2026-11-01T08:00Z..now", "3d 1d"]),
        st.sampled_from([(), ("chain",), ("again",), ("chain", "again")]),
    ),
    "approval": NUMBER.map(lambda n: part(f"APR-{n}", approval=n)),
    "job_run": NUMBER.map(lambda n: part(f"run-{n}", job_run=n)) | named,
    "person": st.sampled_from([part("<@UBO|bo>", person="UBO"), part("@Bo", person="bo")]),
    "span": lasting,
    "maybe_span": lasting | st.just(part("")),
    "interval": SPANS.map(lambda span: part(written(span), interval=span)),
    "disposition": st.builds(resolved, st.sampled_from([*VERDICTS]), st.sampled_from(["", *CAUSES])),
    "params": st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "s_1", "a=b"])).map(
        lambda params: part(
            " ".join(f"{n}={v}" for n, v in params.items()), params=params, alerts=(), links=()
        )
    ),
    "filters": st.dictionaries(st.sampled_from(["mine", "team", "a"]), st.sampled_from(["", "x"])).map(
        lambda found: part(" ".join(f"{n}:{v}" if v else n for n, v in found.items()), filters=found)
    ),
    "words": NOTE.map(lambda note: part(note, words=note)),
}


def _ts(n: int) -> str:
    return f"{str(n)[:10]}.{str(n)[10:]}"


@st.composite
def commands(draw: Callable[..., Any]) -> tuple[str, Command]:
    """A line as somebody might type it, and the command that it is."""
    verb: Verb = draw(st.sampled_from(VERBS))
    words = {one for one, name in SAME_AS.items() if name == verb.name} | {verb.name, verb.name.upper()}
    typed, meant = [draw(st.sampled_from(sorted(words)))], {}
    for take in verb.takes:
        text, means = draw(PARTS[take])
        typed.append(text)
        meant |= means
    return " ".join(word for word in typed if word), Command(verb.name, **meant)


@given(commands())
def test_a_command_is_read_as_it_was_meant(one: tuple[str, Command]) -> None:
    line, command = one
    assert parse(line) == command


def test_every_part_of_a_command_has_its_spelling() -> None:
    assert {take for verb in VERBS for take in verb.takes} == set(PARTS)


@given(SPANS)
def test_a_duration_is_read_as_files_say_it(span: timedelta) -> None:
    assert parse_duration(written(span)) == span


KINDS = {kind: Entity(kind, f"{kind}_id", "https://a.example/{id}") for kind in ("seller", "buyer")}
HOUSE = Catalog({name: policy(name=name) for name in ("payments.x", "seller.x")}, entities=KINDS)


@given(
    st.sampled_from([*HOUSE.policies]).map(lambda name: Target(Scope.policy, name))
    | st.builds(
        lambda kind, value: Target(Scope.entity, f"{kind}:{value}"),
        st.sampled_from([*KINDS]),
        st.text("aZ09_-", min_size=1, max_size=20),
    )
)
def test_what_is_snoozed_is_read_as_it_is_named(target: Target) -> None:
    assert target_of(target.name, HOUSE) == target
    of_policy = target.scope is Scope.policy
    assert not of_policy or target_of(f"{POLICY}{target.name}", HOUSE) == target


@given(st.builds(Head, st.integers(1, 10**9), st.text("09af", min_size=8, max_size=64)))
def test_a_seal_is_read_as_it_is_noted_down(head: Head) -> None:
    assert Head.read(f"{head.number}:{head.hash}") == head


@given(st.sampled_from(CauseKind), st.text(max_size=20))
def test_why_a_policy_was_run_is_read_as_it_is_kept(kind: CauseKind, detail: str) -> None:
    cause = Cause(kind, detail)
    assert Cause.parse(str(cause)) == cause
