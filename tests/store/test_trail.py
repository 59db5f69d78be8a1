"""The audit in the store: sealed by whoever comes first; what is done behind our back is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from bot.core.trail import Line, flaws
from bot.store import Store
from bot.store.trail import LinesBySeal
from tests.store.making import MINUTE, NOON

HOSTILE = "\x00 it's \ud800 ⟦U0BO⟧ 💳"


def acts(store: Store, first: int, count: int = 3) -> None:
    for n in range(first, first + count):
        store.trail.add(
            Line(NOON + n * MINUTE, "U0ANA", "button", "C1", "resolve", HOSTILE, "done", HOSTILE, n, 2)
        )


def found(store: Store) -> list[str]:
    return list(flaws(store.trail.seals(), LinesBySeal(store.trail)))


def does(store: Store, sql: str) -> None:
    with store._database.write() as c:
        c.execute(text(sql))


def test_lines_are_sealed_in_their_order_and_come_back_as_they_were(store: Store) -> None:
    acts(store, 1)
    first = store.trail.seal(NOON)
    assert first is not None
    assert [number for number, _ in first.lines] == [1, 2, 3]
    assert store.trail.seal(NOON) is None
    acts(store, 4)
    second = store.trail.seal(NOON)
    assert second is not None
    assert (second.number, second.previous) == (2, first.hash)
    assert store.trail.last() == second
    assert found(store) == []
    kept = list(store.trail.lines(NOON + 2 * MINUTE, NOON + 5 * MINUTE))
    assert [one.id for one in kept] == [2, 3, 4]
    assert (kept[0].line.words, kept[0].line.about, kept[0].seal) == (HOSTILE, HOSTILE, 1)
    acts(store, 7, 1)
    assert store.trail.counts() == {"lines": 7, "unsealed": 1, "erased": 0}


def test_two_that_seal_at_once_make_one_chain(url: str, store: Store) -> None:
    other = Store(url)
    for n in range(6):
        acts(store, n * 3 + 1)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: one.trail.seal(NOON), (store, other, store, other)))
    store.trail.seal(NOON)
    assert found(store) == []
    assert sum(len(seal.lines) for seal in store.trail.seals()) == 18
    assert store.trail.counts()["unsealed"] == 0
    other.close()


def test_what_is_done_in_the_database_is_found(store: Store) -> None:
    for n in (1, 4, 7):
        acts(store, n)
        store.trail.seal(NOON)
    does(store, "UPDATE audit SET by = 'U0BO' WHERE id = 2")
    does(store, "DELETE FROM audit WHERE id = 5")
    does(store, "UPDATE audit SET seal = 1 WHERE id = 8")
    named = [flaw.split(" (")[0] for flaw in found(store)]
    assert named == ["line 2 was changed", "line 8 was inserted", "line 5 was removed", "line 8 was removed"]
    does(store, "UPDATE audit SET seal = 99 WHERE id = 9")
    assert store.trail.strays() == [(9, 99)]
    does(store, "DELETE FROM audit_seals WHERE number = 2")
    assert "seal 2 is missing" in found(store)
