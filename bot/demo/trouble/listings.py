"""Trouble with what is offered, and at what price."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from bot.demo import words
from bot.demo.scene import BURST, Planted, Scene


def prohibited_item(scene: Scene) -> Planted:
    seller = scene.seller()
    title, description = scene.rng.choice(words.PROHIBITED)
    price = round(words.CATEGORIES[seller.category].price * scene.rng.uniform(0.6, 1.6), 2)
    row = scene.life.list_item(seller, scene.at, price=price, title=title, description=description)
    return scene.found("listings.prohibited_item", {"listing_id": row}, [row])


def counterfeit_wording(scene: Scene) -> Planted:
    seller = scene.seller()
    title, description = scene.rng.choice(words.COUNTERFEIT)
    price = round(words.CATEGORIES[seller.category].price * scene.rng.uniform(0.6, 1.6), 2)
    row = scene.life.list_item(seller, scene.at, price=price, title=title, description=description)
    return scene.found("listings.counterfeit_wording", {"seller_id": seller.id}, [row], timedelta(minutes=20))


def stolen_photos(scene: Scene) -> Planted:
    victim, thief = scene.rng.sample([s for s in scene.life.world.sellers.values() if s.trusted], 2)
    rows = []
    for at in scene.times(scene.rng.randint(3, 5)):
        image = f"{scene.rng.getrandbits(64):016x}"
        price = round(words.CATEGORIES[victim.category].price * scene.rng.uniform(0.7, 1.3), 2)
        shown = at - timedelta(hours=scene.rng.uniform(2, 40))
        scene.life.list_item(victim, shown, price=price, image=image)
        rows.append(scene.life.list_item(thief, at, price=price, image=image))
    return scene.found("listings.stolen_photos", {"seller_id": thief.id}, rows)


def price_outlier(scene: Scene) -> Planted:
    seller = scene.seller()
    usual = words.CATEGORIES[seller.category].price
    share = scene.rng.choice((scene.rng.uniform(18, 60), scene.rng.uniform(0.01, 0.03)))
    row = scene.life.list_item(seller, scene.at, price=max(0.01, round(usual * share, 2)))
    return scene.found("listings.price_outlier", {"listing_id": row}, [row])


def charged_above_bid(scene: Scene) -> Planted:
    show = scene.show()
    seller = scene.life.world.sellers[show.seller_id]
    rows = []
    for at in scene.times(scene.rng.randint(3, 6)):
        bid = round(words.CATEGORIES[seller.category].price * scene.rng.uniform(0.6, 1.2), 2)
        item, buyer_id = scene.life.list_item(seller, at - BURST, price=bid), scene.stranger()
        scene.office.bid(at - BURST / 8, show, item, buyer_id, bid)
        amount = bid * scene.rng.uniform(1.25, 1.6)
        rows.append(scene.life.order(at, seller.id, buyer_id, amount, item, show.id))
    return scene.found("listings.charged_above_bid", {"seller_id": seller.id}, rows)


def copycat_ring(scene: Scene) -> Planted:
    text = scene.words(scene.rng.choice(words.COPIED))
    count = scene.rng.randint(3, 6)
    sellers = scene.rng.sample([s for s in scene.life.world.sellers.values() if s.trusted], count)
    rows = []
    for at, seller in zip(scene.times(count), sellers, strict=True):
        price = round(words.CATEGORIES[seller.category].price * scene.rng.uniform(0.6, 1.4), 2)
        rows.append(scene.life.list_item(seller, at, price=price, description=text))
    plain = re.sub("[^a-z]+", " ", text.lower()).strip()
    ring = hashlib.md5(plain.encode(), usedforsecurity=False).hexdigest()
    return scene.found("listings.copycat_ring", {"ring": ring}, rows)


def shill_bidding(scene: Scene) -> Planted:
    show, shill = scene.show(), scene.stranger()
    seller = scene.life.world.sellers[show.seller_id]
    usual = words.CATEGORIES[seller.category].price
    items = [scene.life.list_item(seller, scene.at - BURST, price=round(usual, 2)) for _ in range(6)]
    rows = [
        scene.office.bid(at, show, items[number % 6], shill, usual * scene.rng.uniform(0.3, 0.9))
        for number, at in enumerate(scene.times(scene.rng.randint(14, 36)))
    ]
    return scene.found("listings.shill_bidding", {"seller_id": seller.id, "bidder_id": shill}, rows)
