"""`patrol new job` adds to _jobs.yml, whatever stands there, and check is content."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.shell.typing_in import Patrol


def test_a_job_is_added_at_the_end_and_check_is_content(patrol: Patrol, folder: Path, kind: str) -> None:
    jobs = folder / "policies/_jobs.yml"
    before, many = jobs.read_bytes(), len(yaml.safe_load(jobs.read_text()))
    ran = patrol("new", "job", "rescore_risk", "--kind", kind, "--owner", "payments")
    assert ran.code == 0, ran.err
    assert jobs.read_bytes().startswith(before)
    checked = patrol("check")
    assert checked.code == 0
    assert f"{many + 1} jobs" in checked.out
    assert "rescore_risk" not in checked.out


def test_a_job_of_a_container_carries_image_command_and_parameters(patrol: Patrol, folder: Path) -> None:
    image, run = "registry.example/risk/train:2.1.0", "python -m train --full"
    patrol("new", "job", "train_again", "--kind", "container", "--image", image, "--command", run)
    entry = yaml.safe_load((folder / "policies/_jobs.yml").read_text())["train_again"]
    assert entry["body"]["image"] == image
    assert entry["body"]["command"] == ["python", "-m", "train", "--full"]
    assert entry["body"]["parameters"].keys() == entry["params"].keys() == {"seller_id", "days"}
    assert {"timeout", "approval", "changes", "undo", "poll"} <= entry.keys()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Say what the job is called"),
        ("hold_payouts", "policies/_jobs.yml has hold_payouts already; nothing was written."),
        ("Hold-It", "cannot be a job's name"),
        ("hold_it --kind sgl", 'did you mean "sql"?'),
        ("hold_it --owner nobody", 'there is no team "nobody"'),
        ("hold_it --image x", "--image and --command are for --kind container."),
        ("hold_it --kind container --image {x}", "are plain text"),
    ],
)
def test_a_job_that_cannot_be_added(patrol: Patrol, folder: Path, words: str, said: str) -> None:
    before = (folder / "policies/_jobs.yml").read_bytes()
    ran = patrol("new", "job", *words.split())
    assert (ran.code, said in ran.said) == (2, True), ran.err
    assert (folder / "policies/_jobs.yml").read_bytes() == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "warn_it:\n  title: Warn it\n"),
        ("", "warn_it:\n  title: Warn it\n"),
        ("# none yet", "# none yet\n\nwarn_it:\n"),
        ("a: {title: A, kind: http, owner: chat, url: 'https://x.example'}", "example'}\n\nwarn_it:\n"),
        (
            "# of us\r\na: {title: A, kind: http, owner: chat, url: 'https://x.example'}\r\n",
            "\r\n\r\nwarn_it:\r\n",
        ),
    ],
)
def test_what_stands_in_the_file_keeps_every_byte(
    patrol: Patrol, folder: Path, before: str | None, after: str
) -> None:
    for path in folder.glob("policies/*/*.yml"):
        path.unlink()  # they name jobs that are no longer there
    (folder / "policies/_assets.yml").unlink()  # as one of it does
    jobs = folder / "policies/_jobs.yml"
    jobs.unlink()
    if before is not None:
        jobs.write_bytes(before.encode())
    assert patrol("new", "job", "warn_it").code == 0
    assert jobs.read_bytes().startswith((before or "").encode())
    assert after in jobs.read_bytes().decode()
    assert patrol("check").code == 0


@pytest.mark.parametrize("before", ["{a: 1}", "- a", "a: 1\n...\n", "a: [1"])
def test_a_file_that_cannot_take_more_is_left_alone(patrol: Patrol, folder: Path, before: str) -> None:
    jobs = folder / "policies/_jobs.yml"
    jobs.write_text(before)
    ran = patrol("new", "job", "warn_it")
    assert (ran.code, jobs.read_text()) == (2, before)
    assert "by hand" in ran.err or "Mend that first" in ran.err
    assert "Error" not in ran.err
