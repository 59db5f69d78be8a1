"""Trouble with what is given away."""

from __future__ import annotations

from datetime import timedelta

from bot.demo import words
from bot.demo.scene import Planted, Scene


def coupon_ring(scene: Scene) -> Planted:
    device, coupon = scene.device(), scene.rng.choice(words.COUPONS)
    rows = []
    for at in scene.times(scene.rng.randint(5, 14)):
        account = scene.arrives(scene.at - timedelta(hours=scene.rng.uniform(2, 60)), device)
        rows.append(scene.office.redeem(at, coupon, account, scene.rng.uniform(8, 15), device))
    return scene.found("promotions.coupon_ring", {"coupon": coupon, "device_id": device}, rows)


def giveaway_insider(scene: Scene) -> Planted:
    show, winner = scene.show(), scene.stranger()
    rows = [
        scene.office.giveaway(at, show, winner, scene.rng.uniform(40, 220))
        for at in scene.times(scene.rng.randint(6, 9))
    ]
    return scene.found(
        "promotions.giveaway_insider", {"seller_id": show.seller_id, "winner_id": winner}, rows
    )


def budget_burn(scene: Scene) -> Planted:
    name = scene.rng.choice(words.CAMPAIGNS)
    campaign = scene.office.campaign(scene.at - timedelta(days=1), f"{name}, flash", 6_000, timedelta(days=4))
    code = f"FLASH{scene.rng.randint(100, 999)}"
    rows = [
        scene.office.redeem(at, code, scene.buyer(), scene.rng.uniform(60, 140), campaign=campaign)
        for at in scene.times(scene.rng.randint(15, 30))
    ]
    return scene.found("promotions.budget_burn", {"campaign_id": campaign}, rows)
