"""Once a night, for each policy of events: rows that came behind its reach, and rows without a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.action import Clear
from bot.core.alert import Alert
from bot.core.builtin import LANE
from bot.core.change import Change
from bot.core.late import LATE_ROWS, Late, behind, late_key, late_rows, unseen
from bot.core.ledger import Stretch, common
from bot.core.reconcile import KEPT_ROWS, RESOLVED_LATELY, masked
from bot.core.reply import Evidence
from bot.core.step import step
from bot.core.version import finds_the_same
from bot.engine.engine import Engine
from bot.process.errors import Conflict, LeaseLost
from bot.process.log import get
from bot.store import Ask, RunSave
from sensors.model.policy import Incremental, Policy
from sensors.model.run import Cause, CauseKind, Looked, Run, RunStatus
from sensors.model.violation import FoundRow, age
from sensors.model.window import INSTANT, Window
from sensors.run import look
from sensors.untimed import untimed

log = get("late")

NIGHT = timedelta(hours=3)  # UTC
LEASE = timedelta(
    minutes=15
)  # longer than the queries of one policy take; if it runs out, the next night comes
MOST_PARTS = 50  # of one stretch
TRIES = 6  # against people who click meanwhile


class LateRows:
    """Looks behind each policy's reach. Of many processes one does it, for each policy and night."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = engine.store
        self._done: datetime | None = None

    def once(self) -> int:
        """Looks where it has not been looked tonight; how many policies have such rows."""
        now = self.engine.clock()
        night = (now - NIGHT).replace(hour=0, minute=0, second=0, microsecond=0) + NIGHT
        if self._done == night:
            return 0
        policies = [p for p in self.engine.catalog.policies.values() if p.runs and p.accumulates]
        told = sum(self._look_at(policy, night) for policy in policies)
        self._end_others({policy.name for policy in policies})
        self._done = night
        return told

    def _look_at(self, policy: Policy, night: datetime) -> bool:
        """Whether it has late rows. What goes wrong here harms nothing: the next night comes."""
        now = self.engine.clock()
        cause, window = Cause(CauseKind.tick, f"{night:%Y-%m-%d} {policy.name}"), Window(None, night)
        ask = Ask(LATE_ROWS, cause, night, lambda _: window, incremental=False, content="")
        run = self.store.runs.claim(ask, now, LEASE)
        if not isinstance(run, Run):
            return False
        found = self._find(policy, night)
        if isinstance(found, str):
            log.warning("late rows not looked for", policy=policy.name, why=found)
            self.store.runs.fail(run, RunStatus.failed, found, self.engine.clock())
            return False
        return self._save(policy, run, found)

    def _find(self, policy: Policy, night: datetime) -> Late | str:
        """What there is, or why it cannot be said."""
        assert isinstance(policy.window, Incremental)
        watermark = self.store.runs.watermark(policy.name)
        if watermark is None:
            return Late()
        reach = watermark - policy.window.lookback - INSTANT  # the next run looks from there
        past = behind(reach, night, self._held(late_key(policy.name), self.engine.clock()))
        known = self.store.ledger.covered(
            policy.name, since=past.start, contents=self._alike(policy, past.start)
        )
        rows: list[Looked] = []
        for stretch in common([past], known):
            for looked in self._parts(policy, stretch):
                if not looked.ok:
                    return looked.error or looked.status.value
                rows.append(looked)
        timeless = untimed(policy, self.engine.warehouse.dialect)
        without = look(timeless, self.engine.warehouse, Window(past.start, past.end)) if timeless else None
        if without and not without.ok:
            return without.error or without.status.value
        late = [row for looked in rows for row in self._unseen(policy, looked)]
        none = self._unseen(policy, without) if without else ()
        return Late(tuple(sorted(late, key=age)), tuple(none))

    def _alike(self, policy: Policy, since: datetime) -> list[str]:
        """The texts under which the policy found the rows that it finds now."""
        return [
            content
            for content in self.store.ledger.contents(policy.name, since)
            if content == policy.content or finds_the_same(self._body(content), policy.body)
        ]

    def _body(self, content: str) -> str:
        body = self.store.contents.get(content)
        return body.decode() if body else ""

    def _parts(self, policy: Policy, stretch: Stretch) -> list[Looked]:
        """The looks at a stretch, in parts where it does not fit; up to the first that fails."""
        parts: list[Looked] = []
        at = stretch.start
        while at < stretch.end and len(parts) < MOST_PARTS:
            looked = look(policy, self.engine.warehouse, Window(at, stretch.end))
            parts.append(looked)
            if not looked.ok:
                break
            at = looked.window.end
        return parts

    def _unseen(self, policy: Policy, looked: Looked) -> tuple[FoundRow, ...]:
        keys = [violation.key for violation in looked.violations]
        memory = self.store.alerts.memory(policy.name, keys, looked.window.start)
        return unseen(looked.violations, memory)

    def _save(self, policy: Policy, run: Run, found: Late) -> bool:
        key, rows = late_key(policy.name), (*found.untimed, *found.rows)
        shown = tuple(masked(policy, row.values) for row in reversed(rows[-KEPT_ROWS:]))
        columns = tuple(dict.fromkeys(name for row in shown for name in row))
        for _ in range(TRIES):
            now = self.engine.clock()
            held = self._held(key, now)
            team = self.engine.catalog.teams.get(policy.owner)
            outcome = step(held, late_rows(policy, found, team, held, now), now)
            changes = (outcome,) if isinstance(outcome, Change) else ()
            evidence = {key: Evidence(columns, shown, found.count)} if found.count and changes else {}
            try:
                self.store.save(RunSave(run, run.window, changes, evidence, rows=found.count), now)
            except Conflict:
                continue
            except LeaseLost as lost:
                log.warning("run lost", why=str(lost))
                return False
            if found.count:
                log.warning("late rows", policy=policy.name, rows=len(found.rows), untimed=len(found.untimed))
            return bool(found.count)
        return False

    def _held(self, key: str, now: datetime) -> Alert | None:
        since = now - RESOLVED_LATELY
        return self.store.alerts.held(LATE_ROWS, LANE, keys=[key], resolved_since=since).get(key)

    def _end_others(self, running: set[str]) -> None:
        """Alerts about policies that no longer run are over."""
        for alert in self.store.alerts.open(policy=LATE_ROWS, limit=1000):
            if str(alert.key_values.get("policy")) not in running:
                self.engine.act(alert.id, Clear(self.engine.clock()))
