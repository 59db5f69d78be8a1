"""Files that people keep are written whole or not at all, and links and modes stay."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.cli.writing import put
from bot.process.errors import PatrolError


@contextmanager
def little_room(most: int) -> Iterator[None]:
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)


def test_where_the_disk_is_full_everything_stays_as_it_was(tmp_path: Path) -> None:
    old, new = tmp_path / "a.yml", tmp_path / "deep/b.sql"
    old.write_bytes(b"title: A\r\n")
    with little_room(1000), pytest.raises(PatrolError, match=r"b\.sql cannot be written: file too large"):
        put({old: b"title: B\n", new: b"x" * 2000})
    assert old.read_bytes() == b"title: A\r\n"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.yml"]


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"old")
    (tmp_path / "a.yml").chmod(0o640)
    (tmp_path / "link.yml").symlink_to("a.yml")
    put({tmp_path / "link.yml": b"new", tmp_path / "fresh.yml": b"fresh"})
    assert (tmp_path / "link.yml").is_symlink()
    assert (tmp_path / "a.yml").read_bytes() == b"new"
    assert (tmp_path / "a.yml").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "fresh.yml").stat().st_mode & 0o444 == 0o444
