"""Makes Slack show what the store says. Whoever delivers asks for `Deliverer`; the rest is its rooms."""

from bot.deliver.deliverer import Deliverer
from bot.deliver.pacing import CHANNEL_GAP

__all__ = ["CHANNEL_GAP", "Deliverer"]
