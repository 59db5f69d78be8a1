"""Planted trouble: for each policy of the catalog, rows that it has to find. Says what it planted."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.demo import words
from bot.demo.life import Life
from bot.demo.world import Sale, Seller, Show, handle

BURST = timedelta(seconds=40)  # how far back the rows of one trouble reach


@dataclass(frozen=True)
class Planted:
    """What a policy has to find: about whom, and in which rows."""

    at: datetime
    policy: str
    key: Mapping[str, str]
    rows: tuple[str, ...]
    ends_at: datetime | None = None  # when the market puts it right by itself


@dataclass(frozen=True)
class Scene:
    """Where trouble is made: the life around it, the chance, the moment, and SQL that changes what stands."""

    life: Life
    rng: random.Random
    at: datetime
    change: Callable[[str, list[object]], None]

    def times(self, count: int) -> list[datetime]:
        """Moments of the last seconds, in order, the last one now."""
        back = sorted((self.rng.random() for _ in range(count - 1)), reverse=True)
        return [self.at - BURST * share for share in back] + [self.at]

    def show(self) -> Show:
        """A live show, rather one that had begun by now."""
        shows = sorted(self.life.world.shows.values(), key=lambda show: show.started_at)
        begun = [show for show in shows if show.started_at < self.at - BURST]
        return self.rng.choice(begun or shows)

    def seller(self) -> Seller:
        return self.rng.choice([s for s in self.life.world.sellers.values() if s.trusted])

    def buyer(self) -> str:
        return self.rng.choice(list(self.life.world.buyers))

    def words(self, text: str) -> str:
        name = self.rng.choice(words.FIRST_NAMES)
        tag = "".join(self.rng.choice("abcdefghkmnprstw") for _ in range(4))
        return text.format(handle=handle(name) + tag, name=name, n=self.rng.randint(20, 300), tag=tag)

    def found(
        self, policy: str, key: str, value: str, rows: list[str], lasts: timedelta | None = None
    ) -> Planted:
        return Planted(self.at, policy, {key: value}, tuple(rows), self.at + lasts if lasts else None)


# payments


def off_platform_payment(scene: Scene) -> Planted:
    show = scene.show()
    rows = [
        scene.life.say(at, show, show.seller_id, scene.words(scene.rng.choice(words.OFF_PLATFORM)))
        for at in scene.times(scene.rng.randint(3, 7))
    ]
    return scene.found("payments.off_platform_payment", "seller_id", show.seller_id, rows)


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
    return scene.found("payments.refund_spike", "seller_id", seller.id, rows)


def card_testing(scene: Scene) -> Planted:
    _signup, buyer_id = scene.life.sign_up(
        scene.at - BURST, f"d_{scene.rng.getrandbits(40):010x}", "203.0.113.7"
    )
    rows = []
    for at in scene.times(scene.rng.randint(8, 24)):
        show = scene.show()
        status = "declined" if scene.rng.random() < 0.7 else "paid"
        rows.append(
            scene.life.order(at, show.seller_id, buyer_id, scene.rng.uniform(0.5, 1.9), None, show.id, status)
        )
    return scene.found("payments.card_testing", "buyer_id", buyer_id, rows)


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
    return scene.found("payments.refund_after_delivery", "buyer_id", buyer_id, rows)


def payout_account_changed(scene: Scene) -> Planted:
    seller = scene.seller()
    scene.change(
        "UPDATE core.sellers SET payout_account = 'changed', payout_state = 'scheduled', payout_due = ? "
        "WHERE seller_id = ?",
        [round(scene.rng.uniform(2_500, 19_000), 2), seller.id],
    )
    return scene.found(
        "payments.payout_account_changed", "seller_id", seller.id, [seller.id], timedelta(minutes=25)
    )


# chat


def raid(scene: Scene) -> Planted:
    show = scene.show()
    text = scene.words(scene.rng.choice(words.RAIDS))
    rows = []
    for at in scene.times(scene.rng.randint(9, 22)):
        _signup, account = scene.life.sign_up(
            at - timedelta(minutes=scene.rng.uniform(20, 400)), *_own_device(scene)
        )
        rows.append(scene.life.say(at, show, account, text))
    return scene.found("chat.raid", "show_id", show.id, rows)


def harassment(scene: Scene) -> Planted:
    show, author, victim = scene.show(), scene.buyer(), scene.rng.choice(words.FIRST_NAMES)
    rows = [
        scene.life.say(at, show, author, scene.rng.choice(words.ABUSE).format(name=victim))
        for at in scene.times(scene.rng.randint(3, 8))
    ]
    return scene.found("chat.harassment", "author_id", author, rows)


def phishing_link(scene: Scene) -> Planted:
    author = scene.buyer()
    rows = [
        scene.life.say(at, scene.show(), author, scene.words(scene.rng.choice(words.PHISHING)))
        for at in scene.times(scene.rng.randint(2, 4))
    ]
    return scene.found("chat.phishing_link", "author_id", author, rows)


# listings


def prohibited_item(scene: Scene) -> Planted:
    seller = scene.seller()
    title, description = scene.rng.choice(words.PROHIBITED)
    price = round(words.CATEGORIES[seller.category].price * scene.rng.uniform(0.6, 1.6), 2)
    row = scene.life.list_item(seller, scene.at, price=price, title=title, description=description)
    return scene.found("listings.prohibited_item", "listing_id", row, [row])


def counterfeit_wording(scene: Scene) -> Planted:
    seller = scene.seller()
    title, description = scene.rng.choice(words.COUNTERFEIT)
    price = round(words.CATEGORIES[seller.category].price * scene.rng.uniform(0.6, 1.6), 2)
    row = scene.life.list_item(seller, scene.at, price=price, title=title, description=description)
    return scene.found("listings.counterfeit_wording", "seller_id", seller.id, [row], timedelta(minutes=20))


def stolen_photos(scene: Scene) -> Planted:
    victim, thief = scene.rng.sample([s for s in scene.life.world.sellers.values() if s.trusted], 2)
    rows = []
    for at in scene.times(scene.rng.randint(3, 5)):
        image = f"{scene.rng.getrandbits(64):016x}"
        price = round(words.CATEGORIES[victim.category].price * scene.rng.uniform(0.7, 1.3), 2)
        shown = at - timedelta(hours=scene.rng.uniform(2, 40))
        scene.life.list_item(victim, shown, price=price, image=image)
        rows.append(scene.life.list_item(thief, at, price=price, image=image))
    return scene.found("listings.stolen_photos", "seller_id", thief.id, rows)


def price_outlier(scene: Scene) -> Planted:
    seller = scene.seller()
    usual = words.CATEGORIES[seller.category].price
    share = scene.rng.choice((scene.rng.uniform(18, 60), scene.rng.uniform(0.01, 0.03)))
    row = scene.life.list_item(seller, scene.at, price=max(0.01, round(usual * share, 2)))
    return scene.found("listings.price_outlier", "listing_id", row, [row])


# accounts


def signup_burst(scene: Scene) -> Planted:
    device, ip = f"d_{scene.rng.getrandbits(40):010x}", f"198.51.100.{scene.rng.randint(2, 250)}"
    rows = [scene.life.sign_up(at, device, ip)[0] for at in scene.times(scene.rng.randint(8, 20))]
    return scene.found("accounts.signup_burst", "device_id", device, rows)


def new_seller_surge(scene: Scene) -> Planted:
    seller = scene.life.join(scene.at - timedelta(hours=scene.rng.uniform(5, 40)))
    price = words.CATEGORIES[seller.category].price
    item = scene.life.list_item(seller, scene.at - timedelta(hours=1), price=round(price * 2, 2))
    each = max(price * 2, 220.0)
    rows = [
        scene.life.order(at, seller.id, scene.buyer(), each * scene.rng.uniform(0.9, 1.5), item, None)
        for at in scene.times(scene.rng.randint(14, 26))
    ]
    return scene.found("accounts.new_seller_surge", "seller_id", seller.id, rows)


def expired_verification_live(scene: Scene) -> Planted:
    show = scene.show()
    lasts = timedelta(minutes=15)
    scene.change("UPDATE core.sellers SET verification = 'expired' WHERE seller_id = ?", [show.seller_id])
    ends_at = max(show.ends_at, scene.at + lasts)
    scene.life.world.shows[show.id] = replace(show, ends_at=ends_at)
    scene.change("UPDATE core.shows SET ends_at = ? WHERE show_id = ?", [ends_at, show.id])
    return scene.found("accounts.expired_verification_live", "seller_id", show.seller_id, [show.id], lasts)


def _own_device(scene: Scene) -> tuple[str, str]:
    address = f"192.0.2.{scene.rng.randint(1, 254)}"
    return f"d_{scene.rng.getrandbits(40):010x}", address


KINDS: Mapping[str, Callable[[Scene], Planted]] = {
    maker.__name__: maker
    for maker in (
        off_platform_payment,
        raid,
        prohibited_item,
        signup_burst,
        refund_spike,
        harassment,
        stolen_photos,
        expired_verification_live,
        card_testing,
        phishing_link,
        price_outlier,
        new_seller_surge,
        refund_after_delivery,
        counterfeit_wording,
        payout_account_changed,
    )
}

# What puts a trouble right again when it ends, by policy; `?` is the key's value.
RIGHTED: Mapping[str, str] = {
    "payments.payout_account_changed": (
        "UPDATE core.sellers SET payout_account = 'verified', payout_state = 'none', payout_due = 0 "
        "WHERE seller_id = ?"
    ),
    "accounts.expired_verification_live": (
        "UPDATE core.sellers SET verification = 'verified' WHERE seller_id = ?"
    ),
    "listings.counterfeit_wording": (
        "UPDATE core.listings SET status = 'removed' WHERE status = 'active' AND seller_id = ? "
        "AND regexp_matches(lower(title || ' ' || description), 'replica|super clone|unauthorized authentic')"
    ),
}
