"""More new keys in one run than anybody can work on: one alert, all rows kept, one file, whatever happens."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from bot.core.alert import Alert
from bot.core.change import EffectKind
from bot.sandbox import Sandbox
from tests.shell.delivering import OTHER, standing, wait_for
from tests.shell.making import FILES, SECOND, Node, World
from tests.shell.trouble import BOTH

STEPS = ("files.getUploadURLExternal", "upload", "files.completeUploadExternal")
WAYS: tuple[dict[str, Any], ...] = (
    {"fault": "store_then_drop"},
    {"fault": "drop"},
    {"fault": "500"},
    {"fault": "429", "retry_after": 3},
)


@pytest.fixture
def bot(town: World) -> Node:
    return town.node()


def flooded(town: World, bot: Node, sellers: int = 40, first: int = 0) -> Alert:
    """Each of so many sellers writes once, all within the same minute."""
    at = (bot.clock() - SECOND).replace(tzinfo=None)
    town.table.does(
        f"INSERT INTO core.chat SELECT 'm_' || n, 's_' || n, 'pay me on =HYPERLINK()', TIMESTAMP '{at}' "
        f"FROM range({first}, {first + sellers}) t(n)"
    )
    bot.next_tick()
    (alert,) = bot.alerts("payments.elsewhere")
    return alert


def shown_files(slack: Sandbox, channel: str = "payments") -> list[dict[str, Any]]:
    """Every file that a message of ours shows in a thread, by the state of the workspace."""
    said = slack.channel(channel)["messages"]
    return [file for m in said if m.get("thread_ts") not in (None, m["ts"]) for file in m.get("files", ())]


def rows_of(file: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(httpx.get(file["url_private"]).content.decode("utf-8-sig"))))


@BOTH
def test_five_thousand_new_keys_are_one_alert_and_one_file_with_every_row(
    town: World, bot: Node, slack: Sandbox
) -> None:
    alert = flooded(town, bot, 5_000)
    assert alert.title == "Seller steers buyers to pay elsewhere: 5000 at once, more than 25"
    bot.deliver(10)
    (file,) = shown_files(slack)
    assert file["name"] == f"ALR-{alert.id}-payments-elsewhere.csv"
    rows = rows_of(file)
    assert {row["message_id"] for row in rows} == {f"m_{n}" for n in range(5_000)}
    assert len(rows) == 5_000
    assert bot.store.alerts.evidence(alert.id, 1).total == 5_000
    bot.deliver(20, 10 * SECOND)
    assert len(shown_files(slack)) == 1
    assert standing(slack) == ["card-1"]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["fault"])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_fails_on_the_way_one_file_stands(
    town: World, bot: Node, slack: Sandbox, step: str, way: dict[str, Any]
) -> None:
    slack.faults({"method": step, "times": 2, **way})
    flooded(town, bot)
    bot.deliver(150, SECOND)
    (file,) = shown_files(slack)
    assert len(rows_of(file)) == 40
    found_at_once = (step, way["fault"]) == (STEPS[-1], "store_then_drop")
    assert slack.faults()["rules"][0]["hit"] == (1 if found_at_once else 2)


def test_a_file_that_is_shown_late_after_it_was_shown_again_is_taken_away(
    town: World, bot: Node, slack: Sandbox
) -> None:
    late = {"method": "files.completeUploadExternal", "fault": "drop_then_store_late", "seconds": 1}
    slack.faults({**late, "times": 1})
    flooded(town, bot)
    bot.deliver(40, SECOND)
    wait_for(lambda: len(shown_files(slack)) == 2)
    bot.deliver(80, SECOND)
    assert len(shown_files(slack)) == 1


class Killed(BaseException):
    """What `kill -9` would be."""


@pytest.mark.parametrize(
    "point", ["send.before", "upload.after", "send.after", "record.before", "record.after"]
)
def test_wherever_a_sender_dies_another_ends_with_one_file(
    town: World, bot: Node, slack: Sandbox, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    flooded(town, bot)
    bot.deliver(1)
    assert standing(slack) == ["card-1"]

    def die(at: str) -> None:
        if at == point:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("bot.deliver.files.reach", die)
        patch.setattr("bot.deliver.posting.reach", die)
        with pytest.raises(Killed):
            bot.deliver(6)
    town.node().deliver(80, SECOND)
    (file,) = shown_files(slack)
    assert len(rows_of(file)) == 40
    assert bot.store.outbox.effects(bot.clock(), kinds=[EffectKind.file]) == []


def test_two_processes_send_one_file(town: World, bot: Node, slack: Sandbox) -> None:
    nodes = [bot, town.node()]
    flooded(town, bot)
    for _ in range(40):
        for node in nodes:
            node.deliver(1)
    assert len(shown_files(slack)) == 1


def test_without_the_scope_for_files_all_else_goes_on_and_it_is_said(
    town: World, bot: Node, slack: Sandbox
) -> None:
    slack.faults({"method": "files.*", "fault": "error:missing_scope"})
    alert = flooded(town, bot)
    bot.deliver(12)
    assert bot.deliverer
    assert "refused for good" in bot.deliverer.trouble
    assert "missing_scope" in bot.deliverer.trouble
    assert bot.deliverer.pacing.why == ""
    assert [m.alert for m in bot.store.outbox.parked()] == [alert.id]
    slack.no_faults()
    town.node().deliver(6)  # a start, after the app was installed anew
    assert len(shown_files(slack)) == 1


def test_a_file_goes_where_its_card_has_gone(town: World, bot: Node, slack: Sandbox) -> None:
    town.write("policies/payments/elsewhere.yml", OTHER)
    bot.engine.reload()
    slack.set_channel("other", archived=True)
    flooded(town, bot)
    bot.deliver(20)
    assert len(shown_files(slack)) == 1
    assert shown_files(slack, "other") == []


def test_hidden_columns_are_not_in_the_file_and_masked_ones_are_masked(
    town: World, bot: Node, slack: Sandbox
) -> None:
    shy = FILES["policies/payments/elsewhere.yml"].replace(
        "fields: [body]", "fields: [seller_id], columns: {body: hide, message_id: mask}"
    )
    town.write("policies/payments/elsewhere.yml", shy)
    bot.engine.reload()
    assert not bot.engine.catalog.errors
    flooded(town, bot)
    bot.deliver(8)
    rows = rows_of(shown_files(slack)[0])
    assert "body" not in rows[0]
    assert {row["message_id"] for row in rows} <= {"•••", "m•••"}


def test_a_second_flood_of_events_sends_its_rows_too(town: World, bot: Node, slack: Sandbox) -> None:
    flooded(town, bot)
    bot.deliver(8)
    flooded(town, bot, 30, first=100)
    bot.deliver(8)
    _, second = shown_files(slack)
    assert len(rows_of(second)) == 70
