"""A request is acted on once, by all processes together; while the store is away nothing is recorded."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from .. import test_listeners as over_socket
from ..conftest import Bot, eventually
from .conftest import Site, a_command, a_mention, signed

# -- once only -----------------------------------------------------------------------------------------------


def test_the_same_signed_request_is_acted_on_once(site: Site) -> None:
    body = a_command("ack 3", 1)
    headers = signed(body)
    first, again = site.post(body, headers), site.post(body, headers)
    assert "Heard ack 3." in first.text
    assert (again.status_code, again.text) == (200, "")
    assert site.desk.handed == [("command", "U0ANA", "ack 3")]


def test_of_many_copies_at_once_one_is_acted_on(site: Site) -> None:
    body = a_command("ack 3", 2)
    headers = signed(body)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: site.post(body, headers), range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert site.desk.handed == [("command", "U0ANA", "ack 3")]


def test_a_copy_is_known_to_other_processes(site: Site, second_site: Site) -> None:
    body = a_command("ack 3", 3)
    headers = signed(body)
    assert "Heard" in second_site.post(body, headers).text
    assert site.post(body, headers).text == ""
    assert (len(second_site.desk.handed), site.desk.handed) == (1, [])


def test_the_same_words_typed_twice_are_two_requests(site: Site) -> None:
    for n in (4, 5):
        body = a_command("ack 3", n)
        assert "Heard" in site.post(body, signed(body)).text
    assert len(site.desk.handed) == 2


def test_an_event_that_comes_again_is_known_to_other_processes(site: Site, second_site: Site) -> None:
    body = a_mention("Ev0AGAIN")
    assert site.post(body, signed(body, kind="application/json")).status_code == 200
    again = second_site.post(body, signed(body, ago_s=-2, kind="application/json"))
    assert again.status_code == 200
    assert (len(site.desk.handed), second_site.desk.handed) == (1, [])


def test_an_event_whose_process_died_before_its_act_is_acted_on_when_it_comes_again(
    site: Site, second_site: Site
) -> None:
    body = a_mention("Ev0DIED")
    site.desk.broken = SystemExit("killed")  # nothing on the way out catches it, as nothing catches a kill
    assert site.door
    with pytest.raises(SystemExit):
        site.door.take(signed(body, kind="application/json"), body, time.monotonic())
    second_site.post(body, signed(body, ago_s=-2, kind="application/json"))
    assert second_site.desk.handed == [("command", "U0ANA", "status")]


# -- where the store does not answer -------------------------------------------------------------------------


@pytest.fixture
def locked(site: Site) -> Iterator[sqlite3.Connection]:
    """Another program holds the store's file, longer than anybody waits."""
    other = sqlite3.connect(site.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    if other.in_transaction:
        other.execute("ROLLBACK")
    other.close()


def test_while_the_store_is_locked_nothing_is_recorded_and_everybody_is_told(
    bot: Bot, site: Site, locked: sqlite3.Connection
) -> None:
    with ThreadPoolExecutor(3) as pool:
        click = pool.submit(bot.click, "alert.ack")
        command = pool.submit(bot.sandbox.command, "ana", "payments", "/patrol ack 3")
        mention = pool.submit(bot.sandbox.message, "bo", "payments", "@patrol ack 3", wait_ms=1500)
        seen = [click.result(), command.result(), mention.result()]
    for one in seen:
        assert one["acked"], one
        assert one["ack_ms"] < 3000
        assert "Not recorded: " in over_socket.words(one)
    assert site.desk.handed == []
    locked.execute("ROLLBACK")
    assert "Heard ack 3." in over_socket.words(bot.sandbox.command("ana", "payments", "/patrol ack 3"))


def test_while_the_store_is_locked_a_form_stays_open_with_what_was_typed(bot: Bot, site: Site) -> None:
    view = over_socket.opened(bot.click("alert.resolve"))
    with sqlite3.connect(site.file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        seen = bot.sandbox.submit("ana", view["id"], {"disposition": "test"})
        other.execute("ROLLBACK")
    assert "Not recorded" in seen["errors"]["disposition"]
    assert bot.acts == []
    bot.sandbox.submit("ana", view["id"], {"disposition": "test"})
    assert len(bot.acts) == 1


def test_slow_acts_hold_up_no_probe(bot: Bot, site: Site) -> None:
    bot.desk.delay_s, before = 1.5, site.entered
    assert site.handle
    with ThreadPoolExecutor(8) as pool:
        bodies = [a_command("list", n) for n in range(100, 108)]
        posting = [pool.submit(site.post, body, signed(body)) for body in bodies]
        eventually(lambda: site.entered == before + 8)
        assert site.line.get(site.handle.url + "/healthz").status_code == 200
        assert not all(done.done() for done in posting)
        assert {done.result().status_code for done in posting} == {200}
