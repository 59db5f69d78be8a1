"""A job's config by its kind, validated before it is used: by `patrol check` and again at every start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.jobs import KINDS, fill, statement
from bot.process.errors import JobRefused
from sensors.model.clock import parse_duration
from sensors.model.job import KEY, Job

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _words(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words), Field(description="a word or a list of words")]
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(description="a duration such as 2s")]
Verb = Annotated[Method, BeforeValidator(_upper), Field(description="a method such as GET or POST")]
Text = Annotated[str, Field(min_length=1, description="a text")]


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Poll(_Config):
    """How to follow a run. `id`, `state`, `message`, `link` are paths into the answers, such as data.id."""

    url: Text
    every: Duration = timedelta(seconds=2)
    id: Text = "id"
    state: Text = "state"
    done: Words = ("succeeded",)
    failed: Words = ("failed",)
    message: Text = "message"
    link: Text = "link"


class Http(_Config):
    """One request; without `poll` its answer is the outcome."""

    url: Text
    method: Verb = "POST"
    headers: Annotated[dict[str, str], Field(description="a mapping of names to texts")] = {}
    body: Any = None
    message: Text = "message"
    link: Text = "link"
    poll: Annotated[Poll | None, Field(description="a mapping with url, id, state, …")] = None


class Sql(_Config):
    """One statement in one transaction. `idempotent`: to do it twice is as good as once."""

    url: Text
    statement: Text
    idempotent: Annotated[bool, Field(description="true or false")] = False


def problems(job: Job) -> list[str]:
    """Everything that is wrong with the job's config, in sentences; empty when it can be started."""
    try:
        if job.kind == "http":
            return list(_http_problems(job, Http.model_validate(dict(job.config))))
        if job.kind == "sql":
            return list(_sql_problems(job, Sql.model_validate(dict(job.config))))
    except ValidationError as error:
        return [_sentence(job, e) for e in error.errors(include_url=False)]
    return [f'kind: there is no kind "{job.kind}"{_meant(job.kind, KINDS)}']


def http(job: Job) -> Http:
    """The config of an http job, or JobRefused."""
    _refuse_problems(job)
    return Http.model_validate(dict(job.config))


def sql(job: Job) -> Sql:
    """The config of an sql job, or JobRefused."""
    _refuse_problems(job)
    return Sql.model_validate(dict(job.config))


def _refuse_problems(job: Job) -> None:
    if wrong := problems(job):
        raise JobRefused(f"{job.title} is not declared right, so it was not started: {'; '.join(wrong)}.")


def _http_problems(job: Job, config: Http) -> Iterator[str]:
    yield from _address_problems("url", config.url)
    yield from _unknown("url", fill.names(config.url), job)
    yield from _unknown("body", fill.names(config.body), job)
    if config.method == "GET" and config.body is not None:
        yield "body: a GET request has none; take it away, or make the method POST"
    for name, value in config.headers.items():
        if name.lower() in ("idempotency-key", "content-type", "content-length", "host"):
            yield f"headers.{name}: Patrol sets this header itself"
        elif fill.names(value):
            yield f"headers.{name}: takes ${{VARIABLES}} only; send parameters in the url or the body"
    yield from _unused(job, fill.names(config.url) | fill.names(config.body))
    if config.poll:
        yield from _address_problems("poll.url", config.poll.url)
        for name in sorted(fill.names(config.poll.url) - {"id"}):
            yield f"poll.url: knows {{id}} only, not {{{name}}}"
        if both := sorted({*config.poll.done} & {*config.poll.failed}):
            yield f"poll: {both[0]} cannot mean both done and failed"


def _address_problems(where: str, url: str) -> Iterator[str]:
    shape = fill.plain(url)
    if not url.startswith("${") and not re.match(r"https?://[^/]", shape):
        yield f"{where}: must begin with https:// or a ${{VARIABLE}} that does, not {url[:60]!r}"
    elif re.match(r"https?://[^/?#]*\{", shape):
        yield f"{where}: a parameter cannot choose the host; put a / before it"


def _sql_problems(job: Job, config: Sql) -> Iterator[str]:
    if not config.url.startswith("${") and not re.match(r"[a-z][a-z0-9+]*://", config.url):
        yield f"url: must be an address such as postgresql://… or a ${{VARIABLE}}, not {config.url[:60]!r}"
    if fill.names(config.url):
        yield "url: takes ${VARIABLES} only, no parameters"
    if found := fill.PLACE.search(config.statement):
        yield f"statement: values are bound, never written in: :name in place of {found[0]}"
    if statement.several(config.statement):
        yield "statement: must be a single one; make a job of each"
    for name in sorted(statement.quoted_binds(config.statement) & {*job.names, KEY}):
        yield f"statement: ':{name}' in quotes is only text; write :{name} without them"
    used = statement.binds(config.statement)
    yield from _unknown("statement", used, job)
    yield from _unused(job, used)


def _unknown(where: str, used: Iterable[str], job: Job) -> Iterator[str]:
    known = (*job.names, KEY)
    for name in sorted({*used} - {*known}):
        yield f'{where}: there is no parameter "{name}"{_meant(name, known)}'


def _unused(job: Job, used: Iterable[str]) -> Iterator[str]:
    for name in sorted({*job.names} - {*used}):
        yield f"params.{name}: the job asks for it and does not use it"


def _sentence(job: Job, error: Any) -> str:
    *path, last = (str(part) for part in error["loc"])
    where = ".".join((*path, last))
    model: type[BaseModel] = Poll if path[:1] == ["poll"] else Http if job.kind == "http" else Sql
    if error["type"] == "missing":
        return f"{where}: is missing; a job of kind {job.kind} needs it"
    if error["type"] == "extra_forbidden":
        return f"{where}: is not a key of a job of kind {job.kind}{_meant(last, list(model.model_fields))}"
    field = model.model_fields.get(next((p for p in (last, *path) if p in model.model_fields), ""))
    return f"{where}: must be {field.description if field and field.description else 'something else'}"


def _meant(word: str, known: Iterable[str]) -> str:
    meant = next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), "")
    return f'; did you mean "{meant}"?' if meant else ""
