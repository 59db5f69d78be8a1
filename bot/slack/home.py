"""The App Home tab: what is mine, what nobody has, who is on call. Thin, from the same values as `status`."""

from __future__ import annotations

from bot.core.alert import Alert, Work
from bot.core.reply import Person, StatusReply
from bot.slack.answers import around
from bot.slack.blocks import Block, header, section
from bot.slack.lines import ANYWHERE, Room, alert_lines, sections
from bot.slack.text import escape

MINE_MOST = 15


def home(reply: StatusReply, person: Person, room: Room = ANYWHERE) -> Block:
    """The view for `views.publish`."""
    mine = [alert for alert in reply.open_alerts if _is_on(alert, person.slack)]
    unowned = [alert for alert in reply.open_alerts if alert.work is Work.open and not alert.snooze]
    told = [alert for alert in unowned if person.slack in reply.told.get(alert.id, ())]
    others = [alert for alert in unowned if alert not in told]
    duty = [one.team for one in reply.on_call if person.slack in one.people]

    def lines(alerts: list[Alert], otherwise: str) -> list[Block]:
        return sections(alert_lines(alerts, reply.cards, room), MINE_MOST) or [section(otherwise)]

    on_call = f"You are on call for {', '.join(escape(team, 40) for team in duty[:10])}. " if duty else ""
    blocks = [
        *([header("Told to you"), *lines(told, f"{on_call}Nothing waits for you.")] if told or duty else []),
        header("Mine"),
        *lines(mine, "You have taken none right now." if told or duty else "Nothing is yours right now."),
        header("With nobody on them"),
        *lines(others, "No other does." if told else "Every open alert has somebody on it."),
        *around(reply),
    ]
    return {"type": "home", "blocks": blocks[:100]}


def _is_on(alert: Alert, slack: str) -> bool:
    return slack == alert.owner or slack in alert.helpers
