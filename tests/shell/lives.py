"""A life of Patrol by a plan: rows arrive, the clock goes on, and all goes wrong that the plan names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch

from bot.core.action import Acknowledge
from bot.core.alert import Lane
from bot.core.gaps import account
from bot.core.late import LATE_ROWS
from bot.core.ledger import Stretches
from bot.core.plan import next_due
from bot.core.reconcile import flood_key
from bot.engine.runs import LEASE
from bot.process.errors import StoreAway
from sensors.model.policy import Policy
from sensors.model.run import RunStatus
from sensors.model.violation import canonical, row_hash
from sensors.model.window import INSTANT
from sensors.run import look
from sensors.warehouse import QueryTimeout, WarehouseError
from tests.shell.beating import Bot, Crash
from tests.shell.making import DAY, HOUR, MINUTE, SECOND, World
from tests.shell.promised import LONGEST_LATE, POINTS, Found, Plan, Row, Shape, Trouble, edited
from tests.shell.trouble import failing, in_between, store_away

SCHEDULES = {
    "quick": ("{every: 1m}", "{every: 2m}", '{cron: "* * * * *"}'),
    "often": ("{every: 5m}", '{cron: "*/10 * * * *"}', "{every: 10m}"),
    "hourly": (
        "{every: 1h}",
        '{cron: "30 * * * *", timezone: America/New_York}',
        '{cron: "15 0-23 * * *", timezone: America/New_York}',
    ),
    "rarely": (
        '{cron: "30 1,2,14 * * *", timezone: America/New_York}',
        "{every: 8h}",
        '{cron: "0 2,3,12 * * *", timezone: America/New_York}',
    ),
}
ERRORS = (
    WarehouseError("the warehouse is away", transient=True),
    WarehouseError("no such column"),
    QueryTimeout("the query took longer than 5 min and was stopped"),
)


class Life:
    """The town in which a plan is lived."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world, self.plan, self.shape = world, plan, plan.shape
        self.random = Random(plan.seed)
        self.now, self.off = plan.begins, timedelta()
        self.name, self.was = "payments.elsewhere", ""
        self.rows: list[Row] = []
        self.batch = 1 if plan.shape.schedule in SCHEDULES["rarely"] or plan.limit < 20 else plan.batch
        self.coming: list[tuple[str, datetime]] = []
        self.newest: datetime | None = None
        self.told: set[str] = set()
        self.ends: list[tuple[int, Callable[[], object]]] = []
        self.step = self.down = 0
        self.crash_at = ""
        self.bots: list[Bot] = []
        self.away: set[str] = set()
        self.rewritten: datetime | None = None
        self.known: Policy | None = None
        self.schedules = next(s for s in SCHEDULES.values() if plan.shape.schedule in s)

    def live(self) -> Found:
        """From its beginning to a night after all is well again."""
        with self._patched():
            self._begin()
            self._goes_on_until(self.plan.steps)
            self._ends_all()
            self._goes_on_until(self.plan.steps + 6)
            holes = self._holes()
            for _ in range(2):
                self._set(self.now + DAY)
                self._tell(Bot(self.world.node(), self.now))
            return self._found(holes)

    def _goes_on_until(self, step: int) -> None:
        while self.step < step:
            self._goes_on()
            self.step += 1

    @contextmanager
    def _patched(self) -> Iterator[None]:
        from bot.store import saving

        real = saving.write_memory

        def remember(*given: Any) -> None:
            self._reach("save.inside")
            real(*given)

        with ExitStack() as patches:
            patches.enter_context(patch("bot.engine.runs.reach", self._reach))
            patches.enter_context(patch("bot.engine.runs.look", partial(look, limit=self.plan.limit)))
            patches.enter_context(patch("bot.store.saving.write_memory", remember))
            yield

    def _reach(self, point: str) -> None:
        if self.crash_at == point:
            self.crash_at = ""
            raise Crash(point)

    # --------------------------------------------------------------------- time

    def _begin(self) -> None:
        self._write()
        self._set(self.now)
        self.world.table.does("ALTER TABLE core.chat ADD COLUMN loaded_at TIMESTAMP")
        self._insert([("m_0", "s_0", self.now - MINUTE, "hello")])
        self.bots = [Bot(self.world.node(), self.now) for _ in range(self.plan.nodes)]
        self._beat()

    def _set(self, now: datetime) -> None:
        self.now = now
        self.world.clock.at = now + self.off

    def _goes_on(self) -> None:
        """To the next due time, and a little later; what failed or died is seen to soon after."""
        policy = self._policy()
        before = self.now
        due = next_due(policy.schedule, self.now)
        assert due is not None
        self._set(due + self.random.choice((0, 0, 1, 7)) * SECOND)
        self._load(before)
        for end in [e for e in self.ends if e[0] <= self.step]:
            self.ends.remove(end)
            end[1]()
        for trouble in self.plan.troubles:
            if trouble.step == self.step:
                self._meet(trouble)
        if self.down:
            self.down -= 1
            return
        self._beat()
        if self.ends or any(self.step - 2 <= trouble.step <= self.step for trouble in self.plan.troubles):
            self._set(self.now + LEASE + 2 * SECOND)
            self._beat()

    def _beat(self) -> None:
        for bot in self.random.sample(self.bots, len(self.bots)):
            self._alive(bot, partial(bot.beat, self.now))

    def _alive(self, bot: Bot, do: Callable[[], object]) -> None:
        """A process that dies is replaced by another."""
        try:
            do()
        except Crash:
            self.bots[self.bots.index(bot)] = Bot(self.world.node(), self.now)
        self._tell(None)

    def _tell(self, bot: Bot | None) -> None:
        """Notes which rows the owner is told of."""
        if bot:
            bot.beat(self.now)
        store = self.world.nodes[-1].store
        with suppress(StoreAway):
            for alert in store.alerts.open(policy=LATE_ROWS):
                self.told |= {str(row["message_id"]) for row in store.alerts.evidence(alert.id, 1000).rows}

    def _ends_all(self) -> None:
        for _, end in self.ends:
            end()
        self.ends.clear()
        self.down, self.crash_at = 0, ""

    # --------------------------------------------------------------------- rows

    def _load(self, before: datetime) -> None:
        """What came since `before`, if the table is loaded now; what comes late, twice or without a time."""
        if self.step >= self.plan.steps:
            self._insert([(f"h_{self.now}", "s_0", self.now, "hello")])
            return
        dice, many = self.random, self.plan.limit < 20 or self.shape.max_alerts < 5
        for _ in range(dice.choice((0, 1, 1, 2, 5 if many else 2))):
            at = before + (self.now - before) * dice.choice((0.0, 1.0, dice.random()))
            self.coming.append((self._seller(), at))
        if self.step % self.batch and self.step < self.plan.steps - 1:
            return
        fresh, self.coming = self.coming, []
        rows = [self._row(seller, self.now if self.shape.arrival else at) for seller, at in fresh]
        told = [(row.name, row.seller, at, "pay me") for row, (_, at) in zip(rows, fresh, strict=True)]
        if not self.shape.arrival:
            odd = [*self._late(), *self._timeless(), *self._again()]
            told += [(row.name, row.seller, row.at, "pay me") for row in odd]
        if dice.random() < 0.5:
            told.append((f"h_{self.now}", "s_0", self.now, "hello"))
        self._insert(told)

    def _seller(self) -> str:
        return f"s_{self.random.randint(1, self.plan.sellers)}"

    def _row(self, seller: str, at: datetime | None) -> Row:
        row = Row(f"m_{len(self.rows) + 1}", seller, at, self.now, self.newest)
        row.judge(self.shape)
        self.rows.append(row)
        return row

    def _late(self) -> list[Row]:
        """At the reach, within it, just behind it, and hours behind it."""
        dice, shape = self.random, self.shape
        reach = self.now - shape.delay
        reach = (min(reach, self.newest) if shape.sources and self.newest else reach) - shape.lookback
        off = (timedelta(), dice.random() * shape.lookback, -INSTANT, -dice.random() * LONGEST_LATE)
        count = dice.choice((0, 0, 1, 2))
        return [self._row(self._seller(), min(reach + dice.choice(off), self.now)) for _ in range(count)]

    def _timeless(self) -> list[Row]:
        return [self._row("s_1", None)] if self.random.random() < 0.1 else []

    def _again(self) -> list[Row]:
        """The same row a second time, in the same load or a later one."""
        timed = [row for row in self.rows if row.at]
        return [self.random.choice(timed)] if timed and self.random.random() < 0.3 else []

    def _insert(self, rows: list[tuple[str, str, datetime | None, str]]) -> None:
        if not rows:
            return
        now = _sql(self.now)
        values = ", ".join(
            f"('{name}', '{seller}', '{body}', {_sql(at)}, {now})" for name, seller, at, body in rows
        )
        self.world.table.does(f"INSERT INTO core.chat VALUES {values}")
        times = [self.now] if self.shape.arrival else [at for _, _, at, _ in rows if at]
        self.newest = max([*times, *filter(None, [self.newest])], default=None)

    # --------------------------------------------------------------------- trouble

    def _policy(self) -> Policy:
        """As a process knows it that has read the files; as it was, where none could yet."""
        known = [
            policies[self.name] for bot in self.bots if self.name in (policies := bot.engine.catalog.policies)
        ]
        self.known = known[0] if known else self.known
        assert self.known
        return self.known

    def _lasting(self, trouble: Trouble, end: Callable[[], object]) -> None:
        self.ends.append((self.step + trouble.lasts, end))

    def _meet(self, trouble: Trouble) -> None:
        getattr(self, f"_{trouble.kind}")(trouble)

    def _crash(self, trouble: Trouble) -> None:
        self.crash_at = POINTS[trouble.which % len(POINTS)]

    def _outage(self, trouble: Trouble) -> None:
        """No process for so long."""
        self.down = max(self.down, trouble.lasts)
        self._lasting(trouble, self._new_bots)

    def _new_bots(self) -> None:
        self.bots = [Bot(self.world.node(), self.now) for _ in self.bots]

    def _once(self, what: str, trouble: Trouble, breaks: Callable[[], Callable[[], None]]) -> None:
        """What is away already is not taken away a second time."""
        if what in self.away or self.step >= self.plan.steps:  # what lay in wait comes too late
            return
        self.away.add(what)
        mend = breaks()

        def end() -> None:
            mend()
            self.away.discard(what)

        self._lasting(trouble, end)

    def _away(self, trouble: Trouble) -> None:
        self._once("store", trouble, self._takes_stores_away)

    def _takes_stores_away(self) -> Callable[[], None]:
        back = [store_away(bot.node) for bot in self.bots]

        def end() -> None:
            for one in back:
                one()

        return end

    def _between(self, trouble: Trouble) -> None:
        """The store goes away after a look, and before it is saved."""
        in_between(self.bots[0].node, partial(self._away, trouble))

    def _warehouse(self, trouble: Trouble) -> None:
        node, error = self.bots[0].node, ERRORS[trouble.which % len(ERRORS)]
        self._once("warehouse", trouble, partial(failing, node, error, all_of_it=trouble.which % 2 == 0))

    def _paused(self, trouble: Trouble) -> None:
        self._edit(Shape(**{**vars(self.shape), "status": "draft"}))

        def live() -> None:
            self._edit(Shape(**{**vars(self.shape), "status": "live"}))

        self._lasting(trouble, live)

    def _edited(self, trouble: Trouble) -> None:
        self._edit(edited(self.shape, trouble.which, self.schedules))

    def _edit(self, shape: Shape) -> None:
        """A row that nobody has looked at yet is promised what both texts promise."""
        if shape.sql != self.shape.sql:
            self.rewritten = self.now
        self.shape = shape
        for row in self.rows[-40:]:
            if row.promised:
                row.judge(shape)
        self._write()

    def _renamed(self, _: Trouble) -> None:
        for folder, ending in (("policies", "yml"), ("sql", "sql")):
            (self.world.project / f"{folder}/{self.name.replace('.', '/')}.{ending}").unlink()
        self.was, self.name = self.name, f"{self.name}_{self.step}"
        self._write()
        for bot in self.bots:
            with suppress(StoreAway):
                bot.schedule._reload()

    def _write(self) -> None:
        path = self.name.replace(".", "/")
        self.world.write("policies/_assets.yml", self.shape.asset)
        self.world.write(f"policies/{path}.yml", self.shape.yml(self.was))
        self.world.write(f"sql/{path}.sql", self.shape.sql)

    def _clock(self, trouble: Trouble) -> None:
        by = (trouble.which % 13 - 6) * HOUR
        self._jump(by)
        self._lasting(trouble, partial(self._jump, -by))

    def _jump(self, by: timedelta) -> None:
        self.off += by
        self._set(self.now)

    def _click(self, _: Trouble) -> None:
        """Somebody acknowledges while a run is being saved."""
        node = self.bots[0].node

        def act() -> None:
            for alert in node.alerts(self.name)[:1]:
                node.engine.act(alert.id, Acknowledge("U0ANA"), by="U0ANA")

        in_between(node, act)

    def _stale(self, trouble: Trouble) -> None:
        """A process stands still over its lease; another takes its run over; it comes back and saves."""
        first, other = self.bots[0], Bot(self.world.node(), self.now)
        with suppress(StoreAway):
            self._alive(first, lambda: self._stands_still(first, other, trouble.which % 2 == 0))

    def _stands_still(self, first: Bot, other: Bot, over: bool) -> None:
        saves = first.claims_and_looks(self.name)
        if over:
            self._set(self.now + LEASE + SECOND)
        other.beat(self.now)
        saves()

    # --------------------------------------------------------------------- the end

    def _holes(self) -> Stretches:
        """What `patrol gaps` shows."""
        ledger, name = self.world.nodes[-1].store.ledger, self.name
        return account(self._policy(), ledger.covered(name, asked=False), ledger.covered(name)).holes

    def _found(self, holes: Stretches) -> Found:
        node = self.world.nodes[-1]
        store = node.store
        sellers = {canonical({"seller_id": f"s_{n}"}): f"s_{n}" for n in range(1, self.plan.sellers + 1)}
        names = {row_hash({"message_id": row.name}, ("message_id",)): row.name for row in self.rows}
        memory = store.alerts.memory(self.name, sellers, None)
        alerts = [a for a in store.alerts.open(limit=1000) if a.policy == self.name and a.lane is Lane.live]
        shown = {a.id: store.alerts.evidence(a.id, 10_000).rows for a in alerts}
        covered, flood = store.ledger.covered(self.name), flood_key(self.name)
        return Found(
            began=covered[0].start if covered else self.now,
            seen={names[one] for rows in memory.values() for one in rows},
            evidence=Counter(self.plan.shown_as(a.key == flood, row) for a in alerts for row in shown[a.id]),
            keys=Counter(a.key for a in alerts),
            by_seller={sellers[a.key]: (a.count, len(shown[a.id])) for a in alerts if a.key in sellers},
            flooded=any(a.key == flood for a in alerts),
            told=self.told,
            nights=[r.ended_at for r in store.runs.recent(LATE_ROWS, 1000) if r.ended_at and not r.error],
            rewritten=self.rewritten,
            holes=holes,
            left=[str(r.cause) for r in store.runs.recent(self.name, 1000) if r.status is RunStatus.running],
        )


def _sql(at: datetime | None) -> str:
    return f"'{at:%Y-%m-%d %H:%M:%S.%f}'" if at else "NULL"
