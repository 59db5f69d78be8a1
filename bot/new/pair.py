"""An idea → the texts of its two files, by path. Fills the shape's templates; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from bot.new import rows
from bot.new.blank import fill
from bot.new.column import Value, listed, scalar, spelled
from bot.new.idea import Idea
from sensors.model.case import OF_THE_ALERT
from sensors.model.policy import Severity
from sensors.sources import sql_path
from sensors.title import title_names, title_problem

FEWEST = 10  # rows that a share needs
LOOKBACK = timedelta(minutes=15)
UNITS = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
PRIVATE = ("email", "phone", "address", "iban", "card", "passport")
PRIVATE_NAMES = ("ip", "ip_address")


def pair(idea: Idea) -> dict[str, str]:
    """The policy's YAML and its SQL, by path; with the same idea always the same."""
    binds = _binds(idea)
    values = {**_names(idea), **_words(idea), **_numbers(idea), **_times(idea)}
    values |= _columns(idea, values) | _sql(idea, binds) | _params(idea, binds)
    yml, sql = (fill(idea.shape.text(ending), values) for ending in ("yml", "sql"))
    return {f"policies/{idea.name.replace('.', '/')}.yml": rows.expand(yml, idea), sql_path(idea.name): sql}


def _names(idea: Idea) -> dict[str, str]:
    """The shape's own names, each other than those of the tables and their columns."""
    taken = {name for asset in idea.tables for name in (asset.name, *asset.columns)}
    free: dict[str, str] = {}
    for name in idea.shape.own:
        free[name] = name
        while free[name] in taken:
            free[name] += "_"
    return free


def _words(idea: Idea) -> dict[str, str]:
    words = idea.name.rpartition(".")[2].replace("_", " ")
    who = " / ".join(f"{{{{ {c} }}}}" for c in idea.key if _titled(c))
    return {
        "words": words,
        "title": scalar(words[:1].upper() + words[1:]),
        "who": f"{who}: " if who else "",
        "owner": scalar(idea.owner),
        "violation": scalar(idea.violation) if idea.violation else "",
        "key_words": " and ".join(idea.key),
        "hits_words": "the rows that meet the condition" if idea.match else f"rows of {idea.table.name}",
        "table": idea.table.name,
        "of": idea.of.name if idea.of else "",
        "of_table": (idea.of or idea.table).name,
        "watchlist": idea.watchlist.name if idea.watchlist else "",
        "on_key": idea.on_key,
    }


def _titled(column: str) -> bool:
    """Whether a title can name the column: `in` and `not` are Jinja's own words, `count` is the engine's."""
    text = f"{{{{ {column} }}}}"
    return title_problem(text) is None and title_names(text) == {column}


def _numbers(idea: Idea) -> dict[str, str]:
    n, severity = idea.number, Severity[idea.severity]
    worse = Severity(min(severity + 1, Severity.critical)).name
    counted = {"count": n, "less": n - 1, "twice": 2 * n, "twice_less": 2 * n - 1}
    counted |= _shares(idea)
    return {
        **{name: str(number) for name, number in counted.items()},
        "severity": idea.severity,
        "word": idea.severity,
        "worse": worse if worse != idea.severity else "",
    }


def _shares(idea: Idea) -> dict[str, int]:
    """Of the shape rate: how many rows lie on each side of its bounds, with shares of as many rows each."""
    least = idea.least_hits
    before = -(-(least + 1) // idea.number)  # so that one hit less than their multiple is still enough hits
    hits = before * idea.number
    rows = max(FEWEST, hits)
    return {
        "rate_rows": rows,
        "rate_hits": hits,
        "rate_rest": rows - hits,
        "rate_less": hits - 1,
        "rate_rest_more": max(0, rows + 1 - hits - len(idea.match)),
        "rate_before": before,
        "rate_before_rest": rows - before,
        "least_hits": least,
        "least_less": least - 1,
        "least_rest": rows - least,
    }


def _times(idea: Idea) -> dict[str, str]:
    load = idea.table.load_interval or timedelta()
    lookback = LOOKBACK if idea.table.loaded_until else max(LOOKBACK, load)
    needs = ""
    if any(table.late_after for table in idea.tables):
        words = {t.name: "wait" if t.late_after else "run" for t in idea.tables}
        needs = f"{{{', '.join(f'{scalar(name)}: {word}' for name, word in words.items())}}}"
    return {
        "time": idea.time or "",
        "t": idea.time or "",
        "ot": idea.of_time or idea.time or "",
        "every": short(max(idea.shape.every, *(t.load_interval or timedelta() for t in idea.tables))),
        "lookback": short(lookback),
        "span": short(idea.span),
        "needs": needs,
        "at": f"{rows.AT:%Y-%m-%dT%H:%M:%SZ}",
    }


def short(span: timedelta) -> str:
    """A duration as files write it, in the largest unit that says it exactly: 24h is 1d."""
    seconds = max(1, round(span.total_seconds()))
    return next(f"{seconds // size}{unit}" for unit, size in UNITS if seconds % size == 0)


def _columns(idea: Idea, names: Mapping[str, str]) -> dict[str, str]:
    """The lists of columns in the YAML: what an alert shows, and what of it is masked."""
    shown = [*idea.key, *([idea.text] if idea.text else []), *(c.column for c in idea.match)]
    timed = [*shown, *([idea.time] if idea.time else [])]
    masked = [c for c in dict.fromkeys(shown) if _private(c) and c not in idea.key]
    found = {
        "key": listed(idea.key),
        "row_key": listed(idea.row_key) if idea.row_key else "",
        **{f"key_{number}": _told(idea, number) for number in (1, 2)},
        "masked": f"{{{', '.join(f'{scalar(c)}: mask' for c in masked)}}}" if masked else "",
        "fields": listed(dict.fromkeys(timed)),
        "fields_watchlist": listed(dict.fromkeys([*timed, *idea.list_columns])),
        "ring_row_key": listed([*idea.key, *([idea.distinct] if idea.distinct else [])]),
    }
    for shape, own in FIELDS.items():
        mine = [names[name] for name in own if name in names]
        beside = [idea.distinct] if shape == "ring" and idea.distinct else []
        found[f"fields_{shape}"] = listed(dict.fromkeys([*idea.key, *beside, *mine]))
    return found


def _told(idea: Idea, number: int) -> str:
    """What a case expects of the nth key; a key `count` would be taken for the alert's."""
    key = rows.key_values(idea, idea.table, number)
    return "".join(f"{scalar(c)}: {scalar(v)}, " for c, v in key.items() if c not in OF_THE_ALERT)


FIELDS = {
    "rate": ("hits", "out_of", "rate", "usual_rate"),
    "burst": ("accounts", "first_at", "last_at"),
    "ring": ("members",),
    "anomaly": ("rows_now", "usual_day", "most_before"),
    "stale": ("rows_before", "newest_at"),
}


def _private(column: str) -> bool:
    return column in PRIVATE_NAMES or any(word in column for word in PRIVATE)


def _binds(idea: Idea) -> list[dict[str, Value]]:
    """Params of each condition, by names of their own."""
    taken = {"least", "times", "least_days", "least_hits", "window_start", "window_end", "baseline_start"}
    found: list[dict[str, Value]] = []
    for condition in idea.match:
        mine: dict[str, Value] = {}
        for name, value in condition.binds().items():
            while name in taken:
                name += "_"
            taken.add(name)
            mine[name] = value
        found.append(mine)
    return found


def _params(idea: Idea, binds: Iterable[Mapping[str, Value]]) -> dict[str, str]:
    matched = [f"{scalar(name)}: {scalar(value)}" for one in binds for name, value in one.items()]
    least = [f"least: {idea.number}"]
    anomaly = ["least_days: 5", f"times: {idea.number}"]
    rate = [f"least: {FEWEST}", f"least_hits: {idea.least_hits}", f"times: {idea.number}"]
    return {
        "params": f"{{{', '.join(matched)}}}" if matched else "",
        "params_least": f"{{{', '.join([*least, *matched])}}}",
        "params_rate": f"{{{', '.join([*rate, *matched])}}}",
        "params_anomaly": f"{{{', '.join([*anomaly, *matched])}}}",
    }


def _sql(idea: Idea, binds: Iterable[Iterable[str]]) -> dict[str, str]:
    def columns(alias: str, names: Iterable[str] = idea.key) -> str:
        return ", ".join(spelled(alias, name, idea.dialect) for name in names)

    def joined(left: str, right: str) -> str:
        both = ((spelled(left, k, idea.dialect), spelled(right, k, idea.dialect)) for k in idea.key)
        return " AND ".join(f"{a} = {b}" for a, b in both)

    conditions = [c.sql("e", idea.dialect, names) for c, names in zip(idea.match, binds, strict=True)]
    given = [*idea.row_key, *idea.key, *([idea.text] if idea.text else [])]
    given += [*(c.column for c in idea.match), *([idea.time] if idea.time else [])]
    return {
        "select": columns("e", dict.fromkeys(given)),
        "conditions": "\nAND ".join(conditions),
        "where": "WHERE " + "\n  AND ".join(conditions),
        "match": "yes" if conditions else "",
        **{f"keys_{alias}": columns(alias) for alias in "eoadsn"},
        "keys_there": " AND ".join(f"{spelled('e', k, idea.dialect)} IS NOT NULL" for k in idea.key),
        "distinct_e": spelled("e", idea.distinct, idea.dialect) if idea.distinct else "",
        "distinct": idea.distinct or "",
        "list_columns": "".join(f", {spelled('w', c, idea.dialect)}" for c in idea.list_columns),
        "on_h_a": joined("h", "a"),
        "on_e_s": joined("e", "s"),
        "on_u_n": joined("u", "n"),
        "on_w": spelled("w", idea.on, idea.dialect) if idea.on else "",
        "on_e": spelled("e", idea.on_key, idea.dialect),
    }
