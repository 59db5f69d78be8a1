"""What an sql job may say: one statement in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.jobs import config, fill, statement
from bot.jobs.config import Flag, Text
from sensors.model.job import KEY, Job


class Config(config.Config):
    """`idempotent`: to do it twice is as good as once."""

    url: Text
    statement: Text
    idempotent: Flag = False


def problems(job: Job, wanted: Config) -> Iterator[str]:
    if not wanted.url.startswith("${") and not re.match(r"[a-z][a-z0-9+]*://", wanted.url):
        yield f"url: must be an address such as postgresql://… or a ${{VARIABLE}}, not {wanted.url[:60]!r}"
    yield from config.password_problems("url", wanted.url)
    if fill.names(wanted.url):
        yield "url: takes ${VARIABLES} only, no parameters"
    if found := fill.PLACE.search(wanted.statement):
        yield f"statement: values are bound, never written in: :name in place of {found[0]}"
    if statement.several(wanted.statement):
        yield "statement: must be a single one; make a job of each"
    for name in sorted(statement.quoted_binds(wanted.statement) & {*job.names, KEY}):
        yield f"statement: ':{name}' in quotes is only text; write :{name} without them"
    used = statement.binds(wanted.statement)
    yield from config.unknown("statement", used, job)
    yield from config.unused(job, used)
