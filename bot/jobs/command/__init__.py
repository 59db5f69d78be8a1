"""Jobs of kind command: a program on Patrol's own host, with an argument list and no shell.

It outlives Patrol; the next one finds it again by what is kept in the project's .patrol/commands.
"""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Mapping
from typing import Any

from bot.core.job_run import Ability, JobState, Progress
from bot.jobs import TAIL, Runner, argument, config, fill
from bot.jobs.answer import last_lines, one_line
from bot.jobs.command.kept import How, Kept, Order, Runs
from bot.jobs.config.command import Config
from bot.jobs.place import Place
from bot.jobs.web import masked
from bot.process.errors import JobRefused
from sensors.model.clock import say_duration
from sensors.model.job import KEY, Job

AGAIN_S = 2.0
ABILITIES = frozenset({Ability.cancel, Ability.tail})


class CommandRunner(Runner):
    """What the job says is run, as it says it, where patrol.yml lets jobs run commands."""

    def __init__(self, environ: Mapping[str, str], place: Place) -> None:
        self._environ = environ
        self._place = place
        self._runs = Runs(place.state)

    def repeatable(self, job: Job) -> bool:  # noqa: ARG002 - one claim for each key makes it so
        return True

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        wanted = config.of(job, Config)
        values = fill.values(job, params, f"{{{KEY}}}")
        said = [f"{name}={value}" for name, value in wanted.environment.items()]
        where = [f"in {wanted.folder}"] if wanted.folder != "." else []
        return "\n".join([shlex.join(argument.filled(wanted.command, values)), *where, *said])

    def abilities(self, job: Job) -> frozenset[Ability]:  # noqa: ARG002
        return ABILITIES

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        wanted = config.of(job, Config)
        allowed(job, self._place)
        filler = fill.Filler(self._environ, fill.values(job, params, idempotency_key))
        with masked(filler, job):
            order = Order(
                argument.filled(wanted.command, filler.values),
                self._place.project / wanted.folder,
                environment(wanted.environment, filler, self._environ),
                job.timeout,
            )
            run = self._runs.begin(job.name, idempotency_key, order)
            return progress(job, run, self._runs.look(run), filler)

    def poll(self, job: Job, external_id: str) -> Progress:
        filler = fill.Filler(self._environ, {})
        with masked(filler, job):
            return progress(job, external_id, self._runs.look(external_id), filler)

    def cancel(self, job: Job, external_id: str) -> str:  # noqa: ARG002
        self._runs.cancel(external_id)
        return "asked to end; what is left of it after five seconds is killed"

    def tail(self, job: Job, external_id: str) -> str:
        said = fill.Filler(self._environ, {}).mask(self._runs.tail(external_id), job.config)
        return last_lines(said, TAIL)


def allowed(job: Job, place: Place) -> None:
    """Commands are run where the settings say so, and nowhere else."""
    if not place.commands:
        raise JobRefused(
            f"{job.title} runs a command on Patrol's host, which is off: commands: on in patrol.yml."
        )


def environment(said: Mapping[str, str], filler: fill.Filler, environ: Mapping[str, str]) -> dict[str, str]:
    """What is declared, and where programs lie."""
    return {"PATH": environ.get("PATH", os.defpath)} | {
        name: filler.text(value) for name, value in said.items()
    }


def progress(job: Job, run: str, kept: Kept, filler: fill.Filler) -> Progress:
    """How it goes, in words: the last line that it wrote says what came of it."""
    last_line = one_line(last_lines(filler.mask(kept.last_line, job.config), TAIL))  # masked before it is cut
    if kept.how is How.running:
        return Progress(JobState.running, run, last_line, again_in_s=AGAIN_S)
    if kept.how is How.lost:
        lost = (
            "It was cut off, perhaps by a restart of its host, and how far it came is not known: look there"
        )
        return Progress(JobState.failed, run, _with(lost, last_line))
    if kept.why == "cancelled":
        return Progress(JobState.cancelled, run, _with("cancelled", last_line))
    if kept.why:
        over = f"ended by Patrol: it took longer than {say_duration(job.timeout)}"
        return Progress(JobState.failed, run, _with(over, last_line))
    if kept.code == 0:
        return Progress(JobState.succeeded, run, last_line or "done")
    return Progress(JobState.failed, run, _with(_ending(kept.code), last_line))


def _ending(code: int) -> str:
    if code > 0:
        return f"exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def _with(said: str, last_line: str) -> str:
    return f"{said}: {last_line}" if last_line else said
