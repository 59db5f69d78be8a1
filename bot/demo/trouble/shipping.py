"""Trouble with parcels."""

from __future__ import annotations

from datetime import timedelta

from bot.demo.scene import Planted, Scene


def never_scanned(scene: Scene) -> Planted:
    seller = scene.seller()
    rows = []
    for at in scene.times(scene.rng.randint(5, 14)):
        label = at - timedelta(days=scene.rng.uniform(3, 5))
        rows.append(scene.office.parcel(at, scene.sale(seller), label_at=label, scanned=False))
    lasts = timedelta(minutes=25)
    return scene.found("shipping.never_scanned", {"seller_id": seller.id}, rows, lasts)


def tracking_reused(scene: Scene) -> Planted:
    seller = scene.seller()
    number = f"TRK{scene.rng.getrandbits(36):011d}"
    rows = [
        scene.office.parcel(at, scene.sale(seller), label_at=at, tracking=number)
        for at in scene.times(scene.rng.randint(4, 10))
    ]
    return scene.found("shipping.tracking_reused", {"seller_id": seller.id}, rows[1:])


def empty_box(scene: Scene) -> Planted:
    seller = scene.seller()
    minute = timedelta(minutes=1)
    rows = [
        scene.office.parcel(at, scene.sale(seller), declared=900, weighed=scene.rng.randint(20, 90))
        for at in scene.earlier(scene.rng.randint(4, 9), 3 * minute, 9 * minute)
    ]
    return scene.found("shipping.empty_box", {"seller_id": seller.id}, rows)
