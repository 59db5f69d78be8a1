"""Rules about a policy's window: that the SQL uses it, that it reaches far enough, and what means nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sensors.beside import Beside
from sensors.draft import Draft
from sensors.file_policy import PolicyFile, WindowFile
from sensors.model.catalog import Problem
from sensors.model.clock import say_duration


def window_rules(one: Draft, file: PolicyFile, beside: Beside) -> Iterator[Problem]:
    yield from _meaningless(one, file)
    if file.window is None:
        yield from _without(one)
    else:
        yield from _used(one, file.window)
        yield from _given(one, file, file.window)
        if file.window.trailing is None:
            reach = list(_reach(one, file.window, beside))
            yield from reach or _no_reach(one, file.window)
            yield from _put_together(one, file, file.window)


def _meaningless(one: Draft, file: PolicyFile) -> Iterator[Problem]:
    """Keys that are said but change nothing for this kind of window."""
    incremental = file.window is not None and file.window.trailing is None
    if "catchup" in file.model_fields_set and not incremental:
        said = "means nothing here: only a window with lookback has something to catch up"
        yield one.document.problem(("catchup",), said, key=True)
    if file.clear != "never" and incremental:
        said = "means nothing here: rows of a window with lookback are events, and events do not clear"
        yield one.document.problem(("clear",), said, key=True)
    if file.threshold.within is not None and not incremental:
        said = "means nothing here: without lookback the rows of each look are counted by themselves"
        yield one.document.problem(("threshold", "within"), said, key=True)
    if file.threshold.count > 1 and incremental and file.threshold.within is None:
        said = "needs within: rows come in several looks, and within says over how long they add up"
        yield one.document.problem(("threshold", "count"), said, key=True)


def _without(one: Draft) -> Iterator[Problem]:
    """No window: nothing in the SQL may ask for its start."""
    shaped = one.shaped
    if shaped is not None and shaped.window:
        yield one.in_sql("in_window needs a window: in the YAML", "in_window")
    elif shaped is not None and shaped.baseline:
        yield one.in_sql("in_baseline needs a window: with trailing and baseline in the YAML", "in_baseline")
    else:
        for name in sorted(one.binds & {"window_start", "baseline_start"}):
            yield one.in_sql(
                f":{name} needs a window: in the YAML; :window_end is the time of the look", name
            )


def _used(one: Draft, window: WindowFile) -> Iterator[Problem]:
    """The SQL keeps to the window, by its column."""
    shaped = one.shaped
    if shaped is None:
        return
    if not shaped.window:
        said = f"the SQL must keep to the window: WHERE {{{{ in_window('{window.column}') }}}}"
        yield one.in_sql(said, "where")
    elif window.column not in (bare := [_bare(column) for column in shaped.window]) and not (
        one.unknown & set(bare)
    ):
        said = f"is {window.column}, but the SQL keeps to the window by {shaped.window[0]}"
        yield one.document.problem(("window", "column"), said)
    if window.baseline is not None and not shaped.baseline:
        said = f"the SQL does not use it: write {{{{ in_baseline('{window.column}') }}}} for the past"
        yield one.document.problem(("window", "baseline"), said, key=True)
    if window.baseline is None and (shaped.baseline or "baseline_start" in one.binds):
        said = "in_baseline needs a baseline in the window: window: {trailing: 24h, …, baseline: 28d}"
        yield one.in_sql(said, "in_baseline")


def _given(one: Draft, file: PolicyFile, window: WindowFile) -> Iterator[Problem]:
    """Events need their time in the result: it orders them, and `within` counts by it."""
    if one.columns is None or window.column in one.columns or window.trailing is not None:
        return
    if one.shaped and window.column not in [_bare(column) for column in one.shaped.window]:
        return  # another column is meant; `_used` says so
    counted = file.threshold.within is not None
    use = "within counts by it" if counted else "its rows are ordered by it"
    said = f"the query does not give {window.column}; {use}"
    yield one.document.problem(("window", "column"), said, warning=not counted)


def _single(one: Draft, file: PolicyFile) -> bool:
    """Whether what is put together is one event, which has a name of its own: an order of its lines."""
    return bool(set(file.row_key) - set(file.key)) and one.facts.one_row_per(file.row_key)


def _put_together(one: Draft, file: PolicyFile, window: WindowFile) -> Iterator[Problem]:
    """Events that the SQL counts itself: each look would count only the newest of them."""
    if window.column in one.facts.gathered and not _single(one, file):
        said = (
            "puts rows together, and a look sees only those that came since the last one: give each row by "
            "itself and let threshold count them, or look at a whole time with trailing"
        )
        yield one.in_sql(said, "group by", warning=True)


def _reach(one: Draft, window: WindowFile, beside: Beside) -> Iterator[Problem]:
    """Where nothing says until when a table is loaded, lookback must cover one load."""
    lookback = window.lookback or timedelta()
    for table in one.query.tables if one.query else ():
        asset = beside.assets.get(table)
        if asset is None or asset.loaded_until or window.column not in asset.columns:
            continue
        if one.facts.windowed is not None and table not in one.facts.windowed:
            continue  # it is only joined, whatever it calls its columns
        if asset.load_interval is None:
            said = f"{table} says neither loaded_until nor load_interval; rows that come late may go unseen"
            yield one.document.problem(("window",), said, warning=True)
        elif lookback < asset.load_interval:
            every = say_duration(asset.load_interval)
            said = f"must be at least {every}: {table} is loaded every {every} and has no loaded_until"
            where = ("window", "lookback") if window.lookback else ("window",)
            yield one.document.problem(where, said)


def _no_reach(one: Draft, window: WindowFile) -> Iterator[Problem]:
    """Without lookback or delay, a row that comes a second after a later one is not looked at."""
    if window.lookback is None and window.delay is None:
        said = (
            "says neither lookback (how late a row may come) nor trailing: a row that comes late is not "
            "looked at"
        )
        yield one.document.problem(("window",), said, key=True, warning=True)


def _bare(column: str) -> str:
    return column.rpartition(".")[2]
