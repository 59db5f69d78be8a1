"""What Slack sends in: each listener parses, hands in to the desk, answers. An ack means: recorded.

Events are deduped in this process's memory, over HTTP by all processes; acts are safe to repeat by their
`work_seq`.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from slack_bolt import Ack, App, BoltContext, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.core.change import Refused
from bot.core.reply import FormReply, Reply
from bot.process.errors import PatrolError, RecordUnknown
from bot.slack import payloads, reveal, talk
from bot.slack.answers import plainly, render
from bot.slack.client import SlackClient
from bot.slack.desk import Desk
from bot.slack.gate import OUTSIDER, Gate, Seen, foreign, is_bot
from bot.slack.handoff import ACCEPT
from bot.slack.homes import Homes
from bot.slack.jobs import PLAN
from bot.slack.modals import Errand
from bot.slack.payloads import Place
from bot.slack.pictures import Pictures
from bot.slack.scopes import COMMANDS, EVENTS, SHORTCUTS
from bot.slack.submissions import Submissions
from bot.slack.talk import Talk
from bot.slack.turns import Late, Turns

__all__ = ["Desk", "new_app", "register"]

ANY = re.compile(".*", re.DOTALL)
ARRIVED = "patrol_arrived"
DOUBT = "patrol_doubt"  # why an act may not be recorded, whoever it comes from
Body = dict[str, Any]
Next = Callable[[], None]
log = logging.getLogger(__name__)


def now_utc() -> datetime:
    return datetime.now(UTC)


def new_app(client: SlackClient, signing_secret: str = "") -> App:
    """A Bolt app over our client. Its threads only wait for acts, which are short, so there may be many."""

    def ourselves(context: BoltContext) -> AuthorizeResult:
        """Asked of Slack once in a process. By itself Bolt acks an act and drops it where this fails."""
        me = client.who_am_i()
        return AuthorizeResult(
            enterprise_id=context.enterprise_id,
            team_id=me.team_id,
            bot_user_id=me.bot_user,
            bot_token=client.web.token,
        )

    return App(
        name="patrol",
        client=WebClient(base_url=client.web.base_url, retry_handlers=[]),  # its token comes with `ourselves`
        authorize=ourselves,
        signing_secret=signing_secret,
        raise_error_for_unhandled_request=True,
        listener_executor=ThreadPoolExecutor(20, thread_name_prefix="listener"),
    )


def register(
    app: App,
    desk: Desk,
    client: SlackClient,
    pool: Executor | None = None,
    clock: Callable[[], datetime] = now_utc,
    observe: Callable[[float], None] = lambda _seconds: None,
    pictures: Pictures | None = None,
    homes: Homes | None = None,
) -> None:
    """Puts every listener on the app. `pool` does what follows an answer; acts have threads of their own.

    `observe` is told the seconds from the arrival of an act to its ack; `pictures` draws for answers, `homes`
    looks after Home tabs.
    """
    beside = pool or ThreadPoolExecutor(8, thread_name_prefix="talk")
    turns = Turns(ThreadPoolExecutor(8, thread_name_prefix="act"), beside, observe=observe)
    listeners = Listeners(desk, client, turns, clock, Talk(desk, client, turns, pictures, homes))
    app.use(listeners.guard)
    app.action(re.compile(r"^alert\."))(listeners.click)
    app.action(re.compile(r"^approval\."))(listeners.decide)
    app.action(re.compile(r"^ask\."))(listeners.asked)
    app.action(re.compile(r"^backfill\."))(listeners.steer)
    app.action(re.compile(r"^job\."))(listeners.of_job)
    app.action(ACCEPT)(listeners.accept)
    for entry in COMMANDS:
        app.command(str(entry["command"]))(listeners.command)
    for entry in SHORTCUTS:
        app.shortcut(str(entry["callback_id"]))(listeners.shortcut)
    app.view(re.compile(rf"^({'|'.join(Submissions.CALLBACKS)})$"))(listeners.submitted)
    on_event: dict[str, Callable[..., BoltResponse]] = {
        "app_mention": listeners.mention,
        "app_home_opened": listeners.home,
        "message.im": listeners.direct,
    }
    for name in EVENTS:
        app.event(name.partition(".")[0], middleware=[on_event[name]])(_nothing)
    _catch_all(app, listeners)


def _catch_all(app: App, listeners: Listeners) -> None:
    """Nothing is left without an ack: what no listener above knows is answered plainly."""
    app.action(ANY)(listeners.unknown)
    app.command(ANY)(listeners.unknown)
    app.shortcut(ANY)(listeners.unknown)
    app.view(ANY)(listeners.unknown)
    app.view_closed(ANY)(_acked)
    app.options(ANY)(_no_options)
    app.event(ANY)(_nothing)
    app.error(listeners.failed)


def _nothing() -> None:
    """Events are acked by Bolt."""


def _acked(ack: Ack) -> None:
    ack()


def _no_options(ack: Ack) -> None:
    ack(options=[])


class Listeners:
    """The listeners, with what they hand in to. They hold no state but the ids of the last events."""

    def __init__(
        self,
        desk: Desk,
        client: SlackClient,
        turns: Turns,
        clock: Callable[[], datetime],
        said: Talk,
    ) -> None:
        self._desk = desk
        self._client = client
        self._turns = turns
        self._clock = clock
        self._gate = Gate(client, met=desk.met)
        self._seen = Seen()
        self._talk = said
        self._submissions = Submissions(desk, clock)

    # -- before all ----------------------------------------------------------------------------------------

    def guard(self, body: Body, context: BoltContext, next: Next) -> BoltResponse | None:
        """Notes when it came, and turns away other workspaces and bots."""
        context.setdefault(ARRIVED, time.monotonic())
        ours = context.authorize_result.team_id if context.authorize_result else None
        if is_bot(body) or foreign(body, context.team_id, ours):
            url = str(body.get("response_url") or "")
            if url:
                self._talk.tell(Place("", response_url=url), render(OUTSIDER))
            return BoltResponse(status=200, body="")
        next()
        return None

    # -- acts ----------------------------------------------------------------------------------------------

    def click(self, ack: Ack, body: Body, context: BoltContext) -> None:
        clicked = payloads.click(body)
        errand, action = clicked.errand, payloads.action(clicked, self._clock())
        if clicked.action_id == "alert.link":
            ack()
        elif errand is None or (action is None and not clicked.opens):
            ack()
            self._talk.tell(clicked.place, plainly("This button says nothing that Patrol knows."))
        elif action is None:
            ack()
            self._turns.later(lambda: self._open(clicked))
        else:
            outcome = self._act(
                context,
                clicked.place,
                lambda: self._desk.act(clicked.place.person, errand.alert, action, errand.work_seq),
            )
            ack()
            self._settle(outcome, lambda said: self._talk.acted(clicked, said), clicked.place)

    def asked(self, ack: Ack, body: Body, context: BoltContext) -> None:
        """Yes or no to what was shown before it is done."""
        place, ask = payloads.asked(body)
        if ask is None:
            ack()
            self._talk.instead(place, plainly("Left as it was."))
            return
        outcome = self._act(context, place, lambda: self._desk.confirm(place.person, ask))
        ack()
        self._settle(
            outcome, lambda said: self._talk.instead(place, render(said, self._talk.room(place))), place
        )

    def of_job(self, ack: Ack, body: Body, context: BoltContext) -> None:
        """What is asked for by a button about a job: as if it were typed; or its form is opened."""
        clicked, typed = payloads.click(body), payloads.of_job(body)
        if clicked.action_id == PLAN:
            ack()
            self._turns.later(lambda: self._talk.plan(clicked))
        elif clicked.opens and clicked.errand:
            ack()
            self._turns.later(lambda: self._open(clicked))
        elif not typed:
            ack()
            self._talk.tell(clicked.place, plainly("This button says nothing that Patrol knows."))
        else:
            outcome = self._act(
                context, clicked.place, lambda: self._desk.command(clicked.place.person, typed)
            )
            ack()
            self._settle(outcome, lambda reply: self._talk.answer_in(clicked, reply), clicked.place)

    def accept(self, ack: Ack, body: Body, context: BoltContext) -> None:
        """Of the card of a handoff."""
        clicked = payloads.click(body)
        handoff, place = clicked.handoff, clicked.place
        outcome = self._act(context, place, lambda: self._desk.accept(place.person, handoff))
        ack()
        self._settle(outcome, lambda said: self._talk.answer(place, said), place)

    def _open(self, clicked: payloads.Click) -> None:
        refused = self._gate.refusal(clicked.place.user)
        if refused:
            self._talk.tell(clicked.place, render(refused))
        else:
            self._talk.open(clicked)

    def decide(self, ack: Ack, body: Body, context: BoltContext) -> None:
        """A second person's answer to a job that waits."""
        self._answered(ack, body, context, payloads.decision(body), self._desk.decide)

    def steer(self, ack: Ack, body: Body, context: BoltContext) -> None:
        """A button of a backfill's message."""
        self._answered(ack, body, context, payloads.steering(body), self._desk.steer)

    def _answered(
        self,
        ack: Ack,
        body: Body,
        context: BoltContext,
        said: tuple[Any, ...] | None,
        does: Callable[..., Reply | Refused],
    ) -> None:
        """A button that says all that is to be known, for one who is answered beside its message."""
        place = payloads.click(body).place
        if said is None:
            ack()
            self._talk.tell(place, plainly("This button says nothing that Patrol knows."))
            return
        outcome = self._act(context, place, lambda: does(place.person, *said))
        ack()
        self._settle(outcome, lambda reply: self._talk.answer(place, reply), place)

    def command(self, ack: Ack, body: Body, context: BoltContext) -> None:
        place, text = payloads.command(body)
        outcome = self._act(context, place, lambda: self._desk.command(place.person, text))
        if isinstance(outcome, FormReply):
            ack()
            self._talk.open_form(place, outcome, str(body.get("trigger_id") or ""))
            return
        if isinstance(outcome, Late) or self._talk.draws(
            outcome
        ):  # a picture must not come before its answer
            ack()
            self._settle(outcome, lambda reply: self._talk.answer(place, reply), place)
            return
        face = render(outcome, self._talk.room(place))
        ack(text=face.text, blocks=face.blocks)

    def mention(self, body: Body, context: BoltContext) -> BoltResponse:
        """As middleware, because Bolt acks an event before its listener has run."""
        if not self._seen.first(str(body.get("event_id") or "")):
            return BoltResponse(status=200, body="")
        said = payloads.mention(body, context.bot_user_id or "")
        outcome = self._act(context, said.place, lambda: self._mentioned(said))
        self._settle(outcome, lambda reply: self._talk.answer(said.place, reply), said.place)
        return BoltResponse(status=200, body="")

    def direct(self, body: Body, context: BoltContext) -> BoltResponse:
        """What is written to us where nobody else reads it is a command, whether it names us or not."""
        return self.mention(body, context) if payloads.is_direct(body) else BoltResponse(status=200, body="")

    def _mentioned(self, said: payloads.Mention) -> Reply | Refused:
        alert = self._desk.alert_at(said.place.channel, said.root_ts) if said.root_ts else None
        text = said.text if alert is None else payloads.in_thread(said.text, alert)
        return self._desk.command(said.place.person, text)

    def submitted(self, ack: Ack, body: Body, context: BoltContext) -> None:
        place = self._submissions.place(body)
        outcome = self._act(context, place, lambda: self._submissions.record(body, place.person))
        if isinstance(outcome, Late):
            ack(**talk.unrecorded_view(body, outcome.running is not None))
            if outcome.running is not None:
                self._settle(outcome, lambda done: self._talk.submitted(place, done))
        elif more := self._submissions.instead(body, outcome):
            ack(**more)
        elif isinstance(outcome, reveal.Asked):
            errand, name = Errand(outcome.alert, 0, place.channel), uuid.uuid4().hex
            ack(response_action="update", view=reveal.waiting(errand, name))
            self._talk.reveal(name, place.person, errand)
        else:
            ack(response_action="clear")
            self._talk.submitted(place, outcome)

    def _act(self, context: BoltContext, place: Place, record: Callable[[], Any]) -> Any:
        """What came of it in time; what broke is a refusal in words."""
        arrived = context.get(ARRIVED) or time.monotonic()
        if doubt := context.get(DOUBT):
            return Refused(f"Not recorded: {doubt}", "Try again in a moment.")
        try:
            return self._turns.take(arrived, lambda: self._gate.refusal(place.user), record)
        except RecordUnknown as error:
            log.warning("an act may not have been recorded: %s", error)
            return Refused(str(error), "Look at the alert before you do it again.")
        except PatrolError as error:
            log.warning("an act was not recorded: %s", error)
            return Refused(f"Not recorded: {error}", "Try again in a moment.")
        except Exception:
            log.exception("an act failed")
            return Refused("Not recorded: something broke on Patrol's side.", "It is in Patrol's log.")

    def _settle(self, outcome: Any, tell: Callable[[Any], None], place: Place | None = None) -> None:
        """Tells the outcome; of one still running first that it is not recorded, later what came of it."""
        if not isinstance(outcome, Late):
            tell(outcome)
            return
        if place is not None:
            self._talk.tell(place, talk.unrecorded(outcome.running is not None))
        if outcome.running is not None:
            outcome.running.add_done_callback(lambda done: tell(talk.ended(done)))

    # -- beside acts ---------------------------------------------------------------------------------------

    def home(self, body: Body) -> BoltResponse:
        event: Mapping[str, Any] = body.get("event") or {}
        fresh = self._seen.first(str(body.get("event_id") or ""))
        if fresh and event.get("tab") == "home" and self._gate.refusal(str(event.get("user") or "")) is None:
            self._talk.home(str(event["user"]))
        return BoltResponse(status=200, body="")

    def shortcut(self, ack: Ack, body: Body) -> None:
        ack()
        wanted = payloads.shortcut(body)

        def work() -> None:
            refused = self._gate.refusal(wanted.place.user)
            if refused:
                self._talk.tell(wanted.place, render(refused))
            else:
                self._talk.ask_for_note(wanted)

        self._turns.later(work)

    def unknown(self, ack: Ack, body: Body) -> None:
        ack()
        place = payloads.click(body).place
        self._talk.tell(place, plainly("Patrol does not know this one. Perhaps it is older than Patrol is."))

    def failed(self, error: Exception, body: Body) -> BoltResponse:
        """Whatever broke before the ack: Slack gets its ack, the person the truth."""
        log.error("a listener failed: %s", error, exc_info=error)
        place = _place(body)
        if place.response_url or (place.user and place.channel):
            self._talk.tell(place, plainly("Not recorded: something broke on Patrol's side."))
        return BoltResponse(status=200, body="")


def _place(body: Body) -> Place:
    """Where it came from; nowhere, where it is nothing that Slack would send."""
    try:
        return payloads.click(body).place
    except (AttributeError, TypeError, LookupError, ValueError):
        return Place("")
