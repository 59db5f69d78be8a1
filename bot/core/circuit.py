"""Whether the warehouse as a whole is away: when that is held to be so, asked again, and told. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

OPENS_AT = 3  # looks in a row that failed while the warehouse did not answer either
FIRST_PING = timedelta(seconds=2)
RAREST_PING = timedelta(minutes=1)
TOLD_AFTER = timedelta(seconds=15)  # of absence: what is over before need wake nobody


@dataclass(frozen=True)
class Circuit:
    """Closed: policies look. Open: none does, and the warehouse is asked ever more rarely till it answers."""

    failures: int = 0  # in a row, whichever the policies
    since: datetime | None = None  # the first of them
    why: str = ""  # what the warehouse said at the first
    pings: int = 0  # in vain, since it opened
    ping_at: datetime | None = None  # None while it is closed

    @property
    def is_open(self) -> bool:
        return self.ping_at is not None

    def to_be_told(self, now: datetime) -> bool:
        """Whether it has been open for so long that somebody must hear of it."""
        return self.is_open and self.since is not None and now - self.since >= TOLD_AFTER


CLOSED = Circuit()


def failed(circuit: Circuit, why: str, now: datetime) -> Circuit:
    """After a look that failed, and a question of ours that the warehouse did not answer either."""
    if circuit.is_open:
        return circuit
    first = circuit.since is None
    after = replace(
        circuit,
        failures=circuit.failures + 1,
        since=now if first else circuit.since,
        why=why if first else circuit.why,
    )
    return replace(after, ping_at=now + FIRST_PING) if after.failures >= OPENS_AT else after


def still_away(circuit: Circuit, now: datetime) -> Circuit:
    """After another question in vain."""
    wait = min(FIRST_PING * 2 ** min(circuit.pings + 1, 20), RAREST_PING)
    return replace(circuit, pings=circuit.pings + 1, ping_at=now + wait)
