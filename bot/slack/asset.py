"""An asset's page: what it is, what is expected of it, what it hangs on, and what waits for its data."""

from __future__ import annotations

from bot.core.reply import AssetReply, Freshness
from bot.core.stale import Stale
from bot.core.words import count
from bot.slack.blocks import Face, context, header, section
from bot.slack.graph import hanging
from bot.slack.jobs import job_lines
from bot.slack.lines import ANYWHERE, Room, alert_lines, titled
from bot.slack.policies import policy_lines
from bot.slack.text import AGO, code, date, escape, sentence
from sensors.model.asset import LAST_ALTERED, Asset
from sensors.model.clock import say_duration
from sensors.model.graph import ASSETS, POLICY

READERS_MOST, JOBS_MOST = 15, 5


def asset(reply: AssetReply, room: Room = ANYWHERE) -> Face:
    found = reply.asset
    owner = f"owned by {escape(found.owner, 40)}" if found.owner else "owned by nobody"
    about = f"\n{escape(found.description, 600)}" if found.description else ""
    readers = count(len(reply.policies), "policy reads it", "policies read it")
    read = f" · {readers}" if reply.policies or found.kind == ASSETS[0] else ""
    head = f"{code(found.name)} · {escape(found.tier, 20)} {escape(found.kind, 20)}, {owner}{read}"
    blocks = [
        header(found.name),
        section(f"{head}{about}"),
        *([section(stale_line(reply.fresh.stale))] if reply.fresh.stale else []),
        *context([one for one in (_fresh(found, reply.fresh), _expected(found)) if one]),
        *titled("Late data: nothing is known of", alert_lines(reply.waiting, reply.cards, room)),
        *hanging(reply.hangs, without={POLICY} if reply.policies else ()),
        *titled("Made by", job_lines(reply.made_by, JOBS_MOST)),
        *titled("Read by", policy_lines(reply.policies), READERS_MOST),
    ]
    return Face(head, blocks[:48])


def stale_line(stale: Stale) -> str:
    """An asset that is late or getting old, whose it is, and what hangs on it."""
    mark, word = ("🔴", "late") if stale.late else ("🟠", "getting old")
    owner = f" · {escape(stale.asset.owner, 40)} own it" if stale.asset.owner else ""
    until = f"{stale.asset.age_of} {date(stale.until)} ({date(stale.until, AGO)})"
    return f"{mark} {code(stale.asset.name, 80)} *{word}* · {until}{owner}\n{sentence(stale.hangs, 400)}"


def _fresh(found: Asset, fresh: Freshness) -> str:
    """Until when its data are there, or what has made it anew and when, and how that has gone on."""
    if not fresh.updates:
        return ""
    newest, before = fresh.updates[0], fresh.updates[1:]
    older = f"; before: {', '.join(date(at) for at in before)}" if before else ""
    by = f" by {code(fresh.by, 100)}" if fresh.by else ""
    known = "fresh until" if found.ages else "last updated"
    return f"{known} {date(newest)} ({date(newest, AGO)}){by}{older}"


def _expected(found: Asset) -> str:
    spans = (
        ("loaded every", found.load_interval),
        ("said to be old after", found.warn_after),
        ("late after", found.late_after),
    )
    said = [f"{words} {say_duration(span)}" for words, span in spans if span is not None]
    until = [f"loaded until the newest {code(found.loaded_until, 80)}"] if found.loaded_until else []
    until += ["its age is that of its last change"] if found.aged_by == LAST_ALTERED else []
    until += ["its age is that of its last update"] if found.after and not found.ages else []
    return " · ".join([*said, *until]) or "how old it may be is not declared"
