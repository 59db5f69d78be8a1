"""Settings at the door: the environment (which wins) and patrol.yml, checked in one go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bot.process import settings_bundles, settings_hooks
from bot.process.errors import SettingsError
from bot.process.settings_bundles import DIALECTS
from bot.process.settings_hooks import Hook
from bot.process.settings_words import ABOUT, CHOICES, called, token
from sensors.model.bundle import Bundle

FILE = "patrol.yml"
SLACK = "https://slack.com/api/"
SECRETS = ("slack_bot_token", "slack_app_token", "slack_signing_secret")
ADDRESSES = ("store_url", "warehouse_url", "ping_url")  # may carry a password
NESTED = ("bundles", "hooks")  # what is no single value, and stands in the file alone
HIDDEN = (*SECRETS, "ping_url")  # its path may be a secret, too


@dataclass(frozen=True)
class Settings:
    """What this process runs with. Its repr shows no secret; addresses of local files are absolute."""

    project: Path
    store_url: str
    warehouse_url: str | None
    host: str
    port: int
    slack_url: str
    slack_mode: str
    workers: int
    log: str
    log_level: str
    dialect: str
    bundle: str
    owner: str | None
    dbt_manifest: str | None
    bundle_folders: str | None
    functions: str | None
    commands: str
    pull_every: int
    url: str | None
    ping_url: str | None
    earn_judged: int
    earn_precision: float
    earn_a_day: float
    earn_days: int
    evidence_days: int | None
    history_days: int | None
    audit_days: int | None
    slack_bot_token: str | None
    slack_app_token: str | None
    slack_signing_secret: str | None
    bundles: tuple[Bundle, ...] = ()
    hooks: tuple[Hook, ...] = ()

    @property
    def manifest(self) -> Path | None:
        """Where dbt's manifest lies, if the project takes tables from one."""
        return self.project / self.dbt_manifest if self.dbt_manifest else None

    @property
    def may_call(self) -> tuple[str, ...]:
        """Functions of the warehouse's own that queries may call."""
        return tuple((self.functions or "").split())

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that no log line may show."""
        return tuple(value for name in HIDDEN if (value := getattr(self, name)))

    def __repr__(self) -> str:
        shown = (f"{f.name}={_shown(f.name, getattr(self, f.name))}" for f in fields(self))
        return f"Settings({', '.join(shown)})"


class Given(NamedTuple):
    """A value as somebody wrote it, and where."""

    text: str
    where: str  # "environment PATROL_PORT" or "patrol.yml:3:7 port"


def load(project: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of the project in this environment; SettingsError lists every mistake at once."""
    project = project.resolve()
    if not project.is_dir():
        raise SettingsError(f"There is no folder {project}: give the one that holds policies/ and sql/.")
    mistakes: list[str] = []
    nested: dict[str, yaml.Node] = {}
    given = {**_from_file(project / FILE, mistakes, nested), **_from_environment(project, environ, mistakes)}
    try:
        checked = _Checked.model_validate({name: value.text for name, value in given.items()})
    except ValidationError as error:
        mistakes += [_sentence(e, given[str(e["loc"][0])]) for e in error.errors(include_url=False)]
        checked = _Checked()
    bundles, wrong = settings_bundles.read(nested.get("bundles"), checked)
    hooks, wrong_hooks = settings_hooks.read(nested.get("hooks"))
    mistakes += [*wrong, *wrong_hooks]
    if mistakes:
        raise SettingsError(_listed(mistakes))
    values = checked.model_dump() | {n: _absolute(getattr(checked, n), project) for n in ADDRESSES}
    settings = Settings(project=project, bundles=bundles, hooks=hooks, **values)
    return replace(settings, bundles=tuple(replace(b, functions=settings.may_call) for b in bundles))


def require_slack(settings: Settings) -> None:
    """Whatever Slack is to reach needs its secrets, which depend on `slack_mode`."""
    require(settings, slack=True)


def require(settings: Settings, *, slack: bool = False, warehouse: bool = False) -> None:
    """SettingsError naming everything that is missing for what is about to be done."""
    missing = []
    if slack and not settings.slack_bot_token:
        missing.append(
            "SLACK_BOT_TOKEN is not set: it begins with xoxb- and stands under OAuth & Permissions."
        )
    if slack and settings.slack_mode == "http" and not settings.slack_signing_secret:
        missing.append(
            "SLACK_SIGNING_SECRET is not set: slack_mode is http, where it proves what comes from Slack."
            " It stands under Basic Information; no SLACK_APP_TOKEN is needed."
        )
    if slack and settings.slack_mode == "socket" and not settings.slack_app_token:
        missing.append("SLACK_APP_TOKEN is not set: it begins with xapp-, has the scope connections:write,"
                       " and stands under Basic Information.")  # fmt: skip
    if warehouse and not settings.warehouse_url:
        missing.append(f"No warehouse to look at: set PATROL_WAREHOUSE_URL, or warehouse_url in {FILE}.")
    if missing:
        raise SettingsError(_listed(missing))


def schema() -> dict[str, Any]:
    """What patrol.yml may say, as a JSON Schema. Secrets have no place in it."""
    known = _Checked.model_json_schema()["properties"]
    said: dict[str, Any] = {}
    for name, about in ABOUT.items():
        choices = {"enum": list(CHOICES[name])} if name in CHOICES else {}
        plain = ("type", "minimum", "maximum", "default")
        kept = {k: v for k, v in known[name].items() if k in plain and v is not None}
        said[name] = {"type": ["string", "null"], "description": about, **kept, **choices}
    said |= {"bundles": settings_bundles.schema(), "hooks": settings_hooks.schema()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": FILE,
        "type": ["object", "null"],
        "properties": said,
        "additionalProperties": False,
    }


def hide_password(url: str) -> str:
    """The address without its password, for logs and messages."""
    return re.sub(r"(://[^/?#\s:@]*):[^/?#\s]*@", r"\1:…@", url)


# What each setting must be. A field's description completes the sentence "must be …".


def _address(url: str) -> str:
    if not re.match(r"[a-zA-Z][\w+.-]*://", url):
        raise ValueError("must be an address such as sqlite:///folder/file.db or postgresql://user@host/name")
    return url


def _web_address(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError(f"must be the address of Slack's Web API, such as {SLACK}")
    return url.rstrip("/") + "/"


def _outside_address(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError("must be an address that begins with https:// or http://")
    return url


def _dialect(name: str) -> str:
    if name.lower() not in DIALECTS:
        raise ValueError(f"must be a dialect of SQL such as {', '.join(DIALECTS[:4])}")
    return name.lower()


Days = Annotated[int | None, Field(ge=35, le=36500, description="a whole number of days, 35 or more")]


class _Checked(BaseModel):
    """The same settings as text; pydantic turns them into values."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    store_url: Annotated[str, AfterValidator(_address)] = "sqlite:///.patrol/patrol.db"
    warehouse_url: Annotated[str, AfterValidator(_address)] | None = None
    host: Annotated[str, Field(pattern=r"^[\w.:-]+$", description="a host name or address to listen on")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65535, description="a whole number from 0 to 65535")] = 8080
    slack_url: Annotated[str, AfterValidator(_web_address)] = SLACK
    slack_mode: Annotated[Literal["socket", "http"], Field(description="socket or http")] = "socket"
    workers: Annotated[int, Field(ge=1, le=64, description="a whole number from 1 to 64")] = 2
    log: Annotated[Literal["auto", "json", "pretty"], Field(description="auto, json or pretty")] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="debug, info, warning or error"),
    ] = "info"
    dialect: Annotated[str, AfterValidator(_dialect)] = "snowflake"
    bundle: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9_-]*$", description="a short name of a-z, 0-9, _ and -")
    ] = "main"
    owner: Annotated[str, Field(min_length=1, description="a team of policies/_teams.yml")] | None = None
    dbt_manifest: (
        Annotated[str, Field(min_length=1, description="the path of dbt's manifest.json")] | None
    ) = None
    bundle_folders: str | None = None
    functions: Annotated[str, AfterValidator(called)] | None = None
    commands: Annotated[Literal["on", "off"], Field(description="on or off")] = "off"
    pull_every: Annotated[int, Field(ge=1, le=86_400, description="a whole number of seconds")] = 60
    url: Annotated[str, AfterValidator(_outside_address)] | None = None
    ping_url: Annotated[str, AfterValidator(_outside_address)] | None = None
    earn_judged: Annotated[int, Field(ge=1, le=1000, description="a whole number from 1 to 1000")] = 10
    earn_precision: Annotated[float, Field(ge=0, le=1, description="a share from 0 to 1, such as 0.8")] = 0.8
    earn_a_day: Annotated[float, Field(gt=0, le=100_000, description="a number above 0")] = 20
    earn_days: Annotated[int, Field(ge=0, le=30, description="a whole number from 0 to 30")] = 3
    evidence_days: Days = None
    history_days: Days = None
    audit_days: Days = None
    slack_bot_token: Annotated[str, token("xoxb-", "a bot token")] | None = None
    slack_app_token: Annotated[str, token("xapp-", "an app-level token")] | None = None
    slack_signing_secret: str | None = None


ENVIRONMENT = {
    (name if name in SECRETS else f"patrol_{name}").upper(): name for name in _Checked.model_fields
}  # PATROL_PORT -> port
FROM_FILES = {
    f"{variable}_FILE": variable for variable, name in ENVIRONMENT.items() if name in SECRETS + ADDRESSES
}


def _sentence(error: Any, given: Given) -> str:
    name = str(error["loc"][0])
    must = f"must be {_Checked.model_fields[name].description}"
    if error["type"] == "value_error":
        must = str(error["ctx"]["error"])
    if name == "port" and given.text.startswith("tcp://"):
        must += " (Kubernetes sets this one for a service called patrol: turn enableServiceLinks off)"
    if name in HIDDEN or (name in ADDRESSES and "@" in given.text):
        return f"{given.where}: {must}"
    return f"{given.where}: {must}, not {given.text[:100]!r}{_meant(given.text, CHOICES.get(name, ()))}"


# Where values come from.


def _from_environment(project: Path, environ: Mapping[str, str], mistakes: list[str]) -> dict[str, Given]:
    given: dict[str, Given] = {}
    for variable, name in ENVIRONMENT.items():
        if environ.get(variable, "").strip():
            given[name] = Given(environ[variable].strip(), f"environment {variable}")
    for pointer, variable in FROM_FILES.items():
        if not environ.get(pointer, "").strip():
            continue
        if ENVIRONMENT[variable] in given:
            mistakes.append(f"environment {pointer}: {variable} is set too; keep one of them")
        elif text := _content(project / environ[pointer].strip(), pointer, mistakes):
            given[ENVIRONMENT[variable]] = Given(text, f"environment {pointer}")
    mistakes += _misspelt(project, environ)
    return given


def _content(path: Path, pointer: str, mistakes: list[str]) -> str:
    """The secret that the file holds; a reason goes to the mistakes where there is none."""
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not text"
        mistakes.append(f"environment {pointer}: the file {path} cannot be read ({why})")
        return ""
    if not text:
        mistakes.append(f"environment {pointer}: the file {path} is empty")
    return text


def _misspelt(project: Path, environ: Mapping[str, str]) -> list[str]:
    """PATROL_ variables that look like one of ours; those that jobs or links name as ${…} are left alone."""
    known = [*(v for v in ENVIRONMENT if v.startswith("PATROL_")), *FROM_FILES]
    strangers = [v for v in sorted(environ) if v.startswith("PATROL_") and v not in known]
    near = {
        v: _nearest(v.removeprefix("PATROL_"), [k.removeprefix("PATROL_") for k in known]) for v in strangers
    }
    if not any(near.values()):
        return []
    files = "".join(p.read_text("utf-8", "replace") for p in project.glob("policies/**/_*.y*ml"))
    return [
        f'environment {v}: there is no such setting; did you mean "PATROL_{meant}"?'
        for v, meant in near.items()
        if meant and not re.search(rf"\$\{{{v}\b", files)
    ]


def _from_file(path: Path, mistakes: list[str], nested: dict[str, yaml.Node]) -> dict[str, Given]:
    """The values of patrol.yml as they are written, so that YAML 1.1 reads nothing into `no` or `010`."""
    try:
        root = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        mistakes.append(f"{FILE}: cannot be read as text in UTF-8")
        return {}
    except RecursionError:
        mistakes.append(f"{FILE}: is nested too deeply; each line is `name: value`")
        return {}
    except yaml.YAMLError as error:
        place = _place(getattr(error, "problem_mark", None))
        mistakes.append(f"{place}: cannot be read; each line is `name: value` (mind tabs, quotes and colons)")
        return {}
    if root is not None and not isinstance(root, yaml.MappingNode):
        mistakes.append(f"{_place(root.start_mark)}: must hold lines of the form `name: value`")
        return {}
    given: dict[str, Given] = {}
    for key, value in root.value if root else ():
        if key.value in NESTED and key.value not in nested:
            nested[key.value] = value
        else:
            _take(key, value, given, mistakes)
    return given


def _take(key: yaml.Node, value: yaml.Node, given: dict[str, Given], mistakes: list[str]) -> None:
    name = str(key.value)[:80]
    where = f"{_place(value.start_mark)} {name}"
    if name in SECRETS:
        mistakes.append(
            f"{where}: is a secret and must not stand in a file that is shared; set {name.upper()}"
        )
    elif name not in (*_Checked.model_fields, *NESTED):
        allowed = [*(n for n in _Checked.model_fields if n not in SECRETS), *NESTED]
        mistakes.append(f"{_place(key.start_mark)} {name}: there is no such setting{_meant(name, allowed)}")
    elif name in given or name in NESTED:
        mistakes.append(f"{_place(key.start_mark)} {name}: stands here a second time")
    elif not isinstance(value, yaml.ScalarNode):
        mistakes.append(f"{where}: must be a single value")
    elif value.value.strip() and value.tag != "tag:yaml.org,2002:null":
        given[name] = Given(value.value.strip(), where)


# Words and paths.


def _place(mark: yaml.Mark | None) -> str:
    return f"{FILE}:{mark.line + 1}:{mark.column + 1}" if mark else FILE


def _nearest(word: str, known: list[str]) -> str:
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.75)), "")


def _meant(word: str, known: Sequence[str]) -> str:
    meant = next(iter(get_close_matches(word.lower(), known, n=1, cutoff=0.6)), "")
    return f'; did you mean "{meant}"?' if meant else ""


def _shown(name: str, value: object) -> str:
    if name in SECRETS:
        return "set" if value else "absent"
    if name == "ping_url" and isinstance(value, str):
        return repr(f"{urlsplit(value).scheme}://{urlsplit(value).hostname}/…")
    return repr(hide_password(value)[:200] if isinstance(value, str) else value)


def _listed(mistakes: list[str]) -> str:
    if len(mistakes) == 1:
        return mistakes[0]
    return f"{len(mistakes)} mistakes in the settings:\n" + "\n".join(f"  {m}" for m in mistakes)


def _absolute(url: str | None, project: Path) -> str | None:
    """sqlite:///x and duckdb:///x name a file below the project; four slashes name an absolute one."""
    found = re.fullmatch(r"(sqlite(?:\+\w+)?|duckdb):///(?!/|:memory:)([^?]+)(.*)", url or "")
    return f"{found[1]}:///{project / found[2]}{found[3]}" if found else url
