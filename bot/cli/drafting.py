"""`patrol case`: rows of the warehouse, or an alert, become a masked case."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project
from bot.cli.policies import Time, policy_of
from bot.cli.reports import again_as_json, listed, looked_again, opened, told_again
from bot.cli.writing import put
from bot.core.words import line
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.core.alert import Alert
    from bot.store import Store
    from bot.workbench.drafting import Drafted, Wish
    from bot.workbench.hindsight import Again
    from sensors.catalog import Loaded
    from sensors.model.catalog import Catalog
    from sensors.model.policy import Policy
    from sensors.warehouse import Warehouse


@click.command(short_help="Make a masked case of real rows, or of an alert.")
@click.argument("policy", required=False)
@click.argument("more", nargs=-1, metavar="")
@in_project
@click.option(
    "--from-rows", "rows", multiple=True, metavar="KEY=VALUE…", help="The key that the case is about."
)
@click.option("--loudest", is_flag=True, help="The key that would alert with the most rows.")
@click.option("--from-alert", "alert", metavar="ALERT", help="The alert that it is about: 142 or ALR-142.")
@click.option("--reports", is_flag=True, help="List the false positives of which there is no case yet.")
@click.option(
    "--at", type=Time(), help="As of then (UTC unless it has a zone); default: now, or the alert's time."
)
@click.option("--name", default="", help="What the case is called.")
@click.option(
    "--rows",
    "most",
    type=click.IntRange(1, 10_000),
    default=500,
    show_default=True,
    help="Most rows read of a table.",
)
@click.option("--keep", multiple=True, metavar="COLUMN", help="A column that is not to be masked.")
@click.option("--write", is_flag=True, help="Add it to the policy's YAML instead of printing it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def case(
    policy: str | None,
    more: tuple[str, ...],
    project: Path,
    rows: tuple[str, ...],
    loudest: bool,
    alert: str | None,
    reports: bool,
    at: datetime | None,
    name: str,
    most: int,
    keep: tuple[str, ...],
    write: bool,
    as_json: bool,
) -> None:
    """Make a case of POLICY from real rows, masked, as small as it can be, and tried.

    \b
    patrol case payments.refund_spike --from-rows seller_id=s_1 --at 2026-01-05T12:00:00Z
    patrol case payments.refund_spike --loudest
    patrol case --from-alert 142 --write
    patrol case --reports
    patrol case --reports payments.refund_spike

    The rows of the key are read from every table that the SQL reads, within its window, with what is joined
    to them. Then rows are left out as long as the alert stays the same, and ids, names and ways to reach
    people become stand-ins. The case is printed; --write adds it at the end of `cases:` and changes nothing
    else in the file. Of an alert that was called a false positive the case is silent: it fails until the
    policy is mended.

    --reports and --from-alert also say which alerts of the last 30 days the policy as it now stands in the
    files would no longer raise.

    Exit code 0: it is done, and with --reports there are none; 1: the case does not do what it is for, or
    there are reports; 2: there is no such policy or alert.
    """
    asked = Asked(
        project, at, name, most, frozenset(c.rpartition(".")[2].lower() for c in keep), write, as_json
    )
    if reports + (alert is not None) + bool(rows) + loudest != 1:
        raise click.UsageError("Say one of --from-rows KEY=VALUE, --loudest, --from-alert 142 and --reports.")
    if more and not rows:
        raise click.UsageError(f"{more[0]} is one word too many; KEY=VALUE goes with --from-rows.")
    if reports:
        sys.exit(listed(project, policy, as_json))
    if policy is None and alert is None:
        raise click.UsageError("Of which policy? patrol case POLICY …")
    given = _pairs((*rows, *more)) if rows else None
    sys.exit(0 if _draft(asked, policy, given, _number(alert) if alert is not None else None) else 1)


@dataclass(frozen=True)
class Asked:
    """What was said on the command line."""

    project: Path
    at: datetime | None
    name: str
    most: int
    keep: frozenset[str]
    write: bool
    as_json: bool


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        column, equals, value = word.partition("=")
        if not column or not equals:
            raise click.UsageError(f"{word!r} is no KEY=VALUE; write it as seller_id=s_1.")
        pairs[column.lower()] = value
    return pairs


def _number(text: str) -> int:
    digits = text.upper().removeprefix("ALR-").removeprefix("#")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise click.UsageError(f"{text!r} is no alert; write 142 or ALR-142.")
    return int(digits)


def _draft(asked: Asked, name: str | None, given: dict[str, str] | None, alert_id: int | None) -> bool:
    """Of the key that was given, of an alert, or else of the loudest key."""
    from sensors.warehouse import WarehouseError

    with opened(asked.project, store=alert_id is not None) as (catalog, warehouse, store):
        alert = _alert(store, alert_id) if store and alert_id is not None else None
        policy = policy_of(catalog, name or (alert.policy if alert else ""))
        if asked.write:
            _refuse_pulled(catalog, policy)
        again = None
        if alert is None:
            at = asked.at or datetime.now(UTC).replace(microsecond=0)
            given = given if given is not None else _loudest(policy, catalog, warehouse, at)
            wish = _of_rows(policy, given, asked, at)
        else:
            from bot.workbench.hindsight import Again

            assert store
            again = Again(store, warehouse, catalog)
            _refuse_other(policy, alert)
            wish = _of_alert(policy, alert, again, catalog, asked)
        try:
            drafted = _drafted(policy, catalog, warehouse, wish)
        except WarehouseError as error:
            raise PatrolError(f"The rows cannot be had: {error}") from error
        place = _written(catalog, policy, drafted) if asked.write and drafted.good else ""
        seen = looked_again(again, policy, datetime.now(UTC)) if again else None
        if asked.as_json:
            alerts = again_as_json(*seen) if seen else {}
            click.echo(json.dumps({**_as_json(drafted, place), **alerts}, ensure_ascii=False, indent=2))
        else:
            _say(asked, drafted, place, wish)
            for one in told_again(*seen) if seen else ():
                click.echo(one, err=True)
    return drafted.good


def _loudest(policy: Policy, catalog: Catalog, warehouse: Warehouse, at: datetime) -> dict[str, str]:
    """The key that would alert with the most rows as of `at`; in a flood, of all that were found."""
    from bot.workbench.one_look import once

    looked, found = once(policy, catalog, warehouse, at, None)
    if not looked.ok:
        raise PatrolError(f"{policy.name} cannot look: {line(looked.error, 500)}")
    if not found.fired:
        raise PatrolError(
            f"{policy.name} alerts on nothing as of {at:%Y-%m-%d %H:%M} UTC: say another time with --at, or a"
            " key with --from-rows."
        )
    fired = {fire.key for fire in found.fired}
    among = [one for one in looked.violations if one.key in fired] or looked.violations
    loudest = max(among, key=lambda one: len(one.rows))
    return {column: str(value) for column, value in loudest.key_values.items()}


def _of_rows(policy: Policy, given: dict[str, str], asked: Asked, at: datetime) -> Wish:
    from bot.workbench.drafting import Wish

    if set(given) != set(policy.key):
        key = " ".join(f"{column}=…" for column in policy.key) or "nothing: it is about the whole platform"
        raise click.UsageError(f"The key of {policy.name} is {key}")
    return Wish(given, at, name=asked.name, keep=asked.keep, most=asked.most)


def _alert(store: Store, number: int) -> Alert:
    alert = store.alerts.get(number)
    if alert is None:
        raise PatrolError(f"There is no ALR-{number}.")
    return alert


def _refuse_other(policy: Policy, alert: Alert) -> None:
    """An alert of another policy, and one that no case can be made of."""
    from bot.core.reports import cannot_compare

    if alert.policy != policy.name:
        raise PatrolError(
            f"{alert.name} is of {alert.policy}, not of {policy.name}; leave {policy.name} out."
        )
    if why := cannot_compare(policy, alert):
        raise PatrolError(f"No case can be made of {alert.name}: {why}.")


def _of_alert(policy: Policy, alert: Alert, again: Again, catalog: Catalog, asked: Asked) -> Wish:
    """What its case is to say: that it fires, or for a false positive that nothing does."""
    from bot.core.reports import is_false
    from bot.core.step import say_disposition
    from bot.workbench.drafting import Wish, at_of

    raised = again.raised(policy, alert)
    at = asked.at or at_of(raised or policy, alert.as_of)
    called = say_disposition(alert.disposition) if alert.disposition else "not resolved"
    cause = f": {alert.false_cause.value.replace('_', ' ')}" if alert.false_cause else ""
    note = _who_said_so(again.store, alert, catalog) if is_false(alert) else ""
    return Wish(
        dict(alert.key_values),
        at,
        raised=raised or policy,
        silent=is_false(alert),
        severity=alert.severity.name,
        name=asked.name or f"{alert.name}, {called}{cause}",
        notes=(note,) if note else (),
        keep=asked.keep,
        most=asked.most,
    )


def _who_said_so(store: Store, alert: Alert, catalog: Catalog) -> str:
    from bot.core import oncall
    from bot.core.reports import reporter

    by = reporter(alert, store.alerts.history(alert.id))
    name = oncall.names(catalog.teams).get(by, by)
    on = f" on {alert.resolved_at:%Y-%m-%d}" if alert.resolved_at else ""
    return f"{name} called {alert.name} a false positive{on}{f': {alert.note}' if alert.note else ''}"


def _drafted(policy: Policy, catalog: Catalog, warehouse: Warehouse, wish: Wish) -> Drafted:
    from bot.workbench.drafting import Drafting
    from sensors.warehouse.duck_memory import Memory

    memory = Memory()
    try:
        return Drafting(policy, catalog, warehouse, memory, wish).draft()
    finally:
        memory.close()


# --------------------------------------------------------------------------------- telling


def _refuse_pulled(catalog: Loaded, policy: Policy) -> None:
    """What is not ours to write."""
    if next((held.commit for held in catalog.bundles if held.name == policy.bundle), ""):
        raise PatrolError(
            f"{policy.bundle} is pulled from a repository: what is written here would be lost with the next"
            " pull. Leave --write out, and paste what is printed into a copy of it."
        )


def _written(catalog: Loaded, policy: Policy, drafted: Drafted) -> str:
    """Adds the case to the file; where it stands now."""
    from sensors.yaml_append import NotAdded, with_case

    path = catalog.file(policy.path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        changed = with_case(text, drafted.case)
        put({path: changed.encode()})
    except NotAdded as why:
        raise PatrolError(f"{policy.path}: {why}; leave --write out and paste what is printed.") from why
    except OSError as error:
        raise PatrolError(
            f"{policy.path} cannot be read: {(error.strerror or 'no reason given').lower()}."
        ) from error
    same = next((n for n, (a, b) in enumerate(zip(text, changed, strict=False)) if a != b), len(text))
    return f"{policy.path}:{changed[:same].count(chr(10)) + 1}"


def _say(asked: Asked, drafted: Drafted, place: str, wish: Wish) -> None:
    from sensors.cases.text import block

    if not asked.write:
        click.echo(f"cases:\n{block(drafted.case, 2)}", nl=False)
    for one in drafted.said:
        click.echo(one, err=True)
    for one in drafted.wrong:
        click.secho(f"but {one}", fg="red", err=True)
    click.secho(_verdict(drafted, wish), fg="green" if drafted.good else "red", err=True)
    if place:
        click.echo(f"written to {place}; read it once more for what is personal, then: patrol test", err=True)
    elif asked.write:
        click.secho("not written", fg="red", err=True)


def _verdict(drafted: Drafted, wish: Wish) -> str:
    """What comes of the case with the policy as it now stands."""
    fires = f"alerts on it {drafted.fires}×" if drafted.fires > 1 else "alerts on it"
    if wish.silent and drafted.fires:
        return f"the policy as it now stands still {fires}: the case fails until it is mended"
    if not drafted.fires:
        return "the policy as it now stands is silent on it"
    return f"the policy as it now stands {fires}"


def _as_json(drafted: Drafted, place: str) -> dict[str, Any]:
    return {
        "case": drafted.case.data(),
        "notes": list(drafted.case.notes),
        "fires_now": drafted.fires,
        "good": drafted.good,
        "said": list(drafted.said),
        "wrong": list(drafted.wrong),
        "written": place or None,
    }
