"""The App Home tab: what is mine, what nobody has, who is on call. Thin, from the same values as `status`."""

from __future__ import annotations

from bot.core.alert import Alert, Work
from bot.core.reply import Person, StatusReply
from bot.slack.answers import alert_line, around, sections
from bot.slack.blocks import Block, header, section

MINE_MOST = 15


def home(reply: StatusReply, person: Person) -> Block:
    """The view for `views.publish`."""
    mine = [alert for alert in reply.open_alerts if _is_on(alert, person.slack)]
    unowned = [alert for alert in reply.open_alerts if alert.work is Work.open and not alert.snooze]
    blocks = [
        header("Mine"),
        *_listed(mine, "Nothing is yours right now."),
        header("With nobody on them"),
        *_listed(unowned, "Every open alert has somebody on it."),
        *around(reply),
    ]
    return {"type": "home", "blocks": blocks[:100]}


def _is_on(alert: Alert, slack: str) -> bool:
    return slack == alert.owner or slack in alert.helpers


def _listed(alerts: list[Alert], otherwise: str) -> list[Block]:
    return sections([alert_line(alert) for alert in alerts], MINE_MOST) or [section(otherwise)]
