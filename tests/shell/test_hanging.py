"""What hangs on what, asked for in Slack: `show` of anything, and `graph` in words and as a picture."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from bot.core.around import Hangs
from bot.core.layout import Layout
from bot.core.reply import AssetReply, GraphReply, JobReply, Person, PolicyReply, Said
from bot.deliver.pictures import can_draw, drawn
from bot.slack.answers import render
from bot.slack.pictures import pictured
from tests.shell.making import FILES, MINUTE, SECOND, Node, World
from tests.shell.trouble import EVERY

ANA = Person("U0ANA", "C0PAYMENTS")
ASSETS = FILES["policies/_assets.yml"] + (
    "topic:chat: {owner: payments}\n"
    f"model:risk: {{owner: payments, after: [core.chat, 'job:hold_payouts', 'policy:{EVERY}']}}\n"
    "dashboard:risk: {after: ['model:risk']}\n"
)


@pytest.fixture
def bot(world: World, node: Node) -> Node:
    world.write("policies/_assets.yml", ASSETS.replace("core.chat: {", "core.chat: {after: ['topic:chat'], "))
    node.engine.reload()
    node.clock.on(SECOND)
    return node


def names(found: Hangs) -> tuple[list[str], list[str]]:
    return [one.node.name for one in found.ups], [one.node.name for one in found.downs]


def text(face: object) -> str:
    return json.dumps(getattr(face, "blocks", None), ensure_ascii=False)


def test_a_table_says_what_feeds_it_and_what_hangs_on_it(bot: Node) -> None:
    reply = bot.desk.command(ANA, "show core.chat")
    assert isinstance(reply, AssetReply)
    assert names(reply.hangs) == (["topic:chat"], ["model:risk", EVERY])
    assert {line.name for line in reply.policies} == {EVERY}
    said = text(render(reply))
    assert "after `topic:chat` · core topic, owned by payments" in said
    assert "before `model:risk` · core model, owned by payments, 2 more beyond it" not in said
    assert "before `model:risk` · core model, owned by payments" in said
    assert "read by" not in said  # policies stand below, each with how it is


def test_another_asset_has_a_page_with_the_last_start_of_what_makes_it(bot: Node) -> None:
    ask = bot.desk.command(ANA, "start hold_payouts seller_id=s_1")
    bot.desk.confirm(ANA, ask.ask)  # type: ignore[union-attr]  # it is one
    for name in ("show model:risk", "status Model:Risk"):
        reply = bot.desk.command(ANA, name)
        assert isinstance(reply, AssetReply)
        assert names(reply.hangs) == (["core.chat", "job:hold_payouts", EVERY], ["dashboard:risk"])
        assert [run.job for run in reply.made_by] == ["hold_payouts"]
        said = text(render(reply))
        assert "Made by" in said
        assert "before `dashboard:risk` · core dashboard, owned by nobody" in said
    assert "Did you mean `model:risk`?" in text(render(bot.desk.command(ANA, "show model:rsk")))


def test_a_policy_and_a_job_say_it_too(bot: Node) -> None:
    policy = bot.desk.command(ANA, f"show {EVERY}")
    assert isinstance(policy, PolicyReply)
    assert names(policy.hangs) == (["core.chat"], ["model:risk", "job:hold_payouts"])
    assert "offers `job:hold_payouts` · job, owned by payments" in text(render(policy))
    job = bot.desk.command(ANA, "show job:hold_payouts")
    assert isinstance(job, JobReply)
    assert names(job.hangs) == ([EVERY], ["model:risk"])
    assert f"offered by `{EVERY}` · live policy, owned by payments" in text(render(job))


def test_what_lies_further_is_counted(bot: Node) -> None:
    reply = bot.desk.command(ANA, "graph topic:chat")
    assert isinstance(reply, GraphReply)
    assert names(reply.hangs) == ([], ["core.chat"])
    assert "3 more beyond it" in text(render(reply))


def test_a_graph_is_answered_in_words_and_as_a_picture(bot: Node) -> None:
    reply = bot.desk.command(ANA, "graph Core.Chat")
    assert isinstance(reply, GraphReply)
    assert reply.size == "1 policy, 1 job, 4 assets"
    assert {box.ref for box in reply.layout.boxes} == {
        *("topic:chat", "core.chat", f"policy:{EVERY}", "model:risk")
    }
    said = text(render(reply))
    assert "1 policy, 1 job, 4 assets hang together" in said
    assert "Of these 1 step each way is drawn: `patrol graph core.chat` has all." in said
    assert "`/patrol show core.chat`" in said
    assert reply.steps == 1  # all of it would be too small to read
    found = pictured(reply)
    assert found is not None
    assert found.title == "What hangs on core.chat"
    assert found.words == (
        "What hangs together with core.chat: 1 policy, 1 job, 4 assets;"
        f" from topic:chat; to model:risk, {EVERY}"
    )
    if can_draw():
        image = pytest.importorskip("PIL.Image")
        assert image.open(BytesIO(drawn(found.drawn))).format == "PNG"


def test_without_a_name_it_is_everything(bot: Node) -> None:
    reply = bot.desk.command(ANA, "graph")
    assert isinstance(reply, GraphReply)
    assert (reply.of, reply.size) == (None, "2 policies, 1 job, 5 assets")
    assert len(reply.layout.boxes) == 8


def test_what_is_too_large_to_look_at_is_said_in_words_alone(world: World, bot: Node) -> None:
    many = "".join(f"core.t{n}: {{owner: payments, after: [core.chat]}}\n" for n in range(120))
    world.write("policies/_assets.yml", ASSETS + many)
    bot.clock.on(MINUTE)
    bot.engine.reload()
    reply = bot.desk.command(ANA, "graph core.chat")
    assert isinstance(reply, GraphReply)
    assert reply.layout == Layout()
    assert pictured(reply) is None
    said = text(render(reply))
    assert "`patrol graph core.chat -o graph.html` draws it" in said
    assert "before 121: `core.t0`  `core.t1`" in said  # by name
    assert "and 97 more" in said


def test_what_would_be_too_small_to_read_is_drawn_nearby_alone(world: World, bot: Node) -> None:
    chain = "".join(f"core.s{n}: {{after: [core.s{n - 1}]}}\n" for n in range(1, 9))
    world.write("policies/_assets.yml", f"{ASSETS}core.s0: {{}}\n{chain}")
    bot.engine.reload()
    reply = bot.desk.command(ANA, "graph core.s4")
    assert isinstance(reply, GraphReply)
    assert (reply.size, reply.steps) == ("9 assets", 2)
    assert {box.ref for box in reply.layout.boxes} == {f"core.s{n}" for n in range(2, 7)}
    assert "Of these 2 steps each way are drawn: `patrol graph core.s4` has all." in text(render(reply))


@pytest.mark.parametrize("typed", ["graph core.chta", "graph CORE.CHTA"])
def test_a_name_that_is_none_gets_the_nearest(bot: Node, typed: str) -> None:
    reply = bot.desk.command(ANA, typed)
    assert isinstance(reply, Said)
    assert not reply.ok
    assert (reply.text, reply.hint) == (
        "There is no policy, table or job `core.chta`.",
        "Did you mean `core.chat`?",
    )
