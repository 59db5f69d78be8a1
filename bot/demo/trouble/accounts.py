"""Trouble with who somebody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.demo import words
from bot.demo.scene import Planted, Scene
from bot.demo.world import handle


def signup_burst(scene: Scene) -> Planted:
    device, ip = scene.device(), f"198.51.100.{scene.rng.randint(2, 250)}"
    rows = [scene.life.sign_up(at, device, ip)[0] for at in scene.times(scene.rng.randint(8, 20))]
    return scene.found("accounts.signup_burst", {"device_id": device}, rows)


def new_seller_surge(scene: Scene) -> Planted:
    seller = scene.life.join(scene.at - timedelta(hours=scene.rng.uniform(5, 40)))
    price = words.CATEGORIES[seller.category].price
    item = scene.life.list_item(seller, scene.at - timedelta(hours=1), price=round(price * 2, 2))
    each = max(price * 2, 220.0)
    rows = [
        scene.life.order(at, seller.id, scene.buyer(), each * scene.rng.uniform(0.9, 1.5), item, None)
        for at in scene.times(scene.rng.randint(14, 26))
    ]
    return scene.found("accounts.new_seller_surge", {"seller_id": seller.id}, rows)


def expired_verification_live(scene: Scene) -> Planted:
    show = scene.show()
    lasts = timedelta(minutes=15)
    scene.change("UPDATE core.sellers SET verification = 'expired' WHERE seller_id = ?", [show.seller_id])
    ends_at = max(show.ends_at, scene.at + lasts)
    scene.life.world.shows[show.id] = replace(show, ends_at=ends_at)
    scene.change("UPDATE core.shows SET ends_at = ? WHERE show_id = ?", [ends_at, show.id])
    return scene.found("accounts.expired_verification_live", {"seller_id": show.seller_id}, [show.id], lasts)


def takeover(scene: Scene) -> Planted:
    seller, device = scene.seller(), scene.device()
    ip = f"203.0.113.{scene.rng.randint(2, 250)}"
    kinds = ("new_device", scene.rng.choice(("password_changed", "email_changed")), "payout_account_changed")
    rows = [
        scene.office.event(at, seller.id, kind, device, ip)
        for at, kind in zip(scene.times(3), kinds, strict=True)
    ]
    return scene.found("accounts.takeover", {"seller_id": seller.id}, rows)


def credential_stuffing(scene: Scene) -> Planted:
    ip, device = f"203.0.113.{scene.rng.randint(2, 250)}", scene.device()
    count = scene.rng.randint(20, 60)
    accounts = scene.rng.sample(list(scene.life.world.buyers), count)
    rows = []
    for at, account in zip(scene.times(count), accounts, strict=True):
        if scene.rng.random() < 0.05:
            scene.office.event(at, account, "login", device, ip)
        rows.append(scene.office.event(at, account, "login_failed", device, ip))
    return scene.found("accounts.credential_stuffing", {"ip": ip}, rows)


def ban_evasion(scene: Scene) -> Planted:
    device = scene.device()
    reason = scene.rng.choice(words.BANNED_FOR)
    scene.office.ban(scene.at - timedelta(days=scene.rng.uniform(1, 30)), scene.buyer(), device, reason)
    row, account = scene.life.sign_up(scene.at, device, f"192.0.2.{scene.rng.randint(1, 254)}")
    return scene.found("accounts.ban_evasion", {"account_id": account}, [row])


def impersonation(scene: Scene) -> Planted:
    shops = [
        s.name for s in scene.life.world.sellers.values() if s.name.isascii() and len(handle(s.name)) > 6
    ]
    name = scene.rng.choice(shops)
    for letter, digit in scene.rng.sample((("s", "5"), ("o", "0"), ("l", "1"), ("e", "3"), ("a", "4")), 5):
        if letter in name:
            name = name.replace(letter, digit, 1)
            break
    else:
        name = f"{name}!"
    row = scene.life.buyer(scene.at, name)
    return scene.found("accounts.impersonation", {"buyer_id": row}, [row])
