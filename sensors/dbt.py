"""Tables and exposures from dbt: reads a manifest.json leniently and keeps of it what _assets.yml can say."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sensors.model.asset import AGED_BY, LAST_ALTERED, Asset
from sensors.model.catalog import Problem
from sensors.model.clock import parse_duration
from sensors.model.graph import kind_of

MOST_BYTES = 300_000_000  # ten times a large project's; reading it takes several times as much memory
NODES = ("model", "seed", "snapshot", "source")  # the types of what is a table
USES = {"ml": "model"}  # of what uses tables, by its type; all else is looked at by people
TIERS = ("vetted", "core", "raw", "scratch")
NAME = re.compile(r"[A-Za-z_][\w$]*")
PERIODS = {"minute": "m", "hour": "h", "day": "d"}
Raw = Mapping[str, Any]


class Unreadable(Exception):
    """The manifest cannot be used; the message is a sentence that says why and what to do."""


def distilled(path: Path, shown: str) -> tuple[str, list[Problem]]:
    """What the manifest says of tables, as JSON by their names; an empty text where it cannot be read."""
    try:
        stat = path.stat()
        if stat.st_size > MOST_BYTES:
            raise Unreadable(f"is larger than {MOST_BYTES // 1_000_000} MB; it is not read")
        return _distilled(str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino), []
    except FileNotFoundError:
        said = "dbt's manifest is not there: run `dbt parse`, or mend dbt_manifest in patrol.yml"
    except OSError as error:
        said = f"dbt's manifest cannot be read: {(error.strerror or 'no reason given').lower()}"
    except Unreadable as error:
        said = f"dbt's manifest {error}"
    return "", [Problem(shown, 1, 1, said)]


@lru_cache(maxsize=16)
def _distilled(path: str, _size: int, _mtime_ns: int, _inode: int) -> str:
    return json.dumps(tables(_json(Path(path))), sort_keys=True, ensure_ascii=False)


def _json(path: Path) -> Raw:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):  # also bytes that are no text
        raise Unreadable("is not JSON; run `dbt parse` again") from None
    if not isinstance(found, dict) or not isinstance(found.get("nodes"), dict):
        raise Unreadable("has no nodes; name the file target/manifest.json that `dbt parse` writes")
    return found


def tables(manifest: Raw) -> dict[str, dict[str, Any]]:
    """Every table that dbt makes or reads, by `schema.table`, and by `database.schema.table` where two
    databases have one of the same name; what it exposes, by `dashboard:name`; with what each is made of."""
    groups = _mapping(manifest.get("groups"))
    owners = {str(_mapping(g).get("name")): _mapping(_mapping(g).get("owner")) for g in groups.values()}
    nodes = {**_nodes(manifest, "nodes"), **_nodes(manifest, "sources")}
    names, exposures = _named(nodes), _nodes(manifest, "exposures")
    found = {name: {**_entry(nodes[one], owners), **_after(one, nodes, names)} for one, name in names.items()}
    for one, node in exposures.items():
        if name := _exposed(node):
            found[name] = {**_exposure(node, owners), **_after(one, exposures | nodes, names)}
    return found


def _nodes(manifest: Raw, kind: str) -> dict[str, Raw]:
    """By dbt's own id."""
    return {key: _mapping(node) for key, node in _mapping(manifest.get(kind)).items()}


def _named(nodes: Mapping[str, Raw]) -> dict[str, str]:
    """What each table is called here, by dbt's id."""
    places = {one: place for one, node in nodes.items() if (place := _place(node))}
    often = Counter(table for _, table in set(places.values()))
    return {
        one: table if often[table] == 1 or not db else f"{db}.{table}" for one, (db, table) in places.items()
    }


def _after(one: str, nodes: Mapping[str, Raw], names: Mapping[str, str]) -> dict[str, Any]:
    """What it is made of, by our names; what is no table itself (an ephemeral model) is looked through."""
    found, seen, waiting = set[str](), {one}, [one]
    while waiting:
        for up in _listed(_mapping(nodes.get(waiting.pop(), {}).get("depends_on")).get("nodes")):
            if not isinstance(up, str) or up in seen:
                continue
            seen.add(up)
            if up in names:
                found.add(names[up])
            else:
                waiting.append(up)
    found.discard(names.get(one, ""))
    return {"after": sorted(found)} if found else {}


def _exposed(node: Raw) -> str:
    name = node.get("name")
    kind = USES.get(str(node.get("type")), "dashboard")
    return f"{kind}:{name.lower()}" if isinstance(name, str) and NAME.fullmatch(name) else ""


def _exposure(node: Raw, groups: Mapping[str, Raw]) -> dict[str, Any]:
    config = _mapping(node.get("config"))
    meta = {**_mapping(config.get("meta")), **_mapping(node.get("meta"))}
    owners = [*_owners(meta, node.get("group") or config.get("group"), groups)]
    label = node.get("label") or node.get("description")
    entry = {
        "owners": [*_words([*owners, _mapping(node.get("owner")).get("name")])],
        "description": label if isinstance(label, str) else "",
    }
    return {key: value for key, value in entry.items() if value}


def _words(values: Iterable[Any]) -> Iterator[str]:
    return (one for one in values if isinstance(one, str) and one)


def _place(node: Raw) -> tuple[str, str] | None:
    """Database and `schema.table`, in lower case; None where it is no table or has no usable name."""
    config = _mapping(node.get("config"))
    unmade = config.get("materialized") == "ephemeral" or config.get("enabled") is False
    if node.get("resource_type") not in NODES or unmade:
        return None
    names = (node.get("schema"), node.get("identifier") or node.get("alias") or node.get("name"))
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        return None
    database = node.get("database")
    usable = isinstance(database, str) and NAME.fullmatch(database)
    return (str(database).lower() if usable else "", ".".join(str(name) for name in names).lower())


def _entry(node: Raw, groups: Mapping[str, Raw]) -> dict[str, Any]:
    """What is known of one table; what has not the expected shape is as good as not said."""
    config = _mapping(node.get("config"))
    meta = {**_mapping(config.get("meta")), **_mapping(node.get("meta"))}
    group = node.get("group") or config.get("group")
    freshness = _mapping(node.get("freshness")) or _mapping(config.get("freshness"))
    columns = _columns(node)
    loaded = node.get("loaded_at_field") or config.get("loaded_at_field")
    asked = loaded or node.get("loaded_at_query") or config.get("loaded_at_query")
    by_change = node["resource_type"] == "source" and freshness and not asked  # so dbt itself has it
    entry = {
        "tier": _tier(node, config, meta),
        "owners": [*_words(_owners(meta, group, groups))],
        "columns": columns,
        "loaded_until": _column(loaded, columns),
        "warn_after": _span(freshness.get("warn_after")),
        "late_after": _span(freshness.get("error_after")),
        "aged_by": LAST_ALTERED if by_change else "",
        "description": node.get("description") if isinstance(node.get("description"), str) else "",
    }
    return {key: value for key, value in entry.items() if value}


def _owners(meta: Raw, group: Any, groups: Mapping[str, Raw]) -> Iterator[Any]:
    """Who may be meant, the nearest first. Which of them is a team, only _teams.yml knows."""
    yield meta.get("owner")
    if isinstance(group, str):
        yield groups.get(group, {}).get("name")
        yield group


def _tier(node: Raw, config: Raw, meta: Raw) -> str:
    tags = [tag for held in (node.get("tags"), config.get("tags")) for tag in _listed(held)]
    said = [meta.get("tier"), *(tier for tier in TIERS if tier in tags)]
    default = "raw" if node["resource_type"] == "source" else "core"
    return next((one for one in said if one in TIERS), default)


def _columns(node: Raw) -> dict[str, str]:
    """All columns with their types, or none: a list that lacks types is a description of some of them, and
    what is taken for the whole of a table must be the whole."""
    found: dict[str, str] = {}
    for key, column in _mapping(node.get("columns")).items():
        said = _mapping(column)
        name, kind = said.get("name", key), said.get("data_type")
        if not (isinstance(name, str) and NAME.fullmatch(name) and isinstance(kind, str) and kind.strip()):
            return {}
        found[name.lower()] = kind.strip()
    return found


def _column(value: Any, columns: Collection[str]) -> str:
    """A bare column's name; dbt also takes an expression here, which says nothing to us."""
    name = value.lower() if isinstance(value, str) and NAME.fullmatch(value) else ""
    return name if not columns or name in columns else ""


def _span(value: Any) -> str:
    """`{count: 12, period: hour}` as 12h."""
    said = _mapping(value)
    count, unit = said.get("count"), PERIODS.get(str(said.get("period")))
    whole = not isinstance(count, bool) and re.fullmatch(r"[1-9]\d{0,5}", str(count))
    return f"{count}{unit}" if whole and unit else ""


def _mapping(value: Any) -> Raw:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def assets(text: str, teams: Collection[str]) -> dict[str, Asset]:
    """The distilled text as assets; each belongs to the first of its owners that is a team, or to nobody."""
    return {name: _asset(name, entry, teams) for name, entry in json.loads(text or "{}").items()}


def _asset(name: str, entry: Raw, teams: Collection[str]) -> Asset:
    warn, late = parse_duration(entry.get("warn_after", "")), parse_duration(entry.get("late_after", ""))
    return Asset(
        name=name,
        kind=kind_of(name),
        tier=entry.get("tier", "core"),
        owner=next((one for one in entry.get("owners", ()) if one in teams), None),
        columns=entry.get("columns", {}),
        loaded_until=entry.get("loaded_until"),
        warn_after=None if warn and late and late < warn else warn,
        late_after=late,
        aged_by=entry.get("aged_by", AGED_BY),
        description=entry.get("description", ""),
        after=tuple(entry.get("after", ())),
    )
