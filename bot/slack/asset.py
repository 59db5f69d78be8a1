"""An asset's page: what it is, what is expected of it, what it hangs on, and what waits for its data."""

from __future__ import annotations

from bot.core.reply import AssetReply
from bot.core.words import count
from bot.slack.blocks import Face, context, header, section
from bot.slack.graph import hanging
from bot.slack.jobs import job_lines
from bot.slack.lines import ANYWHERE, Room, alert_lines, titled
from bot.slack.policies import policy_lines
from bot.slack.text import answer, code, escape
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
        *context([_expected(found)]),
        *([section(answer(reply.fresh))] if reply.fresh else []),
        *titled("Late data: nothing is known of", alert_lines(reply.waiting, reply.cards, room)),
        *hanging(reply.hangs, without={POLICY} if reply.policies else ()),
        *titled("Made by", job_lines(reply.made_by, JOBS_MOST)),
        *titled("Read by", policy_lines(reply.policies), READERS_MOST),
    ]
    return Face(head, blocks[:48])


def _expected(found: Asset) -> str:
    spans = (
        ("loaded every", found.load_interval),
        ("said to be old after", found.warn_after),
        ("late after", found.late_after),
    )
    said = [f"{words} {say_duration(span)}" for words, span in spans if span is not None]
    until = [f"loaded until the newest {code(found.loaded_until, 80)}"] if found.loaded_until else []
    until += ["its age is that of its last change"] if found.aged_by == LAST_ALTERED else []
    return " · ".join([*said, *until]) or "how old it may be is not declared"
