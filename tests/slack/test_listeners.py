"""The real Bolt app over the sandbox's WebSocket: what people do is handed in, recorded, acked and answered."""

from __future__ import annotations

from typing import Any

from bot.core.action import Acknowledge

from .conftest import Bot


def words(answer: dict[str, Any]) -> str:
    """All that the person was told after an act."""
    return " ".join(f"{e['text']} {' '.join(_texts(e.get('blocks')))}" for e in answer["ephemerals"])


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for part in value.values() for text in _texts(part)]
    return []


def test_a_click_is_recorded_and_acked_and_its_person_is_told_the_undo(bot: Bot) -> None:
    seen = bot.click("alert.ack")
    assert seen["acked"]
    assert bot.desk.handed == [("act", "U0ANA", 3, Acknowledge("U0ANA"), 7)]
    assert "You have ALR-3." in words(seen)
    assert "unack 3" in words(seen)
