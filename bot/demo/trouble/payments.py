"""Trouble with money."""

from __future__ import annotations

from datetime import timedelta

from bot.demo import words
from bot.demo.scene import BURST, Planted, Scene
from bot.demo.world import Sale


def off_platform_payment(scene: Scene) -> Planted:
    show = scene.show()
    rows = [
        scene.life.say(at, show, show.seller_id, scene.words(scene.rng.choice(words.OFF_PLATFORM)))
        for at in scene.times(scene.rng.randint(3, 7))
    ]
    return scene.found("payments.off_platform_payment", {"seller_id": show.seller_id}, rows)


def refund_spike(scene: Scene) -> Planted:
    seller = scene.seller()
    rows = []
    for at in scene.times(scene.rng.randint(9, 15)):
        amount = words.CATEGORIES[seller.category].price * scene.rng.uniform(0.7, 1.4)
        bought = at - timedelta(hours=scene.rng.uniform(5, 60))
        buyer_id = scene.buyer()
        order = scene.life.order(bought, seller.id, buyer_id, amount, None, None)
        sale = Sale(order, seller.id, buyer_id, round(amount, 2), bought)
        rows.append(
            scene.life.refund(at, sale, scene.rng.choice(("not as described", "damaged", "wrong item")))
        )
    return scene.found("payments.refund_spike", {"seller_id": seller.id}, rows)


def card_testing(scene: Scene) -> Planted:
    _signup, buyer_id = scene.life.sign_up(scene.at - BURST, scene.device(), "203.0.113.7")
    rows = []
    for at in scene.times(scene.rng.randint(8, 24)):
        show = scene.show()
        status = "declined" if scene.rng.random() < 0.7 else "paid"
        rows.append(
            scene.life.order(at, show.seller_id, buyer_id, scene.rng.uniform(0.5, 1.9), None, show.id, status)
        )
    return scene.found("payments.card_testing", {"buyer_id": buyer_id}, rows)


def refund_after_delivery(scene: Scene) -> Planted:
    buyer_id = scene.buyer()
    rows = []
    for at in scene.times(scene.rng.randint(3, 5)):
        seller = scene.seller()
        amount = words.CATEGORIES[seller.category].price * scene.rng.uniform(1, 2)
        bought = at - timedelta(hours=scene.rng.uniform(40, 70))
        order = scene.life.order(bought, seller.id, buyer_id, amount, None, None, "delivered")
        sale = Sale(order, seller.id, buyer_id, round(amount, 2), bought)
        rows.append(scene.life.refund(at, sale, "not received"))
    return scene.found("payments.refund_after_delivery", {"buyer_id": buyer_id}, rows)


def payout_account_changed(scene: Scene) -> Planted:
    seller = scene.seller()
    scene.change(
        "UPDATE core.sellers SET payout_account = 'changed', payout_state = 'scheduled', payout_due = ? "
        "WHERE seller_id = ?",
        [round(scene.rng.uniform(2_500, 19_000), 2), seller.id],
    )
    return scene.found(
        "payments.payout_account_changed", {"seller_id": seller.id}, [seller.id], timedelta(minutes=25)
    )


def chargeback_rate(scene: Scene) -> Planted:
    seller = scene.seller()
    rows = []
    for at in scene.times(14):
        amount = words.CATEGORIES[seller.category].price * scene.rng.uniform(0.8, 2)
        bought = at - timedelta(hours=scene.rng.uniform(30, 70))
        buyer_id = scene.buyer()
        order = scene.life.order(bought, seller.id, buyer_id, amount, None, None, "delivered")
        sale = Sale(order, seller.id, buyer_id, round(amount, 2), bought)
        rows.append(scene.office.dispute(at, sale, scene.rng.choice(("fraud", "fraud", "not received"))))
    return scene.found("payments.chargeback_rate", {"seller_id": seller.id}, rows)


def buys_from_self(scene: Scene) -> Planted:
    seller, device = scene.seller(), scene.device()
    puppet = scene.arrives(scene.at - timedelta(days=scene.rng.uniform(1, 3)), device)
    for account, at in zip((seller.id, puppet), scene.times(2), strict=True):
        scene.office.event(at, account, "login", device)
    rows = [
        scene.life.order(at, seller.id, puppet, scene.rng.choice((50.0, 100.0, 200.0)), None, None)
        for at in scene.times(scene.rng.randint(3, 9))
    ]
    return scene.found("payments.buys_from_self", {"seller_id": seller.id}, rows)


def cash_out_before_delivery(scene: Scene) -> Planted:
    seller = scene.life.join(scene.at - timedelta(days=scene.rng.uniform(2, 6)))
    hour = timedelta(hours=1)
    sold = 0.0
    for at in scene.earlier(scene.rng.randint(12, 25), 1.5 * hour, 5 * hour):
        amount = round(scene.rng.uniform(40, 90), 2)
        scene.life.order(at, seller.id, scene.buyer(), amount, None, None)
        sold += amount
    row = scene.office.payout(scene.at, seller.id, sold * scene.rng.uniform(0.75, 0.95))
    return scene.found("payments.cash_out_before_delivery", {"seller_id": seller.id}, [row])


def shared_payout_account(scene: Scene) -> Planted:
    count = scene.rng.randint(3, 6)
    sellers = scene.rng.sample([s for s in scene.life.world.sellers.values() if s.trusted], count)
    account = f"acct_{scene.rng.getrandbits(32):08x}"
    rows = [
        scene.office.payout(at, seller.id, scene.rng.uniform(100, 900), account)
        for at, seller in zip(scene.times(count), sellers, strict=True)
    ]
    return scene.found("payments.shared_payout_account", {"bank_account": account}, rows)
