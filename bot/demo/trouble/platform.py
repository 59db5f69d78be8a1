"""Trouble of the platform itself: lost rows, waiting reports, a model that says nothing."""

from __future__ import annotations

from datetime import timedelta

from bot.demo import words
from bot.demo.scene import Planted, Scene


def volume_drop(scene: Scene) -> Planted:
    """The loader of the bids has lost what it had: the quiet of a night in the middle of the day."""
    scene.change("DELETE FROM core.bids WHERE placed_at > ?", [scene.at - timedelta(minutes=20)])
    return scene.found("platform.volume_drop", {}, [])


def queue_backlog(scene: Scene) -> Planted:
    show = scene.show()
    minute = timedelta(minutes=1)
    rows = [
        scene.office.report(at, scene.buyer(), scene.buyer(), show.id, scene.rng.choice(words.REPORTED_FOR))
        for at in scene.earlier(scene.rng.randint(24, 50), 65 * minute, 150 * minute)
    ]
    return scene.found("platform.queue_backlog", {}, rows, timedelta(minutes=20))


def detector_stuck(scene: Scene) -> Planted:
    model = scene.rng.choice(words.MODELS)
    rows = [scene.office.score(at, model, scene.buyer(), 0.5) for at in scene.times(60)]
    return scene.found("platform.detector_stuck", {"model": model}, rows)
