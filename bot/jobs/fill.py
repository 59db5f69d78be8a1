"""Fills a job's templates in one pass: `${VARIABLE}` from the environment, `{param}` from checked values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from bot.process.errors import JobRefused
from sensors.model.job import KEY, Job, Param

PLACE = re.compile(
    r"\$\{(?P<variable>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}|(?<!\$)\{(?P<name>[A-Za-z_]\w*)\}"
)


CALL = re.compile(r"(/hooks/runs/\d+)-[\w-]+")  # whoever knows the rest may end that run


def values(job: Job, params: Mapping[str, Any], idempotency_key: str) -> dict[str, Any]:
    """Every parameter in its type, None where an optional one is absent. Checked again: rows are hostile."""
    filled, problems = job.fill(params, {})
    if problems:
        raise JobRefused(f"{job.title} was not started: {'; '.join(problems)}.")
    return {p.name: _typed(p, filled.get(p.name)) for p in job.params} | {KEY: idempotency_key}


def names(template: object) -> set[str]:
    """The `{param}` placeholders in all texts of a template."""
    return {m["name"] for text in texts(template) for m in PLACE.finditer(text) if m["name"]}


def plain(template: str) -> str:
    """The template with every `${VARIABLE}` replaced by its name: for looking at its shape."""
    return PLACE.sub(lambda m: m["variable"] or m[0], template)


@dataclass(frozen=True)
class Filler:
    """The environment and the values of one start."""

    environ: Mapping[str, str]
    values: Mapping[str, Any]

    def text(self, template: str) -> str:
        """For headers and database addresses: variables only."""
        return PLACE.sub(lambda m: self._variable(m) if m["variable"] else m[0], template)

    def url(self, template: str) -> str:
        """Values are percent-encoded, so that each stays one piece of the path; none may touch the host."""
        filled = PLACE.sub(self._by(lambda name: quote(self._some(name), "", errors="replace")), template)
        without = PLACE.sub(self._by(lambda _: ""), template)
        try:
            where, intended = urlsplit(filled), urlsplit(without)
        except ValueError:
            raise JobRefused("Its address is not one that can be asked.") from None
        if where[:2] != intended[:2]:
            raise JobRefused("Its address lets a value choose the host: put a / before the first {param}.")
        if any(part in (".", "..") for part in where.path.split("/")):
            raise JobRefused("A value of . or .. cannot be part of an address.")
        return filled

    def json(self, template: Any) -> Any:
        """`'{count}'` alone becomes the value in its own type; within a longer text it becomes text."""
        if isinstance(template, Mapping):
            return {key: self.json(value) for key, value in template.items()}
        if isinstance(template, list | tuple):
            return [self.json(value) for value in template]
        if not isinstance(template, str):
            return template
        alone = PLACE.fullmatch(template)
        if alone and alone["name"] in self.values:
            return self.values[alone["name"]]
        return self.words(template)

    def words(self, template: str) -> str:
        """Values as text within a text."""
        return PLACE.sub(self._by(lambda name: _shown(self.values[name])), template)

    def mask(self, text: str, *templates: object) -> str:
        """The text with the names of variables in place of what they hold, but for plain addresses.

        What proves a call back is left out, too.
        """
        text = CALL.sub(r"\1-…", text)
        for template in templates:
            for match in (m for each in texts(template) for m in PLACE.finditer(each) if m["variable"]):
                held = self.environ.get(match["variable"], "").strip()
                if len(held) > 3 and not _public(held):
                    text = text.replace(held, f"${{{match['variable']}}}")
        return text

    def open(self) -> Filler:
        """One that writes the names of variables in place of what they hold, but for plain addresses."""
        shown = {name: held if _public(held) else f"${{{name}}}" for name, held in self.environ.items()}
        return Filler(shown, self.values)

    def _by(self, name: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
        def fill(match: re.Match[str]) -> str:
            if match["variable"]:
                return self._variable(match)
            return name(match["name"]) if match["name"] in self.values else match[0]

        return fill

    def _variable(self, match: re.Match[str]) -> str:
        held = self.environ.get(match["variable"], "").strip() or match["default"]
        if held is None:
            raise JobRefused(f"The environment variable {match['variable']} is not set where Patrol runs.")
        return str(held)

    def _some(self, name: str) -> str:
        if self.values[name] is None:
            raise JobRefused(f"{name} is missing, and the job's address needs it: write {name}=…")
        return _shown(self.values[name])


def _typed(param: Param, value: object) -> Any:
    if value is None or param.type == "string":
        return value if value is None else str(value)
    if param.type == "boolean":
        return str(value).lower() == "true"
    return int(str(value)) if param.type == "integer" else float(str(value))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def texts(template: object) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from texts(value)
    elif isinstance(template, list | tuple):
        for value in template:
            yield from texts(value)


def _public(held: str) -> bool:
    """An http address without a password or query: it may be shown, and links may begin with it."""
    parts = urlsplit(held)
    return (
        parts.scheme in ("http", "https")
        and not parts.query
        and "@" not in parts.netloc
        and len(parts.path) < 30
    )
