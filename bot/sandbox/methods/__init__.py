"""The Web API's methods, one module per family; `METHODS` is the table that the door looks in."""

from bot.sandbox.methods import apps, chat, conversations, files, reads, users, views
from bot.sandbox.methods.table import Method

METHODS: dict[str, Method] = {
    method.name: method
    for family in (apps, chat, conversations, reads, users, views, files)
    for method in family.METHODS
}

__all__ = ["METHODS", "Method"]
