"""The App Home tab: all that a person has to know and to do, his own first; from the values of `status`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.alert import Alert, Condition, Work
from bot.core.approval import Approval
from bot.core.reply import Person, PolicyLine, StatusReply
from bot.core.words import count
from bot.slack import approvals
from bot.slack.answers import around
from bot.slack.blocks import OF, Block, button, header, section
from bot.slack.face import value
from bot.slack.lines import ANYWHERE, Room, alert_line, alert_lines, sections, titled
from bot.slack.policies import FAILING, WELL, how, unwell
from bot.slack.text import answer, escape

LINES = 12  # of alerts below those with a button
BUTTONS = 5  # alerts that can be acted on from here
PROBLEMS = 8
BLOCKS = 100


def home(reply: StatusReply, person: Person, room: Room = ANYWHERE, notice: str = "") -> Block:
    """The view for `views.publish`; `notice` (safe mrkdwn) says what the person has just done here."""
    blocks = [
        *([section(notice)] if notice else []),
        *titled("⚠️ Needs a look", [answer(problem, 300) for problem in reply.problems], PROBLEMS),
        *_alerts(reply, person, room),
        *_to_agree(reply, person),
        *titled("💤 Snoozes that end", _ending(reply, person, room), LINES),
        *titled("⏳ Not known: data late", _late(reply, room), LINES),
        *around(_his_first(reply, person), room, _unwell(reply)),
    ]
    return {"type": "home", "blocks": blocks[:BLOCKS]}


def _alerts(reply: StatusReply, person: Person, room: Room) -> list[Block]:
    """Told to him, his own, those of his teams, those of others with nobody on them."""
    awake = [alert for alert in reply.open_alerts if not alert.snooze]
    mine = [alert for alert in reply.open_alerts if _is_on(alert, person.slack)]
    nobodys = [alert for alert in awake if alert.work is Work.open]
    told = [alert for alert in nobodys if person.slack in reply.told.get(alert.id, ())]
    his = {alert.id for alert in (*mine, *told)}
    teams = [a for a in awake if a.terms.team in reply.teams and a.id not in his]
    teams.sort(key=lambda alert: alert.work is not Work.open)  # nobody's first, else as they are
    others = [a for a in nobodys if a.terms.team not in reply.teams and a.id not in his]
    duty = [one.team for one in reply.on_call if person.slack in one.people]
    on_call = f"You are on call for {_named(duty)}. " if duty else ""

    def lines(alerts: Sequence[Alert], otherwise: str) -> list[Block]:
        return sections(alert_lines(alerts, reply.cards, room), LINES) or [section(otherwise)]

    blocks: list[Block] = []
    if told or duty:
        blocks += [header("Told to you"), *_with_button(told, reply, room, "alert.ack", "Acknowledge")]
        blocks += [] if told else [section(f"{on_call}Nothing waits for you.")]
    blocks += [header("Mine"), *_with_button(mine, reply, room, "alert.more", "More…")]
    blocks += [] if mine else [section("Nothing is yours right now.")]
    if reply.teams:
        blocks += [header(f"Open in {_named(reply.teams)}"), *lines(teams, "Nothing else is open.")]
    if others or not reply.teams:
        elsewhere = "Elsewhere, with nobody on them" if reply.teams else "With nobody on them"
        blocks += [header(elsewhere), *lines(others, "Every open alert has somebody on it.")]
    return blocks


def _with_button(
    alerts: Sequence[Alert], reply: StatusReply, room: Room, action: str, words: str
) -> list[Block]:
    """The worst with a button each, the rest on lines."""
    blocks = []
    for alert in alerts[:BUTTONS]:
        line = alert_line(alert, room.link(reply.cards.get(alert.id)))
        does = button(words, f"{action}{OF}{alert.id}", value(alert))
        does |= {"accessibility_label": f"{words} {alert.name}"}
        blocks.append({**section(line), "accessory": does})
    return [*blocks, *sections(alert_lines(alerts[BUTTONS:], reply.cards, room), LINES)]


def _to_agree(reply: StatusReply, person: Person) -> list[Block]:
    """Jobs that wait for this person among others, to be answered here."""
    blocks: list[Block] = []
    for asked in _for(reply, person)[:BUTTONS]:
        blocks += [section(approvals.line(asked, reply.able.get(asked.id, ()))), *approvals.answers(asked)]
    return [header("You may agree to"), *blocks] if blocks else []


def _for(reply: StatusReply, person: Person) -> list[Approval]:
    return [asked for asked in reply.approvals if person.slack in reply.able.get(asked.id, ())]


def _ending(reply: StatusReply, person: Person, room: Room) -> list[str]:
    """Of his own and his teams' alerts, the soonest first."""
    asleep = [
        (alert.snooze.until, alert)
        for alert in reply.open_alerts
        if alert.snooze and (alert.terms.team in reply.teams or _is_on(alert, person.slack))
    ]
    asleep.sort(key=lambda one: (one[0], one[1].id))
    return [alert_line(alert, room.link(reply.cards.get(alert.id))) for _, alert in asleep]


def _late(reply: StatusReply, room: Room) -> list[str]:
    """What nobody can know, of all that is open."""
    unknown = [alert for alert in reply.open_alerts if alert.condition is Condition.unknown]
    return alert_lines(unknown, reply.cards, room)


def _unwell(reply: StatusReply) -> list[str]:
    """The policies that somebody may have to see to; the others by their number. No times of runs, of which a
    tab would be drawn anew all the time."""
    by: dict[str, list[PolicyLine]] = {}
    for line in sorted(reply.policies, key=lambda line: line.name):
        by.setdefault(how(line), []).append(line)
    well = by.pop(WELL, [])
    lines = [
        unwell(line)
        for word, some in sorted(by.items(), key=lambda item: FAILING not in item[0])
        for line in some
    ]
    more = len(lines) - LINES
    rest = [f"and {more} more"] if more > 0 else []
    return [*lines[:LINES], *rest, *([f"{WELL}: {count(len(well), 'policy', 'policies')}"] if well else [])]


def _his_first(reply: StatusReply, person: Person) -> StatusReply:
    """The rest of it: his teams before others, without what stands above."""
    above = _for(reply, person)[:BUTTONS]
    on_call = sorted(reply.on_call, key=lambda one: (one.team not in reply.teams, one.team))
    waiting = tuple(asked for asked in reply.approvals if asked not in above)
    return replace(reply, on_call=tuple(on_call), approvals=waiting)


def _named(teams: Sequence[str]) -> str:
    more = f" and {len(teams) - 4} more" if len(teams) > 4 else ""
    return ", ".join(escape(team, 40) for team in teams[:4]) + more


def _is_on(alert: Alert, slack: str) -> bool:
    return slack == alert.owner or slack in alert.helpers
