"""Outcomes as answers to the one who acted: refusals with another way, several as one. Pure."""

from __future__ import annotations

import re
from typing import TypeVar

from bot.core.alert import Alert, Disposition, Lane
from bot.core.change import Refused
from bot.core.command import BY_NAME
from bot.core.reply import Reply, Said
from bot.core.words import clean

Answered = TypeVar("Answered", bound=Reply)
OTHER_WAY = re.compile(rf"(undo: )?((?:{'|'.join(BY_NAME)})(?: .*)?)")


def together(answers: list[Said]) -> Said:
    """Several answers as one, line by line, with every undo."""
    hints = dict.fromkeys(answer.hint for answer in answers if answer.hint)
    return Said("\n".join(a.text for a in answers), " · ".join(hints), all(a.ok for a in answers))


def noted(alert: Alert, kind: str) -> str:
    """What becomes of a false positive, for the one who called it so."""
    false = kind in ("resolved", "redisposed") and alert.disposition is Disposition.false_positive
    if not false or alert.policy.startswith("patrol."):
        return ""
    hear = " You will hear in its thread when the policy is mended." if alert.lane is Lane.live else ""
    return f" Noted for {clean(alert.terms.team)}, who own `{clean(alert.policy)}`.{hear}"


def unrefused(answer: Answered | Refused) -> Answered | Said:
    return refusal(answer) if isinstance(answer, Refused) else answer


def refusal(refused: Refused) -> Said:
    way = OTHER_WAY.fullmatch(refused.hint)
    return Said(refused.why, f"{way[1] or ''}`/patrol {way[2]}`" if way else refused.hint, ok=False)
