"""Backfills as people ask for them and as a process carries them out, to their end."""

from __future__ import annotations

from bot.core.backfill import BackfillRun
from bot.core.reply import AskReply, Person, Reply, Said
from bot.core.words import in_plain
from bot.engine.backfilling import Backfills
from tests.shell.making import HOUR, NOON, Node, World
from tests.shell.trouble import EVERY

ANA, BO = Person("U0ANA", "C0PAYMENTS", "command"), Person("U0BO", "C0PAYMENTS", "command")
STRANGER = Person("U0STRANGER", "C0PAYMENTS", "command")
MORNING = "2026-01-05T07:00..2026-01-05T12:00"


def looked_until_three(world: World, node: Node) -> Node:
    """The bot has looked until 15:00, and then two rows of the morning came that it will never look at."""
    world.table.says("s_0", NOON + 3 * HOUR, "hello")
    node.clock.on(3 * HOUR)
    node.tick()
    world.table.says("s_1", NOON - HOUR)
    world.table.says("s_2", NOON - 3 * HOUR)
    return node


def says(node: Node, text: str, person: Person = ANA) -> Reply:
    return node.desk.command(person, text)


def shown(node: Node, text: str = f"backfill {EVERY} {MORNING}", person: Person = ANA) -> AskReply:
    found = says(node, text, person)
    assert isinstance(found, AskReply), found
    return found


def said(reply: Reply) -> str:
    assert isinstance(reply, Said), reply
    return in_plain(f"{reply.text} {reply.hint}")


def begins(node: Node, text: str = f"backfill {EVERY} {MORNING}") -> Said:
    return node.desk.confirm(ANA, shown(node, text).ask)


def goes_through(work: Backfills) -> None:
    """Whatever it takes up, to its end here."""
    work.once()
    for one in list(work._at.values()):
        one.thread.join(20)
        assert not one.thread.is_alive()
    work.once()


def carries_out(node: Node) -> None:
    goes_through(Backfills(node.engine))


def kept(node: Node, number: int = 1) -> BackfillRun:
    found = node.store.backfills.get(number)
    assert found is not None
    return found
