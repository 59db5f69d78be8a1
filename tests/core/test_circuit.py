"""When a warehouse as a whole is held to be away, and how often it is asked whether it is back."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.circuit import CLOSED, OPENS_AT, RAREST_PING, TOLD_AFTER, Circuit, failed, still_away
from tests.core.making import NOON

SECOND = timedelta(seconds=1)


def opened() -> Circuit:
    circuit = CLOSED
    for n in range(OPENS_AT):
        circuit = failed(circuit, f"reason {n}", NOON + n * SECOND)
    return circuit


def test_it_opens_at_the_third_failure_in_a_row() -> None:
    circuit, states = CLOSED, []
    for _ in range(OPENS_AT):
        circuit = failed(circuit, "no answer", NOON)
        states.append(circuit.is_open)
    assert states == [False, False, True]


def test_it_keeps_the_first_reason_and_its_time_so_that_its_words_do_not_change() -> None:
    circuit = opened()
    assert (circuit.why, circuit.since) == ("reason 0", NOON)
    assert failed(circuit, "another", NOON + 60 * SECOND) == circuit
    later = still_away(circuit, NOON + 60 * SECOND)
    assert (later.why, later.since) == ("reason 0", NOON)


def test_the_warehouse_is_asked_ever_more_rarely() -> None:
    circuit, gaps, now = opened(), [], NOON + 2 * SECOND
    for _ in range(8):
        assert circuit.ping_at
        gaps.append((circuit.ping_at - now) // SECOND)
        now = circuit.ping_at
        circuit = still_away(circuit, now)
    assert gaps == [2, 4, 8, 16, 32, 60, 60, 60]


def test_what_is_over_in_a_moment_is_not_told() -> None:
    assert not opened().to_be_told(NOON + TOLD_AFTER - SECOND)
    assert opened().to_be_told(NOON + TOLD_AFTER)
    assert not failed(CLOSED, "no answer", NOON).to_be_told(NOON + 60 * SECOND)


@given(pings=st.integers(0, 10**6))
def test_however_long_it_lasts_it_is_asked_within_a_minute(pings: int) -> None:
    circuit = still_away(Circuit(3, NOON, "no answer", pings, NOON), NOON)
    assert circuit.ping_at
    assert NOON < circuit.ping_at <= NOON + RAREST_PING
