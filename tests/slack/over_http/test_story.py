"""The whole story of Socket Mode over signed HTTP, word for word, and what is measured of it."""

from __future__ import annotations

import json
import statistics
import time

from .. import test_listeners as over_socket
from ..conftest import Bot
from .conftest import Site, a_command, signed

globals().update({name: story for name, story in vars(over_socket).items() if name.startswith("test_")})


def test_a_word_that_bolts_own_parser_trips_over_is_a_word(bot: Bot) -> None:
    seen = bot.sandbox.command("ana", "payments", "/patrol list payload")
    assert bot.desk.handed == [("command", "U0ANA", "list payload")]
    assert "Heard list payload." in over_socket.words(seen)


def test_acks_are_quick(bot: Bot) -> None:
    seen = [bot.sandbox.command("ana", "payments", f"/patrol show {n}", wait_ms=0) for n in range(30)]
    assert statistics.median(one["ack_ms"] for one in seen) < 500


def test_what_a_request_waited_before_it_was_taken_counts(site: Site) -> None:
    def measured() -> float:
        return site.metrics.registry.get_sample_value("patrol_ack_seconds_sum") or 0.0

    before, body = measured(), a_command("status", 50)
    assert site.door
    assert site.door.take(signed(body), body, time.monotonic() - 1.5).status == 200
    assert measured() - before > 1.5


def test_the_challenge_for_a_new_url_is_answered(site: Site) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"}).encode()
    answer = site.post(body, signed(body, kind="application/json"))
    assert (answer.status_code, answer.json()) == (200, {"challenge": "3eZbrw1a"})
    assert site.post(body, {"content-type": "application/json"}).status_code == 401
