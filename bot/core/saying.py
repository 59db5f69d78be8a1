"""Outcomes as answers to the one who acted: refusals with another way, several as one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from bot.core.access import of_verb, say
from bot.core.alert import Alert, Disposition, Lane
from bot.core.change import Change, Refused, Same
from bot.core.ladder import PAGES, name_of
from bot.core.reply import HelpReply, Reply, Said
from bot.core.undo import undo
from bot.core.unknown import no_such
from bot.core.verbs import BY_NAME, TITLES, VERBS
from bot.core.words import clean
from sensors.model.policy import NOTHING

Answered = TypeVar("Answered", bound=Reply)
OF_ONE = re.compile(r"(undo: `/patrol \w+) (\d+)`")
OTHER_WAY = re.compile(rf"(undo: )?((?:{'|'.join(BY_NAME)})(?: .*)?)")


def answered(alert: Alert, outcome: Change | Refused | Same, names: Mapping[str, str] = NOTHING) -> Said:
    """What came of an act, with its undo. `names`: people's, by Slack ids."""
    match outcome:
        case Change(event=event):
            way = undo(outcome, names)
            hint = f"undo: `/patrol {way}`" if way else ""
            return Said(f"{alert.name} {event.story}.{noted(alert, event.kind)}{_paged(outcome)}", hint)
        case Refused():
            return refusal(outcome)
    return Said(f"{alert.name} is so already.", ok=False)


def _paged(change: Change) -> str:
    """Whom an act has told at once, for the one who did it."""
    told = next((effect.to for effect in change.effects if effect.kind in PAGES), None)
    if not told:
        return ""
    name = name_of(told)
    return f" {name[0].upper()}{name[1:]} is told."


def too_long(words: str, most: int) -> Said:
    much = f"That is {len(words):,} characters; at most {most:,} are kept."
    return Said(much, "Nothing was done. Say it in fewer words.", ok=False)


def one_at_a_time(verb: str, alert: int) -> Said:
    """To one who asked to read several alerts at once."""
    return Said("One alert at a time.", f"First: `{verb} {alert}`", ok=False)


def helped(asked: str) -> HelpReply | Said:
    """What can be typed, or one verb at length."""
    if not asked:
        return HelpReply(tuple((v.name, v.usage, v.about) for v in VERBS), titles=TITLES)
    verb = BY_NAME.get(asked)
    if verb is None:
        return no_such("verb", asked, BY_NAME)
    rights = [say(right) for right in of_verb(verb.name)]
    about = "\n".join(
        [
            verb.about,
            *([verb.more] if verb.more else []),
            *rights,
            *(f"for example `{e}`" for e in verb.examples),
        ]
    )
    return HelpReply(((verb.name, verb.usage, verb.about),), about)


def together(answers: list[Said]) -> Said:
    """Several answers as one, line by line, with every undo: those by one verb as one.

    Where some was done, the undo is of that alone: not of what was so before.
    """
    done = any(answer.ok for answer in answers)
    mean = [a.hint for a in answers if a.hint and (a.ok or not (done and a.hint.startswith("undo: ")))]
    hints: dict[str, list[str]] = {}
    for answer in mean:
        one = OF_ONE.fullmatch(answer)
        hints.setdefault(one[1] if one else answer, []).extend([one[2]] if one else [])
    told = [f"{way} {' '.join(dict.fromkeys(ids))}`" if ids else way for way, ids in hints.items()]
    return Said("\n".join(a.text for a in answers), " · ".join(told), all(a.ok for a in answers))


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
