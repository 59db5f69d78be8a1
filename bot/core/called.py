"""Names as people type them, in the files' own spelling: a reference is as good as a bare name. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bot.core.command import Command
from sensors.model.graph import JOB, POLICY, job_ref, kind_of, name_of

OF_JOBS = ("start", "job", "cancel", "retry")  # verbs that are of jobs alone
OF_POLICIES = ("policy", "rerun", "stop", "status", "pause", "resume", "every")  # … or of policies first


def as_called(said: Command, jobs: Collection[str], policies: Collection[str]) -> Command:
    """`start job:x` is `start x`, `pause policy:y` is `pause y`; capitals of a job are as small letters."""
    kind, name = kind_of(said.name).lower(), name_of(said.name)
    if kind == POLICY and said.verb in OF_POLICIES and name.lower() in policies:
        return replace(said, name=name.lower())
    if kind != JOB and said.verb not in OF_JOBS:
        return said
    wanted = name if kind == JOB else said.name
    job = next((one for one in jobs if one.lower() == wanted.lower()), None)
    if job is None:
        return said
    return replace(said, name=job if said.verb in OF_JOBS else job_ref(job))
