"""Block Kit as Slack checks it. `check_message` and `check_view` say what is wrong; they change nothing."""

from bot.sandbox.blockkit.check import check_message, check_view, fill_ids, text_length
from bot.sandbox.blockkit.spec import Problem

__all__ = ["Problem", "check_message", "check_view", "fill_ids", "text_length"]
