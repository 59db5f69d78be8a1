"""Health and figures over a real socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest

from bot.process import web
from bot.process.errors import SettingsError
from bot.process.metrics import MOST_WORDS, Metrics
from bot.process.web import Health
from bot.steering.hooks import Answer
from sensors.model.policy import Severity
from sensors.model.run import RunStatus

WELL = Health(True, True, {"store": "is there", "slack": "2 connections"})


@dataclass
class Site:
    """The site with the health that a test gives it."""

    health: Health | Exception
    metrics: Metrics
    url: str = ""

    def ask(self) -> Health:
        if isinstance(self.health, Exception):
            raise self.health
        return self.health

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path)


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site(WELL, Metrics())
    handle = web.serve(web.app(found.ask, found.metrics.registry), 0)
    found.url = handle.url
    yield found
    handle.close()


def test_all_is_well(site: Site) -> None:
    for path in ("/healthz", "/readyz"):
        answer = site.get(path)
        assert answer.status_code == 200
        assert answer.json() == {"ok": True, "ready": True, "checks": dict(WELL.checks)}


def test_what_is_wrong_is_said_in_words(site: Site) -> None:
    site.health = Health(False, False, {"store": "The database is locked."})
    assert (site.get("/healthz").status_code, site.get("/readyz").status_code) == (503, 503)
    assert site.get("/healthz").json()["checks"]["store"] == "The database is locked."


def test_one_that_is_not_ready_need_not_be_restarted(site: Site) -> None:
    site.health = Health(True, False, {"slack": "No connection for 40 s."})
    assert (site.get("/healthz").status_code, site.get("/readyz").status_code) == (200, 503)


def test_a_check_that_breaks_is_an_answer_too_and_tells_no_secret(site: Site) -> None:
    site.health = RuntimeError("postgresql://u:hush@h/d")
    answer = site.get("/healthz")
    assert answer.status_code == 503
    assert "RuntimeError" in answer.json()["checks"]["health"]
    assert "hush" not in answer.text


def test_nothing_can_be_done_here(site: Site) -> None:
    assert httpx.post(site.url + "/healthz").status_code == 405
    assert site.get("/").status_code == 404


def test_a_post_is_handed_over_with_its_path_which_no_header_can_claim(site: Site) -> None:
    taken: list[str] = []

    def take(headers: Mapping[str, str], _body: bytes, _arrived: float) -> Answer:
        taken.append(headers[":path"])
        return Answer(202, "taken")

    handle = web.serve(web.app(site.ask, site.metrics.registry, {"/hooks/runs/{token}": take}), 0)
    try:
        path = "/hooks/runs/1-x"
        assert httpx.post(handle.url + path + "?a=/hooks/runs/2-y").status_code == 202
        with socket.create_connection((handle.host, handle.port), timeout=5) as line:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
            line.sendall(f"{head}:path: /hooks/runs/2-y\r\n\r\n".encode())
            assert b" 400 " in line.recv(1000)
        assert taken == [path]
    finally:
        handle.close()


def test_figures_are_there_for_prometheus(site: Site) -> None:
    site.metrics.run_ended(RunStatus.succeeded, 0.2)
    site.metrics.sent("post", "SlackBusy")
    site.metrics.acted("Acknowledge", True)
    site.metrics.acked(0.04)
    site.metrics.row_to_post(1.5)
    site.metrics.open_alerts({Severity.high: 3})
    site.metrics.due_behind(7)
    text = site.get("/metrics").text
    for line in (
        'patrol_runs_total{status="succeeded"} 1.0',
        'patrol_runs_total{status="failed"} 0.0',
        "patrol_run_seconds_count 1.0",
        'patrol_posts_total{outcome="busy",what="post"} 1.0',
        'patrol_acts_total{changed="true",kind="Acknowledge"} 1.0',
        'patrol_ack_seconds_bucket{le="0.05"} 1.0',
        'patrol_row_to_post_seconds_bucket{le="2.0"} 1.0',
        'patrol_open_alerts{severity="high"} 3.0',
        'patrol_open_alerts{severity="low"} 0.0',
        "patrol_due_behind_seconds 7.0",
    ):
        assert line in text, line


def test_an_open_alert_that_is_gone_is_counted_down(site: Site) -> None:
    site.metrics.open_alerts({Severity.high: 3})
    site.metrics.open_alerts({Severity.low: 1})
    assert 'patrol_open_alerts{severity="high"} 0.0' in site.get("/metrics").text


def test_labels_stay_few_whatever_is_passed(site: Site) -> None:
    for n in range(500):
        site.metrics.acted(f"seller s_{n}", True)  # data, not a word of ours
        site.metrics.acted("x" * (n % 100), False)
        site.metrics.acted("w" + chr(97 + n % 26) + chr(97 + n // 26), False)
    lines = [line for line in site.get("/metrics").text.splitlines() if "patrol_acts_total{" in line]
    assert len(lines) <= MOST_WORDS + 2
    assert not any("s_1" in line for line in lines)


def test_a_taken_port_is_said_plainly() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} on 127.0.0.1 is taken by another program"):
            web.serve(web.app(lambda: WELL, Metrics().registry), port)


def test_an_address_of_another_machine_is_said_plainly() -> None:
    with pytest.raises(SettingsError, match="set PATROL_HOST to an address of this machine"):
        web.serve(web.app(lambda: WELL, Metrics().registry), 0, "192.0.2.1")


def test_once_closed_its_port_is_free_again() -> None:
    first = web.serve(web.app(lambda: WELL, Metrics().registry), 0)
    with httpx.Client() as client:  # a connection that is kept open does not keep the server
        assert client.get(first.url + "/healthz").status_code == 200
        first.close()
    second = web.serve(web.app(lambda: WELL, Metrics().registry), first.port)
    assert httpx.get(second.url + "/healthz").status_code == 200
    second.close()
