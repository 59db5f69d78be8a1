"""What people order for a while is read from the store as it was ordered: pauses, other paces, snoozes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.order import Order, OrderKind
from bot.core.snooze import Scope, ScopeSnooze, Target
from bot.store import Store
from sensors.model.policy import Severity
from tests.store.making import MINUTE, NOON, POLICY

ODD = ("", "they are on it", "⟦UBO⟧ said so", "a\nb 'c' \"d\" é 🎉", "\x00" * 3, "x" * 2_000)
TARGETS = (Target(Scope.policy, POLICY), Target(Scope.entity, "seller:s_1"), Target(Scope.entity, "a:b:c"))


def test_an_order_is_read_as_it_was_given(store: Store) -> None:
    for n, why in enumerate(ODD):
        for kind, interval in ((OrderKind.pause, None), (OrderKind.every, timedelta(seconds=90))):
            given = Order(f"payments.p{n}", kind, NOON + timedelta(days=n), "UANA", why, NOON, interval)
            kept = store.orders.begin(given, (), NOON)
            assert replace(kept, id=0) == given
            assert kept in store.orders.on()


def test_a_snooze_of_more_than_one_alert_is_read_as_it_was_begun(store: Store) -> None:
    for why in ODD:
        for target, ceiling in zip(TARGETS, Severity, strict=False):
            given = ScopeSnooze(target, NOON + MINUTE, "UANA", why, NOON, ceiling)
            kept = store.snoozes.begin(given, (), NOON)
            assert replace(kept, id=0) == given
            assert [one for one in store.snoozes.on() if one.target == target] == [kept]
