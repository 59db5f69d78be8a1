"""`patrol.stale_asset`: assets older than they may be or of no known age, and what hangs on them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.action import Action
from bot.core.alert import Alert, Condition
from bot.core.builtin import told
from bot.core.upstream import upstream_of
from bot.core.words import count
from sensors.model.asset import Asset
from sensors.model.clock import say_duration
from sensors.model.policy import Policy, Severity, WhenLate
from sensors.model.team import Team
from sensors.model.violation import canonical

STALE_ASSET = "patrol.stale_asset"
NAMED = 8  # policies of each kind; the rest is counted
PATIENCE = timedelta(minutes=15)  # so long a table may not tell how old it is, or as long as it may be old
NOT_KNOWN = "Whether it is late is not known"


@dataclass(frozen=True)
class Stale:
    """An asset that is old (its owner is warned) or late, and the running policies that read or need it."""

    asset: Asset
    until: datetime
    late: bool
    waits: tuple[str, ...] = ()  # those that wait for it
    skips: tuple[str, ...] = ()  # those that pass their times over
    goes_on: tuple[str, ...] = ()  # those that run all the same

    @property
    def severity(self) -> Severity:
        return Severity.medium if self.late else Severity.low

    @property
    def said(self) -> str:
        name, spans = self.asset.name, (self.asset.warn_after, self.asset.late_after)
        may = spans[1] if self.late else spans[0]
        what = "is late" if self.late else "is getting old"
        limit = f"; it may be {say_duration(may)} old" if may else ""
        return f"{name} {what}: {self.asset.aged(self.until)}{limit}"

    @property
    def hangs(self) -> str:
        """What hangs on it, in a sentence."""
        if not self.late:
            return _hangs((self.waits + self.skips + self.goes_on, "reads it", "read it"))
        return _hangs(
            (self.waits, "waits for it", "wait for it"),
            (self.skips, "is passed over meanwhile", "are passed over meanwhile"),
            (self.goes_on, "looks at it as it is", "look at it as it is"),
        )

    @property
    def advice(self) -> str:
        then = " They run by themselves as soon as it has come." if self.late and self.waits else ""
        return f"{self.hangs}.{then}"


@dataclass(frozen=True)
class UntoldAge:
    """An asset that has not told for a while how old it is, and the running policies that it concerns."""

    asset: Asset
    why: str  # the warehouse's sentence
    waits: tuple[str, ...] = ()  # those that come after it, and those that wait for it now
    reads: tuple[str, ...] = ()  # the others
    severity: Severity = Severity.medium  # as if it were late: it may be
    empty: bool = False  # it can be asked, and holds no row

    @property
    def said(self) -> str:
        if self.empty:
            may = self.asset.late_after or self.asset.warn_after
            limit = f"; its newest may be {say_duration(may)} old" if may else ""
            return f"{self.asset.name} holds no row{limit}"
        return f"how fresh {self.asset.name} is cannot be asked: {self.why}"

    @property
    def hangs(self) -> str:
        waits = (self.waits, "waits for it", "wait for it")
        return f"{NOT_KNOWN}: {_hangs(waits, (self.reads, 'reads it', 'read it'))}"

    @property
    def advice(self) -> str:
        name = self.asset.name
        if self.empty:
            return f"{self.hangs}. See to what loads {name}; if it may be empty, take its freshness away."
        return f"{self.hangs}. Give Patrol the right to read {name}, or mend it: the rest comes by itself."


def _hangs(*parts: tuple[Collection[str], str, str]) -> str:
    said = [f"{_names(names)} {one if len(names) == 1 else many}" for names, one, many in parts if names]
    return "; ".join(said) or "No policy reads it"


def _names(names: Collection[str]) -> str:
    """Which, and how many where they are more than one."""
    some = ", ".join(sorted(names)[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{count(len(names), 'policy', 'policies')} ({some}{more})" if len(names) > 1 else some


def stale_assets(
    assets: Iterable[Asset], policies: Iterable[Policy], until: Mapping[str, datetime], now: datetime
) -> dict[str, Stale]:
    """By reference those that are old or late. `until`: until when each is loaded, by reference too; one that
    is not there says nothing of its age. `policies`: those that run."""
    found = {}
    for asset in assets:
        ref = asset.name
        if ref not in until:
            continue
        late = asset.is_late(until[ref], now)
        if late or asset.is_old(until[ref], now):
            found[ref] = Stale(asset, until[ref], late)
    readers = list(policies) if found else []
    return {ref: _with_readers(one, ref, readers) for ref, one in found.items()}


def _with_readers(stale: Stale, ref: str, policies: Iterable[Policy]) -> Stale:
    ways: dict[WhenLate, list[str]] = {way: [] for way in WhenLate}
    for policy in policies:
        if ref in policy.needs or ref in policy.query.tables or ref in upstream_of(policy):
            waits = stale.asset.is_dated  # else no policy can see that it is late
            ways[policy.needs.get(ref, WhenLate.run) if waits else WhenLate.run].append(policy.name)
    return replace(
        stale,
        waits=tuple(ways[WhenLate.wait]),
        skips=tuple(ways[WhenLate.skip]),
        goes_on=tuple(ways[WhenLate.run]),
    )


def patience(asset: Asset, *, empty: bool = False) -> timedelta:
    """For how long nobody is told that it does not tell how old it is. One that holds no row may be so for as
    long as its newest row may be old: it is loaded anew now and then, or has only been made."""
    if empty:
        return max(PATIENCE, asset.late_after or asset.warn_after or PATIENCE)
    return min(PATIENCE, asset.late_after or PATIENCE)


def untold_age(
    asset: Asset, why: str, policies: Iterable[Policy], waiting: Collection[str], *, empty: bool = False
) -> UntoldAge:
    """`waiting`: names of policies that wait for late data; `empty`: it holds no row."""
    waits, reads, ref = list[str](), list[str](), asset.name
    for policy in policies:
        needs, after = ref in policy.needs, ref in upstream_of(policy)
        if after or (needs and policy.name in waiting):
            waits.append(policy.name)
        elif needs or ref in policy.query.tables:
            reads.append(policy.name)
    severity = Severity.low if empty and not asset.late_after else Severity.medium
    return UntoldAge(asset, why, tuple(waits), tuple(reads), severity, empty)


def is_untold(alert: Alert) -> bool:
    """Whether it says that the age of its asset is not known, not that it is old."""
    return str(alert.newest.get("why", "")).startswith(NOT_KNOWN)


def stale_key(ref: str) -> str:
    return canonical({"asset": ref})


def stale_asset(
    stale: Stale | UntoldAge, owner: str, team: Team | None, holder: Alert | None, now: datetime
) -> Action | None:
    """What it means for the owner; None where that is told. While it trickles in, nothing new is said."""
    ref = stale.asset.name
    firing = holder is not None and holder.is_open and holder.condition is Condition.firing
    if firing and holder and (holder.severity, holder.newest.get("why")) == (stale.severity, stale.hangs):
        return None
    made = told(
        STALE_ASSET,
        {"asset": ref},
        stale.said,
        stale.hangs,
        owner,
        team,
        now,
        key=stale_key(ref),
        severity=stale.severity,
    )
    return replace(made, newest={**made.newest, "advice": stale.advice})
