"""The warehouse as a whole: while it is away no policy looks, and one alert speaks of it. Decides nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core import builtin, circuit
from bot.core.circuit import CLOSED, Circuit
from bot.core.plan import EPOCH
from bot.process.log import get
from bot.process.metrics import Metrics
from bot.project import Project
from bot.watch.trouble import Troubles
from sensors.model.clock import say_duration
from sensors.model.run import Looked
from sensors.warehouse import Warehouse, WarehouseError

log = get("circuit")

ASKED_LATELY = timedelta(seconds=1)  # an answer holds so long for all who fail meanwhile


class Breaker:
    """This process's view of its warehouse; the alert, by its key, is one for all. Thread-safe."""

    def __init__(
        self,
        warehouse: Warehouse,
        troubles: Troubles,
        project: Project,
        metrics: Metrics,
        on_away: Callable[[str], None],
    ) -> None:
        self.warehouse = warehouse
        self.troubles = troubles
        self.project = project
        self.metrics = metrics
        self.on_away = on_away  # called once it is told: conditions are not known any more
        self.on_back: Callable[[], None] = lambda: None  # called when policies may look again
        self.back_at = EPOCH  # when they could last begin to look again
        self._circuit = CLOSED
        self._told = False  # since it opened
        self._settled = False  # no alert of an earlier absence can be left
        self._asked: tuple[datetime, str] = (EPOCH, "")
        self._asking = threading.Lock()
        self._lock = threading.Lock()

    def away(self) -> str:
        """Why no policy can look just now, in words; empty while they can."""
        return f"the warehouse is away: {self._circuit.why}" if self._circuit.is_open else ""

    def since(self) -> datetime | None:
        """Since when it has been away."""
        return self._circuit.since if self._circuit.is_open else None

    def of_look(self, looked: Looked) -> bool:
        """Whether a look failed by the fault of the warehouse, which is told by itself, not of its policy."""
        if looked.ok:
            if not looked.window.empty:  # an empty window is not asked about
                self._well()
            return False
        if self._circuit.is_open:
            return True
        why = self._ask()
        if not why:
            self._well()
            return False
        with self._lock:
            was, self._circuit = self._circuit, circuit.failed(self._circuit, why, self.troubles.clock())
        if self._circuit.is_open and not was.is_open:
            self._told = self._settled = False
            self.metrics.warehouse_away(True)
            log.error("warehouse away: no policy looks until it is back", why=self._circuit.why)
        return True

    def _well(self) -> None:
        with self._lock:
            if not self._circuit.is_open:
                self._circuit = CLOSED

    def _ask(self) -> str:
        """What is wrong with the warehouse, asked once for all who fail at the same time."""
        with self._asking:
            now = self.troubles.clock()
            if now - self._asked[0] >= ASKED_LATELY:
                self._asked = now, self._ping()
            return self._asked[1]

    def _ping(self) -> str:
        try:
            self.warehouse.ping()
        except WarehouseError as error:
            return error.message
        return ""

    # --------------------------------------------------------------------- beats

    def beat(self) -> None:
        """Asks a warehouse that is away whether it is back, when that is due; tells of both."""
        now, held = self.troubles.clock(), self._circuit
        if held.ping_at and held.ping_at <= now:
            if self._ping():
                self._still(held, now)
            else:
                self._back(held, now)
        if not self._settled and not self._circuit.is_open and not self._ping():
            self._end()

    def _still(self, held: Circuit, now: datetime) -> None:
        self._circuit = circuit.still_away(held, now)
        if not held.to_be_told(now):
            return
        owner = self.project.owner
        team = self.project.catalog.teams.get(owner)
        fire = builtin.warehouse_away(self.warehouse.dialect, held.why, owner, team, now)
        self.troubles.tell(fire.policy, fire.key, fire)  # each time: another process may have ended it
        if not self._told:
            self._told = True
            self.on_away(self.away())

    def _back(self, held: Circuit, now: datetime) -> None:
        self.back_at = now
        self._circuit = CLOSED
        self.metrics.warehouse_away(False)
        log.info("warehouse back", away=say_duration(now - (held.since or now)))
        self.on_back()

    def _end(self) -> None:
        key = builtin.warehouse_key(self.warehouse.dialect)
        self.troubles.tell(builtin.WAREHOUSE_AWAY, key, builtin.mended(self.troubles.clock()))
        self._settled = True
