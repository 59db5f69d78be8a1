"""A sandbox, the real Bolt app on it, and a desk that writes down what it is handed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.action import Acknowledge, PersonAction, Resolve
from bot.core.alert import Alert, Lane, Terms, Work
from bot.core.change import Refused
from bot.core.job_run import JobRun, JobState
from bot.core.reply import (
    AskReply,
    Context,
    Evidence,
    FormReply,
    JobReply,
    ListReply,
    OnCall,
    Person,
    Reply,
    Revealed,
    Said,
    ShowReply,
    StatusReply,
    WhyReply,
)
from bot.sandbox import Sandbox
from bot.slack.client import SlackClient
from bot.slack.face import card
from bot.slack.listeners import new_app, register
from bot.slack.socket import Handle, start
from sensors.model.job import Job, Param
from sensors.model.policy import Severity

MANIFEST = Path(__file__).parents[2] / "manifest.yaml"
NOW = datetime(2026, 11, 23, 3, 4, tzinfo=UTC)
HOLD = Job(
    name="hold_payouts",
    kind="http",
    title="Hold payouts",
    owner="payments",
    params=(Param("seller_id", pattern=r"s_\d+"),),
    changes="Payouts of this seller stop.",
    undo="Release them in the admin tool.",
)


RUN = JobRun(17, "hold_payouts", "U0BO", "k", NOW, NOW, state=JobState.running)


def an_alert(**changes: Any) -> Alert:
    plain = Alert(
        id=3,
        policy="payments.off_platform_payment",
        key='{"seller_id":"s_1"}',
        lane=Lane.live,
        terms=Terms(team="payments"),
        title="Ana Cards asked 3 times to be paid elsewhere",
        severity=Severity.high,
        count=3,
        opened_at=NOW,
        fired_at=NOW + timedelta(minutes=2),
        as_of=NOW + timedelta(minutes=3),
        key_values={"seller_id": "s_1"},
        entities=("seller:s_1",),
        work_seq=7,
        last_event="opened: 3 rows",
        last_event_at=NOW,
    )
    return replace(plain, **changes)


def a_context(**changes: Any) -> Context:
    rows = tuple({"seller_id": "s_1", "body": f"pay me at {n}"} for n in range(8))
    plain = Context(
        paged=("U0ANA",),
        evidence=Evidence(("seller_id", "body"), rows, 42),
        offers=(HOLD,),
        links=(("Open seller", "https://admin.example.com/sellers/s_1"),),
        data_until=NOW,
    )
    return replace(plain, **changes)


@dataclass
class RecordingDesk:
    """The protocol's other side for these tests: one alert, and a list of what was handed in."""

    alert: Alert = field(default_factory=an_alert)
    handed: list[tuple[Any, ...]] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    delay_s: float = 0.0
    broken: Exception | None = None
    about: Context | None = None
    zones: dict[str, str] = field(default_factory=dict)
    cards: dict[tuple[str, str], int] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    runs: tuple[JobRun, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        self.alert, self.delay_s, self.broken, self.about = an_alert(), 0.0, None, None
        self.told, self.runs = (), ()
        self.handed.clear()
        self.people.clear()
        self.cards.clear()

    def _note(self, *what: Any) -> None:
        time.sleep(self.delay_s)
        if self.broken:
            raise self.broken
        with self.lock:
            self.handed.append(what)

    def act(
        self, person: Person, alert_id: int, action: PersonAction, work_seq: int | None
    ) -> Said | Refused:
        self.people.append(person)
        self._note("act", person.slack, alert_id, action, work_seq)
        if work_seq is not None and work_seq != self.alert.work_seq:
            return Refused("⟦U0ANA⟧ has it since a minute.", "`take 3` takes it over")
        if isinstance(action, Acknowledge):
            self.alert = replace(self.alert, work=Work.acknowledged, owner=action.by, work_seq=8)
        return Said(f"You have ALR-{alert_id}.", "undo: `/patrol unack 3`")

    def ask_snooze(self, person: Person, name: str, until: datetime, why: str) -> AskReply | Said | Refused:
        self._note("ask", person.slack, name, until, why)
        return AskReply(41, (f"Snooze `{name}`?", "It would have hidden nothing."), f"Snooze {name}")

    def confirm(self, person: Person, ask: int) -> Said | Refused:
        self._note("confirm", person.slack, ask)
        return Said("It is snoozed.", "undo: `/patrol wake seller:s_1`")

    def command(self, person: Person, text: str) -> Reply | Refused:
        self.people.append(person)
        self._note("command", person.slack, text)
        if text.startswith("snooze seller:"):
            return self.ask_snooze(person, text.split()[1], NOW, "")
        if text == "start hold_payouts":
            return FormReply(HOLD, {"seller_id": "s_9"}, self.alert.id)
        if text == "cancel 17":
            return AskReply(17, ("Cancel job run 17?",), "Cancel job run 17")
        if text == "job hold_payouts":
            return JobReply(HOLD, (RUN,), stoppable=(RUN.id,))
        if text == "list":
            return ListReply((self.alert, replace(self.alert, id=4)))
        return Said(f"Heard {text}.", "undo: `unack 3`")

    def show(self, _person: Person, alert_id: int) -> ShowReply | None:
        if alert_id != self.alert.id:
            return None
        return ShowReply(self.alert, self.about or a_context(), (), self.runs, stoppable=(RUN.id,))

    def show_rows(self, _person: Person, alert_id: int) -> ShowReply | None:
        rows = tuple({"seller_id": "s_1", "body": f"pay me at {n}"} for n in range(45))
        context = a_context(evidence=Evidence(("seller_id", "body"), rows, 60))
        return ShowReply(self.alert, context, ()) if alert_id == self.alert.id else None

    def why_alert(self, _person: Person, alert_id: int) -> WhyReply | None:
        return WhyReply(f"ALR-{alert_id}", (("Found", "3 rows counted."),))

    def status(self, person: Person) -> StatusReply:
        on_call = (OnCall("payments", (person.slack,)),)
        return StatusReply((), (self.alert,), on_call, told={self.alert.id: self.told})

    def alerts(self, _person: Person, ids: Sequence[int]) -> list[Alert]:
        return [replace(self.alert, id=one) for one in ids]

    def resolve_several(self, person: Person, ids: Sequence[int], action: Resolve) -> Said | Refused:
        self._note("several", person.slack, list(ids), action)
        return Said("Both are resolved.")

    def start_form(self, _person: Person, alert_id: int, job: str) -> tuple[Job, Mapping[str, Any]] | None:
        known = job == HOLD.name and alert_id == self.alert.id
        return (HOLD, {"seller_id": "s_1"}) if known else None

    def plan_job(
        self, _person: Person, alert_id: int, job: str, params: Mapping[str, Any]
    ) -> tuple[Job, str] | None:
        form = self.start_form(_person, alert_id, job)
        return (form[0], f"POST /{job} {dict(params)} <!channel>") if form else None

    def start_job(
        self, person: Person, alert_id: int | None, job: str, params: Mapping[str, Any]
    ) -> Said | Refused:
        self.people.append(person)
        self._note("start", person.slack, alert_id, job, dict(params))
        return Said(f"{job} is starting.")

    def reveal(self, person: Person, alert_id: int, why: str) -> Refused | None:
        self.people.append(person)
        self._note("reveal", person.slack, alert_id, why)
        return Refused("Only a responder of payments may see masked values.") if why == "no" else None

    def revealed(self, person: Person, alert_id: int) -> Revealed:
        self._note("revealed", person.slack, alert_id)
        return Revealed(("seller_id", "body"), ({"seller_id": "s_1", "body": "<!here> pay me"},), 3)

    def decide(self, person: Person, approval: int, yes: bool, seen: str) -> Said | Refused:
        self.people.append(person)
        self._note("decide", person.slack, approval, yes, seen)
        return Said(f"APR-{approval} was {'approved' if yes else 'refused'}.")

    def accept(self, person: Person, handoff: int) -> Said | Refused:
        self._note("accept", person.slack, handoff)
        return Said("The handoff of payments is yours.")

    def names(self) -> dict[str, str]:
        return {"U0ANA": "ana", "U0BO": "bo", "U0CY": "cy"}

    def met(self, slack: str, zone: str) -> None:
        self.zones[slack] = zone

    def alert_at(self, channel: str, ts: str) -> int | None:
        return self.cards.get((channel, ts))


def eventually(look: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Waits until `look` gives something true, and gives that; fails when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to pass")


@pytest.fixture(scope="module")
def house() -> Iterator[Sandbox]:
    """One sandbox for a module; every test has a channel of its own making or only reads."""
    with Sandbox(channels=("payments", "chat"), pace=False, manifest=MANIFEST) as running:
        yield running


@pytest.fixture
def sandbox(house: Sandbox) -> Iterator[Sandbox]:
    yield house
    house.no_faults()


@pytest.fixture
def client(sandbox: Sandbox) -> SlackClient:
    return SlackClient(sandbox.bot_token, sandbox.api, timeout_s=2)


@dataclass
class Bot:
    """The listeners on a running connection, and the card of the desk's alert."""

    sandbox: Sandbox
    desk: RecordingDesk
    client: SlackClient
    ts: str
    handle: Handle

    def click(self, action_id: str, user: str = "ana", **more: Any) -> dict[str, Any]:
        return self.sandbox.click(user, "payments", self.ts, action_id, wait_ms=1500, **more)

    @property
    def acts(self) -> list[Any]:
        return [what[3] for what in self.desk.handed if what[0] == "act"]


@pytest.fixture(scope="module")
def listening(house: Sandbox) -> Iterator[tuple[RecordingDesk, SlackClient, Handle]]:
    """The listeners on a connection, kept up for a module: dialling takes longer than most tests."""
    desk, client = RecordingDesk(), SlackClient(house.bot_token, house.api, timeout_s=5)
    app = new_app(client)
    register(app, desk, client, clock=lambda: NOW)
    handle = start(app, house.app_token, house.api, connections=1)
    try:
        eventually(lambda: handle.connected() == 1 and house.state()["connected"] == 1)
        yield desk, client, handle
    finally:
        handle.close()


@pytest.fixture
def bot(sandbox: Sandbox, listening: tuple[RecordingDesk, SlackClient, Handle]) -> Bot:
    """A clean desk with a new card of its alert."""
    desk, client, handle = listening
    desk.reset()
    ts = client.post("C0PAYMENTS", card(desk.alert, a_context()), "card-3")
    desk.cards["C0PAYMENTS", ts] = 3
    return Bot(sandbox, desk, client, ts, handle)
