"""A job's config by its kind, validated before it is used: by `patrol check` and again at every start.

What is said here holds for every kind; each kind's own keys lie in a module of its name beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.jobs import KINDS, fill
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
Headers = Annotated[dict[str, str], Field(default_factory=dict, description="a mapping of names to texts")]
Flag = Annotated[bool, Field(description="true or false")]


class Config(BaseModel):
    """What a kind's config may hold: a model of the name `Config` in its module, with these manners."""

    model_config = ConfigDict(extra="forbid", frozen=True)


C = TypeVar("C", bound=Config)


def problems(job: Job) -> list[str]:
    """Everything that is wrong with the job's config, in sentences; empty when it can be started."""
    if job.kind not in KINDS:
        return [f'kind: there is no kind "{job.kind}"{meant(job.kind, KINDS)}']
    kind = _kind(job.kind)
    try:
        return list(kind.problems(job, kind.Config.model_validate(dict(job.config))))
    except ValidationError as error:
        return [_sentence(job, kind.Config, e) for e in error.errors(include_url=False)]


def of(job: Job, wanted: type[C]) -> C:
    """The config of a job of that kind, or JobRefused."""
    if wrong := problems(job):
        raise JobRefused(f"{job.title} is not declared right, so it was not started: {'; '.join(wrong)}.")
    return wanted.model_validate(dict(job.config))


def _kind(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")


def address_problems(where: str, url: str) -> Iterator[str]:
    """What is wrong with a web address in which values are to be placed."""
    shape = fill.plain(url)
    if not url.startswith("${") and not re.match(r"https?://[^/]", shape):
        yield f"{where}: must begin with https:// or a ${{VARIABLE}} that does, not {url[:60]!r}"
    elif re.match(r"https?://[^/?#]*\{", shape):
        yield f"{where}: a parameter cannot choose the host; put a / before it"


def root_problems(url: str) -> Iterator[str]:
    """What is wrong with the address of a system, below which its own API lies."""
    yield from address_problems("url", url)
    if fill.names(url):
        yield "url: takes ${VARIABLES} only, no parameters"
    if re.search(r"[?#]", fill.plain(url)):
        yield "url: is the address of the whole system, without ? or #"


def header_problems(headers: Mapping[str, str], own: Iterable[str]) -> Iterator[str]:
    """What is wrong with headers as they are declared; `own` are those that Patrol sets itself."""
    for name, value in headers.items():
        if name.lower() in own:
            yield f"headers.{name}: Patrol sets this header itself"
        elif fill.names(value):
            yield f"headers.{name}: takes ${{VARIABLES}} only, no parameters"


def unknown(where: str, used: Iterable[str], job: Job, also: Iterable[str] = ()) -> Iterator[str]:
    """Placeholders that are no parameters, and none of `also`."""
    known = (*job.names, KEY, *also)
    for name in sorted({*used} - {*known}):
        yield f'{where}: there is no parameter "{name}"{meant(name, known)}'


def unused(job: Job, used: Iterable[str]) -> Iterator[str]:
    """Parameters that are asked for in vain."""
    for name in sorted({*job.names} - {*used}):
        yield f"params.{name}: the job asks for it and does not use it"


def meant(word: str, known: Iterable[str]) -> str:
    found = next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), "")
    return f'; did you mean "{found}"?' if found else ""


def _sentence(job: Job, config: type[BaseModel], error: Any) -> str:
    *path, last = (str(part) for part in error["loc"])
    where, model = ".".join((*path, last)), _model_at(config, path)
    if error["type"] == "missing":
        return f"{where}: is missing; a job of kind {job.kind} needs it"
    if error["type"] == "extra_forbidden":
        return f"{where}: is not a key of a job of kind {job.kind}{meant(last, list(model.model_fields))}"
    field = model.model_fields.get(next((p for p in (last, *path) if p in model.model_fields), ""))
    return f"{where}: must be {field.description if field and field.description else 'something else'}"


def _model_at(config: type[BaseModel], path: Iterable[str]) -> type[BaseModel]:
    """The mapping within the config in which the error lies."""
    for part in path:
        field = config.model_fields.get(part)
        inner = getattr(field.annotation, "__args__", (field.annotation,)) if field else ()
        found = [one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)]
        config = found[0] if found else config
    return config
