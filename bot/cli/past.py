"""What the verbs over history share: which time, what is assumed of people, and the replay with its bar."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.cli.ledger import Past, ctrl_c
from bot.cli.policies import Span
from bot.cli.progress import progress
from bot.core.words import count, line
from bot.process.errors import PatrolError
from sensors.model.clock import say_duration
from sensors.model.policy import Trailing

if TYPE_CHECKING:
    from bot.core.alert import Lane
    from bot.core.held import Assumed
    from bot.workbench.replay import Replayed
    from sensors.model.catalog import Catalog
    from sensors.model.policy import Policy
    from sensors.model.run import Looked
    from sensors.warehouse import Warehouse

Command = TypeVar("Command", bound=Callable[..., Any])
DAY = timedelta(days=1)
LONGEST = 1100  # days


class NoReplay(PatrolError):
    """The policy is one that has no past to go through, or the time is none: say another, or --step."""


class Maybe(Span):
    """A duration, or `never`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return "never" if value == "never" else super().convert(value, param, ctx)


def over_time_only(command: Command) -> Command:
    """Gives a command the options that say which time, and how finely."""
    return _given(
        command,
        click.option("--days", type=click.IntRange(1, LONGEST), help="The last so many days."),
        click.option("--from", "start", type=Past(), help="From this time, or so long ago."),
        click.option("--to", "end", type=Past(), help="To this time, or until so long ago; default: now."),
        click.option("--step", type=Span(), help="Look so often instead of at each due time."),
    )


def over_time(command: Command) -> Command:
    """The same, and what people are assumed to do about alerts."""
    return over_time_only(
        _given(
            command,
            click.option(
                "--answered-after",
                type=Maybe(),
                default="5m",
                show_default=True,
                help="Assume that an alert is acknowledged so long after it came; or never.",
            ),
            click.option(
                "--resolved-after",
                type=Maybe(),
                default="24h",
                show_default=True,
                help="Assume that it is resolved so long after it came: its key can alert again; or never.",
            ),
        )
    )


def _given(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True)
class Asked:
    """Which time a person asks about, and what is assumed. `end_given`: it was said, and is not just now."""

    start: datetime
    end: datetime
    end_given: bool
    step: timedelta | None
    assumed: Assumed
    place: str = ""  # among many that are gone through, for the bar
    began: float | None = None  # when the first of them was begun (`time.monotonic`)


def between(given: Mapping[str, Any], days: int) -> tuple[datetime, datetime]:
    """The time that the options say; UsageError where they say none."""
    start, end = given["start"], given["end"]
    if start and given["days"]:
        raise click.UsageError("Say --days, or --from; not both.")
    until = end or datetime.now(UTC).replace(microsecond=0)
    begins = start or until - timedelta(days=given["days"] or days)
    if begins >= until:
        raise click.UsageError("--from must be before --to.")
    if until - begins > LONGEST * DAY:
        raise click.UsageError(f"That is more than {LONGEST} days: take a shorter time.")
    return begins, until


def asked(given: Mapping[str, Any], days: int) -> Asked:
    """From the options of `over_time`."""
    from bot.core.held import Assumed

    begins, until = between(given, days)
    spans = [None if given[name] == "never" else given[name] for name in ("answered_after", "resolved_after")]
    return Asked(begins, until, given["end"] is not None, given["step"], Assumed(*spans))


def where_data_are(one: Asked, policy: Policy, catalog: Catalog, warehouse: Warehouse) -> tuple[Asked, str]:
    """The time as asked for. Where no end was said and all data are older, as many days before the end of the
    data; and that in words."""
    from sensors.run import data_until
    from sensors.warehouse import WarehouseError

    try:
        until = data_until(policy, catalog.assets, warehouse)
    except WarehouseError as error:
        raise PatrolError(f"The warehouse does not say until when it is loaded: {error}") from error
    if one.end_given or until is None or until >= one.start:
        return one, ""
    end = until.replace(hour=0, minute=0, second=0, microsecond=0) + 2 * DAY
    moved = replace(one, start=end - (one.end - one.start), end=end)
    said = f"its data end at {until:%Y-%m-%d %H:%M} UTC: this is the time before (--from says another)"
    return moved, said


def short_baseline(looked: Looked, catalog: Catalog, warehouse: Warehouse) -> str:
    """That the baseline of a look begins before the data do, in words; empty where it does not."""
    start = looked.window.baseline_start
    began = _began(looked.policy, catalog, warehouse) if looked.ok and start else None
    if not start or not began or began <= start:
        return ""
    return f"its baseline begins {_minute(start)} UTC, its data only {_minute(began)}: it is too short"


def young(policy: Policy, catalog: Catalog, warehouse: Warehouse, start: datetime) -> str:
    """Until when looks later than `start` have a baseline that begins before the data, in words; or empty."""
    window = policy.window
    if not isinstance(window, Trailing) or window.baseline is None:
        return ""
    began = _began(policy, catalog, warehouse)
    whole = began + window.span + window.baseline if began else start
    if began is None or whole <= start:
        return ""
    return (
        f"its data begin {_minute(began)} UTC: until {_minute(whole)} there is not all of the"
        f" {say_duration(window.baseline)} that it compares with, and alerts may be wrong or missing"
    )


def _began(policy: Policy, catalog: Catalog, warehouse: Warehouse) -> datetime | None:
    from sensors.run import data_from
    from sensors.warehouse import WarehouseError

    try:
        return data_from(policy, catalog.assets, warehouse)
    except WarehouseError as error:
        raise PatrolError(f"The warehouse does not say since when it has data: {error}") from error


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def replayed(
    policy: Policy,
    catalog: Catalog,
    warehouse: Warehouse,
    one: Asked,
    *,
    lane: Lane | None = None,
) -> Replayed:
    """The replay, with a bar; Ctrl-C gives what there is until then. PatrolError where there can be none."""
    from bot.core.change import Refused
    from bot.workbench.replay import Replay, plan

    planned = plan(policy, warehouse.dialect, one.start, one.end, step=one.step)
    if isinstance(planned, Refused):
        raise NoReplay(planned.why)
    work = Replay(policy, catalog, warehouse, one.start, one.end, planned, assumed=one.assumed, lane=lane)
    for _ in watched(work.steps(), work.total, f"{one.place}{policy.name}", one.began):
        pass
    return work.result()


def watched(steps: Iterator[Looked], total: int, doing: str, since: float | None = None) -> Iterator[Looked]:
    """The looks, with a bar; none after a Ctrl-C."""
    stopping = threading.Event()
    with ctrl_c(stopping):
        for looked in progress(steps, total, doing, since):
            yield looked
            if stopping.is_set():
                return


def assumptions(one: Asked) -> str:
    """What is assumed of people, in words."""
    answered, resolved = one.assumed.answered_after, one.assumed.resolved_after
    says = "nobody answers" if answered is None else f"each alert is answered after {say_duration(answered)}"
    ends = "none is resolved" if resolved is None else f"resolved after {say_duration(resolved)}"
    return f"assumed: {says}, {ends}; tables that have no time are read as they are now"


def what_failed(done: Replayed) -> list[str]:
    """What the result lacks, in words; nothing where it lacks nothing."""
    said = [f"not looked at: {_window(window)}: {why}" for window, why in done.failed[:5]]
    if len(done.failed) > 5:
        said.append(f"and {len(done.failed) - 5} more windows that could not be looked at")
    said += [f"more rows than can be read: {_window(window)}" for window in done.truncated[:5]]
    if done.bad_rows:
        said.append(f"{count(done.bad_rows, 'row')} without what the key needs: not counted")
    if not done.complete:
        said.append(f"stopped at {done.end:%Y-%m-%d %H:%M:%S} UTC: what comes after was not looked at")
    return said


def key_words(policy: Policy, key_values: Mapping[str, Any]) -> str:
    """The key as people read it, masked as the policy says."""
    from bot.core.reconcile import masked

    shown = masked(policy, key_values)
    return line(", ".join(f"{name}={value}" for name, value in shown.items()) or "the whole platform")


def _window(window: Any) -> str:
    start = f"{window.start:%Y-%m-%d %H:%M} → " if window.start else ""
    return f"{start}{window.end:%Y-%m-%d %H:%M} UTC"
