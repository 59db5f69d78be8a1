"""Wiring: settings → everything. The one file that knows all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from slack_bolt import App

from bot.bundles.pulling import Pulling
from bot.core import bundles
from bot.core.earned import Rule
from bot.core.trend import Trend
from bot.core.words import count
from bot.deliver import Deliverer
from bot.deliver.forgetting import Forgetting
from bot.deliver.pictures import Drawings, can_draw
from bot.deliver.refusals import of_token
from bot.desk.desk import Desk
from bot.desk.digests import Digests
from bot.engine.backfilling import Backfills
from bot.engine.engine import Engine
from bot.jobs import Runner, runner_for
from bot.jobs.place import Place
from bot.process import log as logs
from bot.process import web
from bot.process.errors import OutcomeUnknown, PatrolError, SettingsError, SlackBusy, SlackRefused
from bot.process.metrics import METRICS
from bot.process.opening import open_store
from bot.process.settings import Settings, require
from bot.project import Project
from bot.schedule import CHORES, Scheduler
from bot.shifts.groups import Groups
from bot.shifts.pagers import Pagers
from bot.slack import http, listeners, socket
from bot.slack.client import SlackClient
from bot.slack.homes import Homes
from bot.slack.scopes import SCOPES
from bot.starting import Starting
from bot.steering import call_backs, hooks
from bot.steering.due import DueJobs
from bot.steering.late import LateJobs
from bot.steering.observing import Observing
from bot.store import Store
from bot.store.keeping import Keep
from bot.view import View
from bot.watch.probe import Probe, ask_all
from sensors.apart import Apart
from sensors.reading import HERE, Reader
from sensors.warehouse import Warehouse, WarehouseError, connect

if TYPE_CHECKING:
    from bot.watch.heartbeat import Heartbeat

log = logs.get("app")

PICTURE_WITHIN_S = 10.0
STALE_BEAT = timedelta(seconds=60)  # after which a chore that has not ended is called stuck
BEHIND = timedelta(minutes=5)  # after which what is due, and was not done, is called late
LONG = ("late_rows", "mending", "pull")  # they wait for queries, or for repositories that do not answer


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse that the settings name; SettingsError where they name none or its address is wrong."""
    require(settings, warehouse=True)
    try:
        return connect(settings.warehouse_url or "")
    except WarehouseError as error:
        raise SettingsError(str(error)) from error


class Bot:
    """The whole of Patrol in one process: `start`, then `stop`."""

    def __init__(
        self, settings: Settings, clock: Callable[[], datetime] = utc_now, reader: Reader = HERE
    ) -> None:
        require(settings, slack=True, warehouse=True)
        self.settings = settings
        self.store = Store(settings.store_url)
        self.warehouse = open_warehouse(settings)
        self.project = Project(
            settings.project,
            self.store,
            dialect=settings.dialect,
            bundle=settings.bundle,
            owner=settings.owner,
            manifest=settings.manifest,
            bundles=settings.bundles,
            reader=reader,
            speaks=self.warehouse.dialect,
            functions=settings.may_call,
        )
        self.pulling = Pulling(
            self.store,
            settings.project,
            [one for one in settings.bundles if one.git],
            clock,
            timedelta(seconds=settings.pull_every),
        )
        self.metrics = METRICS
        self.engine = Engine(self.store, self.warehouse, self.project, clock, self.metrics, _rule(settings))
        self.view = View(self.store, self.project, clock)
        self.starting = Starting(self.engine, _runners(settings, self.store))
        self.slack = SlackClient(settings.slack_bot_token or "", settings.slack_url)
        self.desk = Desk(self.engine, self.view, self.starting)
        self.pictures = Drawings(self.slack, uploaded=self._uploaded) if can_draw() else None
        self.deliverer = Deliverer(self.store, self.view, self.slack, clock, self.metrics)
        self.homes = Homes(self.desk.status, self.slack)
        groups = Groups(self.store, self.project, self.slack, clock)
        self.pagers = Pagers(self.engine)
        self.hooks = [hooks.HookDoor(hook, self.starting, os.environ) for hook in settings.hooks]
        due_jobs, self.observing = DueJobs(self.starting), Observing(self.starting)
        self.backfills = Backfills(self.engine)
        beside = {
            "pull": self.pulling.once,
            "groups": groups.once,
            "pagers": self.pagers.once,
            "handoffs": self.desk.handoffs.once,
            "backfills": self.backfills.once,
            "digests": Digests(self.view, self._picture).once,
            "homes": self.homes.once,
            "forgetting": Forgetting(self.store, self.slack, clock, _keep(settings)).once,
            "due_jobs": due_jobs.once,
            "observing": self.observing.once,
            "late_jobs": LateJobs(due_jobs).once,
        }
        self.scheduler = Scheduler(
            self.engine, self.starting, self.deliverer, settings.workers, beside, _keep(settings)
        )
        self._socket: socket.Handle | None = None
        self._web: web.Handle | None = None
        self._began = False
        self._probes = {"store": Probe(self._store_health), "warehouse": Probe(self._warehouse_health)}
        self.heartbeat = _heartbeat(settings.ping_url, self.idle) if settings.ping_url else None

    def start(self, stopping: threading.Event | None = None) -> bool:
        """Opens the doors, waits for a store that is away, brings its schema up to date, then begins to look.

        PatrolError where it cannot begin; False where `stopping` came before the store.
        """
        self._introduce()
        bolt = listeners.new_app(self.slack, self.settings.slack_signing_secret or "")
        listeners.register(
            bolt,
            self.desk,
            self.slack,
            clock=self.engine.clock,
            observe=self.metrics.acked,
            pictures=self.pictures,
            homes=self.homes,
        )
        posts: dict[str, web.Take] = {http.PATH: self._door(bolt).take} if self._over_http else {}
        posts |= {door.hook.path: door.take for door in self.hooks}
        posts[call_backs.PATH] = call_backs.CallBackDoor(self.starting).take
        posts |= {"/hooks/{name:path}": hooks.nobody} if self.hooks else {}
        self._web = web.serve(
            web.app(self.health, self.metrics.registry, posts), self.settings.port, self.settings.host
        )
        try:
            opened = open_store(self.store, stopping or threading.Event())
        except BaseException:
            self._web.close()
            raise
        if opened:
            self._begin(bolt)
        return opened

    def _begin(self, bolt: App) -> None:
        assert self._web
        self.scheduler.start()
        if self.heartbeat:
            self.heartbeat.start()
        if not self._over_http:
            self._socket = socket.start(
                bolt, self.settings.slack_app_token or "", self.settings.slack_url, connections=2
            )
        self._began = True
        log.info(
            "on patrol",
            policies=sum(p.runs for p in self.project.catalog.policies.values()),
            problems=len(self.project.catalog.errors),
            health=f"{self._web.url}/healthz",
            requests=f"{self._web.url}{http.PATH}" if self._over_http else "over Socket Mode",
        )

    def _picture(self, trend: Trend) -> str:
        """What a digest waits for, which has the whole morning."""
        return self.pictures.within(trend, PICTURE_WITHIN_S) if self.pictures else ""

    def _uploaded(self, file_id: str) -> None:
        self.store.uploads.drawn(file_id, self.engine.clock())

    @property
    def _over_http(self) -> bool:
        return self.settings.slack_mode == "http"

    def _door(self, bolt: App) -> http.Door:
        secret = self.settings.slack_signing_secret or ""
        return http.Door(bolt, secret, self.store.requests, self.engine.clock)

    def _introduce(self) -> None:
        """Asks Slack who we are. A token that Slack refuses ends the start; a Slack that is away does not."""
        try:
            me = self.slack.who_am_i()
        except SlackRefused as refused:
            raise SettingsError(of_token(refused.code)) from refused
        except (SlackBusy, OutcomeUnknown) as away:
            log.warning("slack away at the start", why=str(away))
            return
        missing = sorted(SCOPES - me.scopes) if me.scopes else []
        if missing:
            log.error("scopes missing", scopes=missing, do="paste manifest.yaml again and reinstall the app")
        log.info("slack", team=me.team_id, bot=me.bot_user)

    def stop(self) -> None:
        """Closes the doors first, so that nothing is taken in that is not finished."""
        if self._socket:
            self._socket.close()
        if self._web:
            self._web.close()
        if self.heartbeat:
            self.heartbeat.close()
        if self.pictures:
            self.pictures.close()
        self.pulling.stopping.set()
        self.backfills.close()  # first, for their leases are renewed as long as the scheduler runs
        self.scheduler.stop()
        self.pagers.close()
        self.observing.close()
        self.warehouse.close()
        self.store.close()
        log.info("off patrol")

    def health(self) -> web.Health:
        """What is wrong, in words, within a second; ready once connected to Slack and the store.

        What is away outside is said, but does not make us unsound: a restart would not bring it back.
        """
        asked = ask_all(self._probes)
        checks = {
            "store": asked["store"],
            "slack": self._slack_health(),
            "delivery": self.deliverer.trouble or "ok",
            "warehouse": asked["warehouse"],
            "schedule": self._schedule_health(),
            "auditor": self.engine.auditor.health,
            "files": self._files_health(),
        }
        for held in self.project.catalog.bundles[1:]:
            checks[f"bundle {held.name}"] = bundles.health(held, self.engine.clock())
        if self.heartbeat:
            checks["ping"] = self.heartbeat.health()
        ok = checks["schedule"] == "ok"
        ready = ok and self._began and checks["store"] == checks["slack"] == "ok"
        return web.Health(ok, ready, checks)

    def idle(self) -> str:
        """Why Patrol is not truly at work, in words; empty while it is."""
        if (store := self._store_health()) != "ok":
            return store
        if missing := [name for name in ("sweep", "deliver") if name not in self.scheduler.beats]:
            return f"not begun yet: {', '.join(missing)}"
        if (schedule := self._schedule_health()) != "ok":
            return schedule
        behind = self.store.alerts.due(self.engine.clock() - BEHIND, limit=1)
        return f"{behind[0].name} has been due for more than five minutes" if behind else ""

    def _store_health(self) -> str:
        try:
            self.store.ping()
        except PatrolError as away:
            return str(away)
        return self.store.outage.why or "ok"

    def _slack_health(self) -> str:
        if self._over_http:
            return "ok"
        return (self._socket.trouble if self._socket else socket.NONE_OPEN) or "ok"

    def _warehouse_health(self) -> str:
        if since := self.engine.circuit.since():
            return f"{self.engine.circuit.away()}; since {since:%H:%M} UTC no policy looks, until it is back"
        try:
            self.warehouse.ping()
        except WarehouseError as away:
            return str(away)
        return "ok"

    def _files_health(self) -> str:
        if self.project.trouble:
            return self.project.trouble
        wrong = len(self.project.catalog.errors)
        return f"{count(wrong, 'problem')}: see `patrol check`" if wrong else "ok"

    def _schedule_health(self) -> str:
        now = utc_now()
        stuck = [
            name
            for name, at in self.scheduler.beats.items()
            if name not in LONG and now - at > STALE_BEAT + timedelta(seconds=CHORES.get(name, 0))
        ]
        return f"not heard of for a minute: {', '.join(stuck)}" if stuck else "ok"


def _heartbeat(url: str, idle: Callable[[], str]) -> Heartbeat:
    from bot.watch.heartbeat import Heartbeat  # and httpx with it

    return Heartbeat(url, idle)


def _rule(settings: Settings) -> Rule:
    """What a policy must show in shadow before it has earned `live`."""
    return Rule(
        judged=settings.earn_judged,
        precision=settings.earn_precision,
        a_day=settings.earn_a_day,
        days=settings.earn_days,
    )


def _runners(settings: Settings, store: Store) -> Callable[[str], Runner]:
    """What starts jobs, each kind by its own."""
    callback = partial(call_backs.address, store, settings.url)
    return partial(runner_for, place=Place(settings.project, settings.commands == "on", callback))


def _keep(settings: Settings) -> Keep:
    """For how long what is over is kept."""
    days = (settings.evidence_days, settings.history_days, settings.audit_days)
    return Keep(*(timedelta(days=n) if n else None for n in days))


def serve(settings: Settings, reader: Apart, clock: Callable[[], datetime] = utc_now) -> None:
    """Runs until SIGINT or SIGTERM, then ends cleanly. It reads no files itself."""
    logs.configure(settings.log, settings.log_level, hide=settings.secrets)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    bot = Bot(settings, clock, reader)
    if bot.start(stopping):
        while not stopping.wait(1):
            pass
    reader.close()
    bot.stop()
    logs.end()
