"""With a folder, a workspace outlives its process, however that ends; and the process ends politely."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bot.sandbox import Sandbox, SandboxClient

ROOT = Path(__file__).parents[2]
START = """
import sys
from bot.sandbox import run
sys.exit(run(port=int(sys.argv[1]), state=sys.argv[2] or None))
"""


@contextmanager
def running(folder: Path | str, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], SandboxClient]]:
    """The sandbox in a process of its own, found by the first line that it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", START, str(port), str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    client = SandboxClient(process.stdout.readline().strip())
    try:
        yield process, client
    finally:
        process.kill()
        process.communicate()
        client.close_client()


def post(client: SandboxClient, **args: object) -> None:
    body = {"channel": "C0PAYMENTS", **args}
    answer = httpx.post(
        f"{client.api}chat.postMessage", json=body, headers={"Authorization": f"Bearer {client.bot_token}"}
    )
    assert answer.json()["ok"], answer.text


def test_a_killed_sandbox_goes_on_where_it_was(tmp_path: Path) -> None:
    with running(tmp_path) as (process, client):
        post(client, text="before", metadata={"event_type": "a", "event_payload": {"id": "d1"}})
        post(client, text="<@U0ANA>")
        client.message("bo", "payments", "me too")
        client.set_channel("secret", private=True, members=["ana"])
        client.set_user("dee", guest=True)
        client.command("ana", "payments", "/nothing")
        before = client.state()
        process.send_signal(signal.SIGKILL)
        process.wait()

    with running(tmp_path) as (_, client):
        after = client.state()
        for part in ("users", "channels", "ephemerals", "notifications"):
            assert after[part] == before[part], part
        assert after["rev"] > before["rev"]
        post(client, text="after")
        assert client.messages("payments")[-1]["ts"] > before["channels"][1]["messages"][-1]["ts"]


def test_homes_and_files_survive_too(tmp_path: Path) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    with Sandbox(channels=["payments"], pace=False, state=tmp_path) as first:
        headers = {"Authorization": f"Bearer {first.bot_token}"}
        http = httpx.Client(base_url=first.api, headers=headers)
        http.post("views.publish", json={"user_id": "U0ANA", "view": home})
        place = http.post("files.getUploadURLExternal", data={"filename": "a.csv", "length": "3"}).json()
        httpx.post(place["upload_url"], content=b"a,b")
        files = [{"id": place["file_id"]}]
        http.post("files.completeUploadExternal", json={"files": files, "channel_id": "C0PAYMENTS"})
        before = first.state()["homes"]

    with Sandbox(channels=["payments"], pace=False, state=tmp_path) as second:
        assert second.state()["homes"] == before
        assert httpx.get(f"{second.url}/files/{place['file_id']}/a.csv").text == "a,b"
        assert second.messages("payments")[0]["files"][0]["id"] == place["file_id"]


def test_a_deleted_message_stays_deleted(tmp_path: Path) -> None:
    with Sandbox(channels=["payments"], pace=False, state=tmp_path) as first, first.workspace.lock:
        channel = first.workspace.channels["C0PAYMENTS"]
        message = first.workspace.post(channel, "U0ANA", "gone")
        first.workspace.delete(channel, message)

    with Sandbox(channels=["payments"], pace=False, state=tmp_path) as second:
        assert second.messages("payments") == []


def test_without_a_folder_nothing_is_kept() -> None:
    with running("") as (_, client):
        post(client, text="fleeting")
    with running("") as (_, client):
        assert client.messages("payments") == []


def test_it_says_its_address_first_and_ends_politely(tmp_path: Path) -> None:
    for ending in (signal.SIGINT, signal.SIGTERM):
        with running(tmp_path) as (process, client):
            assert client.url.startswith("http://127.0.0.1:")
            assert client.state()["connected"] == 0
            with httpx.stream("GET", f"{client.url}/sandbox/events") as stream:
                assert next(stream.iter_lines()).startswith("data: ")
                process.send_signal(ending)
                assert process.wait(10) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-c", START, str(port), str(tmp_path)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=20, env=environment, check=False
        )

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == f"port {port} is taken: choose another one, or end what listens there\n"
