"""What people type: any text gets a command or a hint, and help says what parses."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.alert import Disposition, FalseCause
from bot.core.command import DAYS, Command, Mistake, parse
from bot.core.verbs import BY_NAME, SAME_AS, VERBS, Verb
from bot.core.verdict import VERDICTS
from tests.core.making import DAY, HOUR, MINUTE, NOON

TP, FP, THRESHOLD = Disposition.true_positive, Disposition.false_positive, FalseCause.threshold
LINK = "https://x.slack.com/archives/C1/p1767614400000100"
ODD = (
    "142",
    "ALR-7",
    "#9",
    "<@UBO|bo>",
    "@bo",
    "2h",
    "until:25:99",
    "a=b",
    LINK,
    "until:٣",
    "9" * 5000 + "h",
    "x:y",
)
words = st.sampled_from([*BY_NAME, *SAME_AS, *VERDICTS, *ODD, *"`=—٣"])
typed = st.one_of(
    st.text(max_size=60), st.lists(st.one_of(words, st.text(max_size=5)), max_size=7).map(" ".join)
)


def understood(text: str) -> Command:
    command = parse(text)
    assert isinstance(command, Command), command
    return command


def mistaken(text: str) -> Mistake:
    mistake = parse(text)
    assert isinstance(mistake, Mistake), mistake
    return mistake


@example("snooze 1 " + "9" * 5000 + "h")
@given(typed)
def test_any_text_gets_a_command_or_a_hint(text: str) -> None:
    found = parse(text)
    if isinstance(found, Mistake):
        assert found.what
        assert found.hint
        assert len(found.what) < 400
    else:
        assert found.verb in BY_NAME
        found.ends(NOON)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Command("help")),
        ("status", Command("status")),
        ("ack", Command("ack")),
        ("ack 142 143", Command("ack", (142, 143))),
        ("ack 142, 143", Command("ack", (142, 143))),
        ("ack 142,143", Command("ack", (142, 143))),
        ("ack 142 142", Command("ack", (142,))),
        ("ACK alr-142", Command("ack", (142,))),
        ("/ack ALR‑142", Command("ack", (142,))),
        ("Ack ALR—142", Command("ack", (142,))),
        ("acknowledge\u00a0#142", Command("ack", (142,))),
        ("unack 7", Command("unack", (7,))),
        ("take 7", Command("take", (7,))),
        ("assign 142 <@UBO|bo>", Command("assign", (142,), person="UBO")),
        ("assign 142 @Bo", Command("assign", (142,), person="bo")),
        (
            "snooze 142 2h checking with the bank",
            Command("snooze", (142,), span=2 * HOUR, words="checking with the bank"),
        ),
        ("snooze 30m", Command("snooze", span=30 * MINUTE)),
        ("snooze 142 1h30m", Command("snooze", (142,), span=90 * MINUTE)),
        ("snooze 142 until:18:00", Command("snooze", (142,), until=time(18))),
        ("snooze 142 until:9 bank opens", Command("snooze", (142,), until=time(9), words="bank opens")),
        ("resolve 142 tp", Command("resolve", (142,), disposition=TP)),
        (
            "resolve 142 FP Rule the regex is wide",
            Command(
                "resolve", (142,), disposition=FP, false_cause=FalseCause.rule, words="the regex is wide"
            ),
        ),
        ("resolve 142 fp looks fine", Command("resolve", (142,), disposition=FP, words="looks fine")),
        (
            "resolve 142 fp threshold: 5",
            Command("resolve", (142,), disposition=FP, false_cause=THRESHOLD, words="5"),
        ),
        ("resolve 142 fp (rule) so", Command("resolve", (142,), disposition=FP, words="(rule) so")),
        ("snooze 142 until 18:00 bank", Command("snooze", (142,), until=time(18), words="bank")),
        ("snooze 142 until: fri", Command("snooze", (142,), until=time(0), weekday=4)),
        ("pause payments.x until 18:00", Command("pause", name="payments.x", until=time(18))),
        ("pause payments.x until we know", Command("pause", name="payments.x", words="until we know")),
        ("takeover 2 hours", Command("takeover", span=2 * HOUR)),
        ("cover @bo 2h", Command("cover", span=2 * HOUR, person="bo")),
        ("policy payments․x", Command("policy", name="payments.x")),
        ("close 142 benign", Command("resolve", (142,), disposition=Disposition.benign)),
        ("rerun payments.x", Command("rerun", name="payments.x")),
        ("rerun 142", Command("rerun", (142,))),
        ("show `payments.x`", Command("show", name="payments.x")),
        ("start rescore seller_id=s_1", Command("start", name="rescore", params={"seller_id": "s_1"})),
        ("cancel RUN-17 the wrong seller", Command("cancel", job_run=17, words="the wrong seller")),
        ("cancel job:Rescore", Command("cancel", name="rescore")),
        ("retry #17", Command("retry", job_run=17)),
        ("job rescore", Command("job", name="rescore")),
        ("start rescore 142 a=b=c", Command("start", (142,), name="rescore", params={"a": "b=c"})),
        ("list mine severity:HIGH", Command("list", filters={"mine": "", "severity": "high"})),
        ("oncall payments", Command("oncall", filters={"payments": ""})),
        ("help ack", Command("help", filters={"ack": ""})),
        ("?", Command("help")),
        ("comment 142 he paid — twice", Command("comment", (142,), words="he paid — twice")),
    ],
)
def test_what_people_type(text: str, command: Command) -> None:
    assert understood(text) == command


def test_a_pasted_link_is_an_alert() -> None:
    link = "https://acme.slack.com/archives/C0PAY/p1767614400000100?thread_ts=1767614400.000100&cid=C0PAY"
    assert understood(f"ack {link}").links == (("C0PAY", "1767614400.000100"),)
    assert understood(f"ack <{link}>").links == (("C0PAY", "1767614400.000100"),)
    assert understood("show https://acme.slack.com/archives/C0PAY/p1767614400000100 ").links


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("akc 142", "There is no `akc`.", "Did you mean `ack`?"),
        ("snoze 142 2h", "There is no `snoze`.", "Did you mean `snooze`?"),
        ("frobnicate", "There is no `frobnicate`.", "Try `help`."),
        (
            "snooze 142",
            "For how long?",
            "Write it so: `snooze 142 2h reason… | seller:s_1 3d reason… | payments.x 12h reason…`",
        ),
        (
            "snooze 142 soon",
            "`soon` is no duration",
            "Write it so: `snooze 142 2h reason… | seller:s_1 3d reason… | payments.x 12h reason…`",
        ),
        (
            "snooze 142 0h",
            "`0h` is no duration",
            "Write it so: `snooze 142 2h reason… | seller:s_1 3d reason… | payments.x 12h reason…`",
        ),
        ("snooze 142 until:25:00", "`until:25:00` is no time of day.", "Write it so:"),
        ("assign 142 bo", "To whom? Name somebody with @.", "Write it so: `assign 142 @bo`"),
        (
            "resolve 142 fp treshold",
            "did you mean `threshold`?",
            "Write it so: `resolve 142 fp threshold note…`",
        ),
        (
            "resolve 142 false_positve",
            "did you mean `false_positive`?",
            "Write it so: `resolve 142 fp threshold note…`",
        ),
        ("snooze 142 2 h bank", "Write the time without a space: 2h.", "Write it so: `snooze 142 2h"),
        ("resolve 142", "What was it?", "Write it so: `resolve 142 fp threshold note…`"),
        ("resolve 142 begnin", "did you mean `benign`?", "Write it so:"),
        ("ack 142 please", "`please` is too much.", "Write it so: `ack [142 143]`"),
        ("policy", "Which one?", "Write it so: `policy payments.x`"),
        ("start", "Which one?", "Write it so:"),
        ("start rescore s_1", "`s_1` is no parameter; write name=value.", "Write it so:"),
        ("start rescore =s_1", "`=s_1` is no parameter; write name=value.", "Write it so:"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(text: str, what: str, hint: str) -> None:
    mistake = mistaken(text)
    assert what in mistake.what
    assert hint in mistake.hint


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_help_says_what_parses(verb: Verb) -> None:
    assert verb.usage.split()[0] == verb.name
    assert verb.about
    for line in verb.examples:
        assert understood(line).verb == verb.name
    plain = verb.usage.split(" | ")[0].replace("[", "").replace("]", "").replace("reason…", "because")
    plain = plain.replace("mine|unowned|late|snoozed", "mine").replace("note…", "so")
    assert understood(plain).verb == verb.name


def test_every_word_for_a_verb_is_one_and_none_is_twice() -> None:
    assert set(SAME_AS.values()) <= set(BY_NAME)
    assert len(BY_NAME) == len(VERBS)
    assert not set(SAME_AS) & set(BY_NAME)


def test_a_span_or_a_time_of_day_ends_in_the_future() -> None:
    assert understood("snooze 1 2d").ends(NOON) == NOON + 2 * DAY
    assert understood("snooze 1 until:18:00").ends(NOON) == datetime(2026, 1, 5, 18, tzinfo=UTC)
    assert understood("snooze 1 until:12:00").ends(NOON) == NOON + DAY
    assert understood("ack 1").ends(NOON) is None


@given(st.sampled_from(DAYS), st.integers(0, 23), st.booleans(), st.integers(0, 10**6))
def test_until_a_weekday_is_the_next_such_day(day: str, hour: int, at_hour: bool, seconds: int) -> None:
    now = NOON + timedelta(seconds=seconds)
    text = f"until:{day}:{hour}" if at_hour else f"until:{day}"
    ends = understood(f"every payments.x 1h {text}").ends(now)
    assert ends is not None
    assert timedelta() < ends - now <= 7 * DAY
    assert (ends.weekday(), ends.hour, ends.minute) == (DAYS.index(day), hour if at_hour else 0, 0)


def test_a_pause_needs_no_time_and_its_reason_is_no_time() -> None:
    bare = understood("pause Payments.X the table is being rebuilt")
    assert (bare.name, bare.span, bare.words) == ("payments.x", None, "the table is being rebuilt")
    assert understood("pause payments.x 4h rebuilt").span == 4 * HOUR
    assert understood("pause payments.x until:friday rebuilt").weekday == 4


def test_what_is_snoozed_may_be_somebody_or_a_policy() -> None:
    seller = understood("snooze Seller:S_1 3d known to care")
    assert (seller.name, seller.alerts, seller.words) == ("Seller:S_1", (), "known to care")
    assert understood("snooze payments.x 12h").name == "payments.x"
    assert understood("wake seller:s_1").name == "seller:s_1"
    assert understood("snooze 142 until:18:00 a.b").words == "a.b"
    why = understood("why seller:s_1 policy:payments.x")
    assert (why.name, why.filters) == ("seller:s_1", {"policy": "payments.x"})


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 10**6))
def test_until_is_the_next_such_time(hour: int, minute: int, seconds: int) -> None:
    now = NOON + timedelta(seconds=seconds)
    end = Command("snooze", until=time(hour, minute)).ends(now)
    assert end is not None
    assert timedelta() < end - now <= DAY
    assert (end.hour, end.minute) == (hour, minute)


ZONES = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]
).map(ZoneInfo)
MOMENTS = st.integers(0, 8 * 365 * 24 * 3600).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(MOMENTS, ZONES, st.integers(0, 23), st.integers(0, 59))
def test_a_time_of_day_is_the_next_one_by_the_clock_of_whoever_says_it(
    now: datetime, zone: ZoneInfo, hour: int, minute: int
) -> None:
    end = Command("snooze", until=time(hour, minute)).ends(now.astimezone(zone))
    assert end is not None
    whole = now.replace(second=0, microsecond=0)
    minutes = (whole + timedelta(minutes=n) for n in range(1, 25 * 60 + 31))
    walls = ((at, at.astimezone(zone)) for at in minutes)
    first = next((at for at, wall in walls if (wall.hour, wall.minute) == (hour, minute)), None)
    if first is not None and first - now <= DAY:
        assert end.astimezone(UTC) == first
    assert now < end.astimezone(UTC) <= now + timedelta(hours=25, minutes=30)


@given(MOMENTS, ZONES, st.integers(0, 6))
def test_a_weekday_is_the_next_one_there(now: datetime, zone: ZoneInfo, weekday: int) -> None:
    end = Command("every", weekday=weekday).ends(now.astimezone(zone))
    assert end is not None
    assert now < end.astimezone(UTC) <= now + timedelta(days=7, hours=2)
    assert end.weekday() == weekday


@given(MOMENTS, ZONES, st.integers(1, 72))
def test_a_span_is_as_long_whatever_the_clocks_do(now: datetime, zone: ZoneInfo, hours: int) -> None:
    end = Command("snooze", span=timedelta(hours=hours)).ends(now.astimezone(zone))
    assert end is not None
    assert end.astimezone(UTC) - now == timedelta(hours=hours)


def test_the_hour_that_comes_twice_and_the_one_that_does_not_come() -> None:
    zone = ZoneInfo("Europe/Berlin")

    def half_past_two(now: datetime) -> datetime:
        end = Command("snooze", until=time(2, 30)).ends(now.astimezone(zone))
        assert end
        return end.astimezone(UTC)

    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # 02:15, for the first time
    assert half_past_two(first) == first + timedelta(minutes=15)
    second = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 02:15 again
    assert half_past_two(second) == second + timedelta(minutes=15)
    spring = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # 01:30; 02:30 is left out
    assert half_past_two(spring) == spring + timedelta(hours=1)
