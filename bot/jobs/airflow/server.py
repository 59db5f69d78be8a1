"""An Airflow that answers its REST API v2, asked for one DAG. Tokens are had and renewed here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from bot.jobs import TAIL, answer
from bot.jobs.airflow import words
from bot.jobs.answer import Answer
from bot.jobs.web import Site
from bot.process.errors import JobRefused, JobUnknown

T = TypeVar("T")
READ = 32 * TAIL  # bytes of a log's end: its lines are objects
TASKS = 100  # of a run that are looked through for the one whose log is read


class Tokens:
    """The tokens that Airflow gave for names and passwords, kept until one no longer does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], str] = {}

    def of(self, site: Site, username: str, password: str, *, fresh: bool) -> tuple[str, bool]:
        """A token, and whether it is new."""
        with self._lock:
            kept = self._kept.get((site.url, username))
        if kept and not fresh:
            return kept, False
        got = site.ask("POST", "/auth/token", {"username": username, "password": password})
        token = answer.at(got.data, "access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise JobUnknown(f"{got.host} took the login and gave no token.")
        with self._lock:
            self._kept[site.url, username] = token
        return token, True


@dataclass(frozen=True)
class Server:
    """Raises JobRefused and JobUnknown, with Airflow's own sentence."""

    site: Site
    dag: str
    login: tuple[str, str] | None
    tokens: Tokens

    def trigger(self, run: str, conf: Any) -> Mapping[str, Any]:
        """The run of this id: begun now, or before."""
        body = {"dag_run_id": run, "logical_date": None, "conf": conf, "note": "Started from Patrol."}
        try:
            return _mapping(self._ask("POST", self._runs(), body))
        except JobRefused as refused:  # since there is one of this id already?
            try:
                return self.run(run)
            except JobRefused:
                raise refused from None

    def run(self, run: str) -> Mapping[str, Any]:
        return _mapping(self._ask("GET", self._runs(run)))

    def runs(self, limit: int, **narrowed: Any) -> list[Mapping[str, Any]]:
        """Runs of the DAG, newest first."""
        asked = urlencode({"order_by": "-run_after", "limit": limit, **narrowed}, doseq=True)
        found = self._ask("GET", f"{self._runs()}?{asked}").data
        return list(answer.at(found, "dag_runs") or ())

    def fail(self, run: str, note: str) -> None:
        """Ends a run: to Airflow it has failed. Tasks that run are stopped by their workers."""
        self._ask("PATCH", self._runs(run), {"state": "failed", "note": note})

    def failed_tasks(self, run: str) -> list[str]:
        found = self._ask("GET", f"{self._runs(run)}/taskInstances?state=failed&limit=5").data
        return sorted({str(task["task_id"]) for task in answer.at(found, "task_instances") or ()})

    def log(self, run: str) -> str:
        """The end of the log of the task that says most; empty where none has begun."""
        asked = f"taskInstances?order_by=-start_date&limit={TASKS}"
        found = self._ask("GET", f"{self._runs(run)}/{asked}").data
        task = words.telling(answer.at(found, "task_instances") or ())
        if task is None:
            return ""
        name, attempt = quote(str(task["task_id"]), ""), int(task["try_number"])
        mapped = int(task.get("map_index", -1))
        path = f"{self._runs(run)}/taskInstances/{name}/logs/{attempt}?map_index={mapped}"
        text = self._known(lambda site: site.end_of(path, "application/x-ndjson", READ))
        return "\n".join([f"{task['task_id']}, attempt {attempt}", *words.lines(text)])

    def about(self) -> Mapping[str, Any]:
        """The DAG: its schedule, and whether it is paused."""
        return _mapping(self._ask("GET", self._dag()))

    def pause(self, paused: bool) -> None:
        self._ask("PATCH", f"{self._dag()}?update_mask=is_paused", {"is_paused": paused})

    def _dag(self) -> str:
        return f"/api/v2/dags/{quote(self.dag, '')}"

    def _runs(self, run: str = "") -> str:
        return f"{self._dag()}/dagRuns" + (f"/{quote(run, '')}" if run else "")

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        return self._known(lambda site: site.ask(method, path, body))

    def _known(self, ask: Callable[[Site], T]) -> T:
        """With a login: a token that is kept may have passed, so a no is asked again with a new one."""
        if self.login is None:
            return ask(self.site)
        token, fresh = self.tokens.of(self.site, *self.login, fresh=False)
        try:
            return ask(self.site.known_by(token))
        except JobRefused:
            if fresh:
                raise
        token, _ = self.tokens.of(self.site, *self.login, fresh=True)
        return ask(self.site.known_by(token))


def _mapping(got: Answer) -> Mapping[str, Any]:
    if not isinstance(got.data, dict):
        raise JobUnknown(f"{got.host} answered with something else than it says it does.")
    return got.data
