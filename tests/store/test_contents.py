"""Contents by their hash, and the one version that is active."""

from __future__ import annotations

from hashlib import sha256

from bot.store import Store


def test_the_same_content_is_kept_once_and_found_by_its_hash(store: Store) -> None:
    name = store.contents.keep("sql", "SELECT 'é'")
    assert (
        name == store.contents.keep("sql", "SELECT 'é'".encode()) == sha256("SELECT 'é'".encode()).hexdigest()
    )
    assert store.contents.get(name) == "SELECT 'é'".encode()
    assert store.contents.get("nothing") is None
    raw = bytes(range(256))
    assert store.contents.get(store.contents.keep("file", raw)) == raw


def test_one_version_of_a_bundle_is_active(store: Store) -> None:
    assert store.contents.active("main") is None
    store.contents.activate("main", "v1", '{"a": 1}')
    store.contents.activate("other", "v9", "{}")
    store.contents.activate("main", "v2", '{"a": 2}')
    assert store.contents.active("main") == ("v2", '{"a": 2}')
    assert store.contents.active("other") == ("v9", "{}")
