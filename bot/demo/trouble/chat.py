"""Trouble in what people write."""

from __future__ import annotations

from datetime import timedelta

from bot.demo import words
from bot.demo.scene import Planted, Scene


def raid(scene: Scene) -> Planted:
    show = scene.show()
    text = scene.words(scene.rng.choice(words.RAIDS))
    rows = []
    for at in scene.times(scene.rng.randint(9, 22)):
        account = scene.arrives(at - timedelta(minutes=scene.rng.uniform(20, 400)), scene.device())
        rows.append(scene.life.say(at, show, account, text))
    return scene.found("chat.raid", {"show_id": show.id}, rows)


def harassment(scene: Scene) -> Planted:
    show, author, victim = scene.show(), scene.buyer(), scene.rng.choice(words.FIRST_NAMES)
    rows = [
        scene.life.say(at, show, author, scene.rng.choice(words.ABUSE).format(name=victim))
        for at in scene.times(scene.rng.randint(3, 8))
    ]
    return scene.found("chat.harassment", {"author_id": author}, rows)


def phishing_link(scene: Scene) -> Planted:
    author = scene.buyer()
    rows = [
        scene.life.say(at, scene.show(), author, scene.words(scene.rng.choice(words.PHISHING)))
        for at in scene.times(scene.rng.randint(2, 4))
    ]
    return scene.found("chat.phishing_link", {"author_id": author}, rows)


def minor_contact(scene: Scene) -> Planted:
    show, author = scene.show(), scene.buyer()
    asked, contact = scene.rng.choice(words.ASKS_FOR_AGE), scene.rng.choice(words.ASKS_FOR_CONTACT)
    first, last = scene.times(2)
    scene.life.say(first, show, author, asked)
    row = scene.life.say(last, show, author, scene.words(contact))
    return scene.found("chat.minor_contact", {"author_id": author}, [row])


def doxxing(scene: Scene) -> Planted:
    author = scene.buyer()
    row = scene.life.say(scene.at, scene.show(), author, scene.words(scene.rng.choice(words.DOXXING)))
    return scene.found("chat.doxxing", {"author_id": author}, [row])


def self_harm(scene: Scene) -> Planted:
    author = scene.buyer()
    row = scene.life.say(scene.at, scene.show(), author, scene.rng.choice(words.SELF_HARM))
    return scene.found("chat.self_harm", {"author_id": author}, [row])


def report_brigade(scene: Scene) -> Planted:
    show = scene.show()
    target = scene.rng.choice((show.seller_id, scene.buyer()))
    rows = [
        scene.office.report(at, scene.stranger(), target, show.id, "harassment")
        for at in scene.times(scene.rng.randint(8, 16))
    ]
    return scene.found("chat.report_brigade", {"target_id": target}, rows)
