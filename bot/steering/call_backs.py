"""Ends of jobs' runs that outside systems tell by themselves, each at an address of its own. Knows no server.

Whoever has the address may tell the end of that one run, once, and nothing else: it is made when that run is
started, and its token cannot be guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.core.job_run import JobRun
from bot.process.errors import JobRefused, PatrolError
from bot.process.log import get
from bot.starting import Starting
from bot.steering.hooks import MOST_BYTES, Answer, parsed
from bot.store import Store

PATH = "/hooks/runs/{token}"
TOKEN = re.compile(r"/hooks/runs/(\d{1,18})-([\w-]{1,100})", re.ASCII)
TRIES = 3  # against whoever moves the run on meanwhile
log = get("call backs")


def address(store: Store, url: str | None, key: str) -> str:
    """Where the end of the run with this idempotency key is told; JobRefused where others cannot reach us."""
    if not url:
        raise JobRefused("Nobody can call back: set PATROL_URL to where others reach Patrol's port.")
    found = store.jobs.token(key)
    if found is None:
        raise JobRefused("Nobody can call back: no run of a job has this key.")
    return f"{url.rstrip('/')}{PATH.format(token=f'{found[0]}-{found[1]}')}"


class CallBackDoor:
    """Takes what is posted to all those addresses; called by many threads at once."""

    def __init__(self, starting: Starting) -> None:
        self.starting = starting
        self.engine = starting.engine
        self.store = starting.store

    def take(self, headers: Mapping[str, str], body: bytes, arrived: float) -> Answer:  # noqa: ARG002
        """The answer to one POST. Names of headers are lower case; `:path` is among them."""
        if len(body) > MOST_BYTES:
            return Answer(413, f"The body is longer than {MOST_BYTES:,} bytes.")
        try:
            run = self._run(headers.get(":path", ""))
            answer = self._told(run, body) if run else Answer(404, "There is no such run to tell the end of.")
        except PatrolError as error:
            return Answer(503, f"Not recorded: {error} Send it again.")
        log.info("called back", job_run=run.id if run else None, status=answer.status, said=answer.said)
        return answer

    def _run(self, path: str) -> JobRun | None:
        found = TOKEN.fullmatch(path)
        return self.store.jobs.of_token(int(found[1]), found[2]) if found else None

    def _told(self, run: JobRun, body: bytes) -> Answer:
        job, said = self.engine.catalog.jobs.get(run.job), parsed(body)
        if run.state.ended:
            return _over(run)
        if job is None:
            return Answer(422, f"There is no job {run.job} in the files any more.")
        if said is None:
            return Answer(422, "The body must be a JSON object.")
        try:
            progress = self.starting.runners(job.kind).called_back(job, said)
        except JobRefused as refused:
            return Answer(422, str(refused))
        if not progress.state.ended:
            return Answer(202, f"{run.name.capitalize()} goes on: {progress.outcome} is no word for an end.")
        for _ in range(TRIES):
            if self.starting.hear(run, progress):
                return Answer(202, f"{run.name.capitalize()} has ended: {progress.state.word}.")
            run = self.store.jobs.get(run.id) or run
            if run.state.ended:
                return _over(run)
        return Answer(503, f"{run.name.capitalize()} is just being moved on. Send it again.")


def _over(run: JobRun) -> Answer:
    """A second call, or one that comes too late, changes nothing."""
    return Answer(202, f"{run.name.capitalize()} had ended already: {run.state.word}.")
