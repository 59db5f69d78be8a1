"""A job's config by its kind, validated before it is used: by `patrol check` and again at every start.

What is said here holds for every kind; each kind's own keys lie in a module of its name beside.
"""

from __future__ import annotations

import json
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

# Names of headers that hold one: Authorization and X-Api-Key, not X-Author or X-Keyspace.
SECRET = re.compile(r"auth(?!ors?\b)|keys?(?![a-z])|token|secret|password", re.IGNORECASE)
ODD_VARIABLE = re.compile(r"\$\{(?![A-Za-z_]\w*(:-[^}]*)?\})[^}]*\}?")
ODD_PARAMETER = re.compile(r"\{\{\s*(\w+)[^{}]*\}\}|\{\s+(\w+)\s*\}|\{(\w+)\s+\}")  # as Jinja has it
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _words(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _text(value: object) -> object:
    """A number is as good as its text: [sleep, 3]."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words), Field(description="a word or a list of words")]
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(description="a duration such as 2s")]
Verb = Annotated[Method, BeforeValidator(_upper), Field(description="a method such as GET or POST")]
Typed = Annotated[str, BeforeValidator(_text)]
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
        found = list(kind.problems(job, kind.Config.model_validate(dict(job.config))))
    except ValidationError as error:
        found = [_sentence(job, kind.Config, e) for e in error.errors(include_url=False)]
    return list(dict.fromkeys([*found, *_misspelled(job)]))  # of a union each member says it


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
    yield from password_problems(where, url)


def password_problems(where: str, url: str) -> Iterator[str]:
    if (found := re.search(r"://[^/?#@]*:([^/?#@]+)@", url)) and "${" not in found[1]:
        yield f"{where}: a password stands in the environment only; write ${{NAME}} in its place"


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
        elif SECRET.search(name) and "${" not in value:
            yield f"headers.{name}: a secret stands in the environment only; write ${{NAME}}"


def _misspelled(job: Job) -> Iterator[str]:
    """Places that would be left as they are typed."""
    for key, text in ((key, text) for key, value in job.config.items() for text in fill.texts(value)):
        for odd in ODD_VARIABLE.finditer(text):
            yield f"{key}: {odd[0][:60]} names no variable; write ${{NAME}} or ${{NAME:-default}}"
        for odd in ODD_PARAMETER.finditer(text):
            name = odd[odd.lastindex or 0]
            if name in job.names and key != "statement":
                yield f"{key}: a value is written {{{name}}}, not {odd[0][:60]}"


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
    where, model = dotted(error["loc"]), _model_at(config, path)
    if error["type"] == "missing":
        return f"{where}: is missing; a job of kind {job.kind} needs it"
    if error["type"] == "extra_forbidden":
        known = list(model.model_fields)
        there = meant(last, known) or f"; it takes {', '.join(known)}"
        return f"{where}: is not a key of a job of kind {job.kind}{there}"
    if error["type"] == "string_type" and last not in model.model_fields:
        plain = isinstance(error["input"], bool | int | float)
        quoted = f'; put quotes around it: "{json.dumps(error["input"])}"' if plain else ""
        return f"{where}: must be text{quoted}"
    field = model.model_fields.get(next((p for p in (last, *path) if p in model.model_fields), ""))
    return f"{where}: must be {field.description if field and field.description else 'something else'}"


def dotted(where: Iterable[str | int]) -> str:
    """`request.Tags[2]`, counted from one as people count."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where)
    return "".join(parts).removeprefix(".")


def _model_at(config: type[BaseModel], path: Iterable[str]) -> type[BaseModel]:
    """The mapping within the config in which the error lies."""
    for part in path:
        field = config.model_fields.get(part)
        inner = getattr(field.annotation, "__args__", (field.annotation,)) if field else ()
        found = [one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)]
        config = found[0] if found else config
    return config
