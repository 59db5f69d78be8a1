"""`patrol score`: how often a policy is right on rows that people have labelled."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.past import over_time_only, watched, what_failed
from bot.cli.policies import catalog_of, policy_of
from bot.core.words import count, line
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.core.score import Judged, Share
    from bot.workbench.score import Labels, Score
    from sensors.model.catalog import Catalog
    from sensors.model.policy import Policy
    from sensors.warehouse import Warehouse

FEW = 10  # under which no percentage is said of precision


@click.command(short_help="Say how often a policy is right, on labelled rows.")
@click.argument("policy")
@in_project
@click.option(
    "--labels", "named", required=True, help="The boolean column that says what is true: core.mail.is_spam"
)
@click.option("--on", multiple=True, help="The column that matches rows and labels; default: the row_key.")
@over_time_only
@click.option("--json", "as_json", is_flag=True, help="One JSON object: rows, keys, examples.")
def score(policy: str, project: Path, named: str, on: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Hold what POLICY finds against labels, and say its precision and recall, each with a 95 % interval.

    \b
    patrol score mail.way_out --labels main.messages.is_spam
    patrol score mail.way_out --labels core.reviews.is_fraud --on message_id --from 90d

    The label is a boolean column of a declared table; rows are matched by the policy's row_key, or by --on. A
    policy that could read its own label is refused: its SQL must name its columns (no star), and not that
    one. All labelled time is looked at unless --from, --to or --days say another. Rows: each that the SQL
    picks is held to be found. Keys: each that alerts is, and it is a true one if one of its rows is.

    Write the policy, commit it, and only then score it: one that is changed until its score is good on these
    rows says little of others.

    Exit code 0: it was scored; 1: not over all of the time; 2: it could not begin.
    """
    settings = settings_of(project)
    from bot.app import open_warehouse
    from sensors.warehouse import WarehouseError

    catalog = catalog_of(settings)
    wanted = policy_of(catalog, policy)
    warehouse = open_warehouse(settings)
    try:
        labels, found = _scored(wanted, catalog, warehouse, named, on, given)
    except WarehouseError as error:
        raise PatrolError(f"The labels cannot be read: {error}") from error
    finally:
        warehouse.close()
    if as_json:
        click.echo(json.dumps(as_object(wanted, labels, found), ensure_ascii=False, indent=2))
    else:
        _print(wanted, labels, found)
    sys.exit(0 if found.done.complete and not found.done.failed else 1)


def _scored(
    policy: Policy,
    catalog: Catalog,
    warehouse: Warehouse,
    named: str,
    on: tuple[str, ...],
    given: Mapping[str, Any],
) -> tuple[Labels, Score]:
    from bot.core.change import Refused
    from bot.workbench.score import labels_of, score

    labels = labels_of(policy, catalog, named, on)
    if isinstance(labels, Refused):
        raise PatrolError(labels.why)
    start, end = _time(policy, labels, warehouse, given)
    watching = partial(watched, doing=policy.name)
    found = score(policy, catalog, warehouse, labels, start, end, step=given["step"], watched=watching)
    if isinstance(found, Refused):
        raise PatrolError(found.why)
    return labels, found


def _time(
    policy: Policy, labels: Labels, warehouse: Warehouse, given: Mapping[str, Any]
) -> tuple[datetime, datetime]:
    """What was asked for, else all the time in which there are labels."""
    from bot.cli.past import between
    from bot.workbench.score import span_of

    whole = (
        None if any(given[name] for name in ("days", "start", "end")) else span_of(policy, labels, warehouse)
    )
    return whole or between(given, 30)


def as_object(policy: Policy, labels: Labels, found: Score) -> dict[str, Any]:
    return {
        "policy": policy.name,
        "labels": f"{labels.table}.{labels.column}",
        "on": list(labels.on),
        "start": found.done.start.isoformat(),
        "end": found.done.end.isoformat(),
        "complete": found.done.complete,
        "rows": _judged(found.rows),
        "keys": _judged(found.keys) if found.keys else None,
        "without_label": found.without,
        "without_time": found.timeless,
        "false_positives": [dict(row) for row in found.false_positives],
        "false_negatives": [dict(row) for row in found.false_negatives],
    }


def _judged(one: Judged) -> dict[str, Any]:
    t = one.tally
    shares = {"precision": t.precision, "recall": t.recall}
    return {
        "tp": t.tp,
        "fp": t.fp,
        "fn": t.fn,
        "tn": t.tn,
        "unlabelled": one.unlabelled,
        **{
            name: {"value": _round(share.value), "interval": [_round(bound) for bound in share.interval]}
            for name, share in shares.items()
        },
    }


def _round(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _print(policy: Policy, labels: Labels, found: Score) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    span = f"{found.done.start:%Y-%m-%d} → {found.done.end:%Y-%m-%d} UTC"
    console.print(Text(f"{policy.name} against {labels.table}.{labels.column}  {span}", "bold"))
    judged = [(name, one) for name, one in (("rows", found.rows), ("keys", found.keys)) if one]
    table = Table("", "found", "right (TP)", "wrong (FP)", "missed (FN)", "left (TN)")
    for name, one in judged:
        t = one.tally
        numbers = (t.tp + t.fp + one.unlabelled, t.tp, t.fp, t.fn, t.tn)
        table.add_row(name, *(f"{n:,}" for n in numbers))
    console.print(table)
    for name, one in judged:
        precision, recall = _share(one.tally.precision), _share(one.tally.recall)
        console.print(Text(f"{name}: precision {precision}, recall {recall}"))
    console.print(Text("the intervals hold the true share with 95 % (Wilson)", "dim"))
    if found.keys is None:
        lacks = ", ".join(name for name in policy.key if name not in labels.shown) or "one"
        console.print(Text(f"not by key: {labels.table} does not have {lacks}", "dim"))
    for what in (*_left_out(found), *what_failed(found.done)):
        console.print(Text(line(what, 300), "yellow"))
    for title, rows in (("found wrongly", found.false_positives), ("missed", found.false_negatives)):
        if rows:
            console.print(Text(f"{title}, for example:"))
        for row in rows:
            console.print(Text(f"  {line(', '.join(f'{n}={v}' for n, v in row.items()), 160)}"))


def _share(share: Share) -> str:
    if share.value is None:
        return "–"
    low, high = share.interval
    value = f"{share.value:.1%}" if share.whole >= FEW else f"{share.part} of {share.whole}"
    return f"{value} ({low:.1%} to {high:.1%})"


def _left_out(found: Score) -> list[str]:
    said = {
        "found, but without a label: {}, counted nowhere": found.rows.unlabelled,
        "without a label in this time: {}, counted nowhere": found.without,
        "labelled, but without a time that a window may hold: {}": found.timeless,
    }
    return [words.format(count(n, "row")) for words, n in said.items() if n]
