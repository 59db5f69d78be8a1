"""What the clock does to an alert: the ladder's steps, reminders, the end of acknowledgements and snoozes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.action import MACHINE, Action, PagerCalled, Rouse, Timer, Unheard
from bot.core.alert import Alert, Condition, Lane, Snooze, Terms, Work, due, step_to
from bot.core.change import Change, Effect, EffectKind, Outcome, Same, changed
from bot.core.words import clean, when, who
from sensors.model.clock import say_duration
from sensors.model.team import PAGER

WHOM = {"oncall": "who is on call", "team": "the team", "lead": "the lead", PAGER: "the pager"}
PAGES = (EffectKind.page, EffectKind.call_pager)


def restart(alert: Alert, now: datetime) -> Alert:
    """The alert open again for the people on call: its ladder begins anew, at once."""
    return replace(
        alert,
        work=Work.open,
        open_since=now,
        owner=None,
        helpers=(),
        acknowledged_at=None,
        acknowledged_until=None,
        reminded=False,
        snooze=None,
        step=0,
        step_due=now + alert.terms.ladder[0].after if alert.terms.ladder else now,
    )


def reopened(alert: Alert) -> Alert:
    """The alert without its resolution."""
    return replace(
        alert,
        resolved_at=None,
        resolved_by=None,
        disposition=None,
        false_cause=None,
        note="",
        mended="",
        apart_at=None,
        reopened=alert.reopened + 1,
    )


def awake(alert: Alert, snooze: Snooze, now: datetime) -> Alert:
    """The alert without its snooze. Time stood still: an acknowledgement gets back what it had left."""
    slept = now - snooze.since
    if alert.work is Work.acknowledged and alert.acknowledged_until and alert.acknowledged_at:
        return replace(
            alert,
            snooze=None,
            acknowledged_at=alert.acknowledged_at + slept,
            acknowledged_until=alert.acknowledged_until + slept,
        )
    return replace(alert, snooze=None, step_due=max(now, alert.step_due or now))


def climb(
    alert: Alert, now: datetime, actor: str, story: str, action: Action, kind: str = "escalated"
) -> Change:
    """Tells the current step of the ladder and sets when the next is due."""
    mover = alert.last_event_by if actor == MACHINE and alert.step == 0 else actor  # whose act it is about
    to, step = step_to(alert), alert.step + 1
    ladder = alert.terms.ladder
    if step < len(ladder):
        wait = max(ladder[step].after - ladder[step - 1].after, timedelta(minutes=1))
    else:
        wait = max(alert.terms.repeat_interval, timedelta(minutes=1))
    told = replace(
        alert,
        step=min(step, len(ladder)),
        step_due=now + wait if alert.work is Work.open else None,
        told_count=alert.count,
        told_severity=alert.severity,
    )
    page = Effect(
        EffectKind.call_pager if to == PAGER else EffectKind.page,
        story,
        to=to,
        broadcast=True,
        work_seq=alert.work_seq + (actor != MACHINE),
        data={"state": alert.word, "step": told.step, "by": mover},
    )
    return changed(alert, told, now, actor, kind, story, action, (page,))


def unheard(alert: Alert, action: Unheard, now: datetime) -> Outcome:
    """The ladder goes on at once where the step that was told reached nobody. Do-not-disturb passes over no
    more than the ladder's own steps: at its end somebody is told all the same."""
    waits = alert.work is Work.open and not alert.snooze and alert.lane is Lane.live
    if not waits or alert.step != action.step:
        return Same("it has moved on meanwhile")
    if alert.step >= len(alert.terms.ladder) and action.people:
        return Same("there is no further step")
    return climb(alert, now, MACHINE, f"escalated to {name_of(step_to(alert))}: {_why(action)}", action)


def _why(action: Unheard) -> str:
    if not action.people:
        return clean(action.why)
    named, has = " and ".join(map(who, action.people)), "has" if len(action.people) == 1 else "have"
    until = f" until {when(action.until)}" if action.until else ""
    return f"{named} {has} asked Slack not to be disturbed{until}"


def pager_called(alert: Alert, action: PagerCalled, now: datetime) -> Change:
    story = f"the pager was called{f': {clean(action.said)}' if action.said else ''}"
    reply = Effect(EffectKind.reply, story)
    return changed(alert, alert, now, MACHINE, "pager_called", story, action, (reply,))


def call_at_once(terms: Terms, word: str) -> tuple[Effect, ...]:
    """What follows an alert that opens, where its ladder begins with the pager: a card rings no phone."""
    first = terms.ladder[0] if terms.ladder else None
    if first is None or first.to != PAGER or first.after:
        return ()
    return (Effect(EffectKind.call_pager, to=PAGER, data={"state": word, "step": 1}),)


def on_the_ladder(alert: Alert, action: Timer | Unheard | PagerCalled, now: datetime) -> Outcome:
    """What the clock, and what comes of a page, make of the alert."""
    match action:
        case Unheard():
            return unheard(alert, action, now)
        case PagerCalled():
            return pager_called(alert, action, now)
    return timer(alert, now)


def timer(alert: Alert, now: datetime) -> Outcome:
    """Whatever is due at `now`; nothing where the timer was early or the alert has moved on."""
    next_due = due(alert)
    if next_due is None or next_due.at > now:
        return Same("not due yet")
    if alert.lane is not Lane.live:
        return _quietly(alert, now)
    if alert.snooze:
        return _snooze_ends(alert, alert.snooze, now)
    if alert.work is Work.acknowledged:
        return _acknowledgement(alert, now)
    to = name_of(step_to(alert))
    if alert.step == 0:  # it has just come (back) to the ladder: the reason says more than how old it is
        return climb(alert, now, MACHINE, f"{to} is told: {alert.last_event}", Timer())
    waited = f"nobody has acknowledged it for {say_duration(now - (alert.open_since or alert.opened_at))}"
    return climb(alert, now, MACHINE, f"escalated to {to}: {waited}", Timer())


def _quietly(alert: Alert, now: datetime) -> Change:
    """Alerts that page nobody come up in their owner's digest; what ends meanwhile ends without a word."""
    after, kind, story = alert, "digest", "left for the owner's digest"
    if after.snooze and after.snooze.until <= now:
        after, kind, story = awake(after, after.snooze, now), "woken", "the snooze has ended"
    over = after.work is Work.acknowledged and after.acknowledged_until and after.acknowledged_until <= now
    if over and not after.snooze:
        after, kind, story = restart(after, now), "ran_out", _ran_out(alert)
    return changed(alert, after, now, MACHINE, kind, story, Timer())


STILL = {
    Condition.firing: "still there",
    Condition.cleared: "gone since",
    Condition.unknown: "whether it is still there is not known",
}


def scope_ends(alert: Alert, snooze: Snooze, now: datetime, how: str, action: Timer | Rouse) -> Change:
    """The snooze of its entity or policy is over. That is announced once for all alerts that it covered, to
    those whom the current step of each would tell: so here that step counts as told, and the next is set. A
    pager is called all the same, since what is announced rings no phone."""
    story = f"{how} {clean(snooze.target)}; {STILL[alert.condition]}"
    woken = awake(alert, snooze, now)
    if alert.work is Work.acknowledged:
        told = f"{alert.name} is yours: {story}"
        tell = Effect(EffectKind.tell, told, to=alert.owner, work_seq=alert.work_seq)
        return changed(alert, woken, now, MACHINE, "woken", story, action, (tell,))
    climbed = climb(woken, now, MACHINE, story, action, "woken")
    return replace(climbed, effects=tuple(e for e in climbed.effects if e.kind is EffectKind.call_pager))


def _snooze_ends(alert: Alert, snooze: Snooze, now: datetime) -> Change:
    if snooze.of:
        return scope_ends(alert, snooze, now, "the snooze has ended of", Timer())
    story, woken = f"the snooze has ended; {STILL[alert.condition]}", awake(alert, snooze, now)
    if woken.work is Work.open and woken.step_due == now:  # its step is due, too: nobody is told twice
        return climb(woken, now, MACHINE, story, Timer(), "woken")
    to = alert.owner or step_to(alert)
    tell = Effect(EffectKind.tell, f"{alert.name}: {story}", to=to, work_seq=alert.work_seq)
    return changed(alert, woken, now, MACHINE, "woken", story, Timer(), (tell,))


def _acknowledgement(alert: Alert, now: datetime) -> Change:
    if not alert.reminded:
        end = when(alert.acknowledged_until) if alert.acknowledged_until else "soon"
        story = f"reminded {who(alert.owner or 'the owner')}: the acknowledgement runs out {end}"
        tell = Effect(
            EffectKind.tell,
            f"{alert.name} is yours and still open; your acknowledgement runs out {end}.",
            to=alert.owner,
            work_seq=alert.work_seq,
        )
        reminded = replace(alert, reminded=True)
        return changed(alert, reminded, now, MACHINE, "reminded", story, Timer(), (tell,))
    opened, story = restart(alert, now), _ran_out(alert)
    if opened.step_due != now:  # the first step waits, as it did when the alert was new
        return changed(alert, opened, now, MACHINE, "ran_out", story, Timer())
    return climb(opened, now, MACHINE, story, Timer(), "ran_out")


def _ran_out(alert: Alert) -> str:
    return f"{who(alert.owner or 'the owner')}'s acknowledgement has run out; it is open again"


def name_of(ref: str) -> str:
    return WHOM.get(ref) or who(ref)


def still_due(effect: Effect, alert: Alert) -> str | None:
    """Why an effect that waits should no longer be done, or None when it should: judged again at sending."""
    if effect.kind not in (*PAGES, EffectKind.tell):
        return None
    if not alert.is_open:
        return "resolved in between"
    quiet = alert.work is Work.acknowledged or alert.snooze
    if effect.kind in PAGES and quiet and alert.word != effect.data.get("state"):
        return f"{alert.word.lower()} in between"
    return None
