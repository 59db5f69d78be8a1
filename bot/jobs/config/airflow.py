"""What an airflow job may say: which DAG, what its run is given, and how Patrol is known there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from bot.jobs import config, fill
from bot.jobs.config import Headers, Text
from sensors.model.job import Job


class Login(config.Config):
    """A name and a password for which Airflow gives a token that passes with time."""

    username: Text
    password: Text


class Config(config.Config):
    """`url` is Airflow's own address, without /api/v2."""

    url: Text
    dag: Text
    conf: Annotated[dict[str, Any], Field(default_factory=dict, description="a mapping")]
    headers: Headers
    login: Annotated[Login | None, Field(description="a mapping with username and password")] = None


def problems(job: Job, wanted: Config) -> Iterator[str]:
    yield from config.root_problems(wanted.url)
    if "/api/v" in wanted.url:
        yield "url: is the address of Airflow itself; take /api/v2 away"
    yield from config.header_problems(wanted.headers, ("content-type", "content-length", "host", "accept"))
    if wanted.login and "authorization" in {name.lower() for name in wanted.headers}:
        yield "login: and headers.Authorization say the same; take one away"
    if wanted.login and not wanted.login.password.startswith("${"):
        yield "login.password: must be a ${VARIABLE}; secrets do not stand in files"
    if fill.names(wanted.dag):
        yield "dag: is fixed; parameters go into conf"
    yield from config.unknown("conf", fill.names(wanted.conf), job)
    yield from config.unused(job, fill.names(wanted.conf))
