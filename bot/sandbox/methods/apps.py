"""api.test, auth.test, apps.connections.open and blocks.validate."""

from __future__ import annotations

from bot.sandbox import names
from bot.sandbox.blockkit import check_message
from bot.sandbox.call import Call, SlackError, invalid_arguments
from bot.sandbox.methods.table import Method
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace


def api_test(_workspace: Workspace, call: Call) -> Json:
    if call.text("error"):
        raise SlackError(call.text("error"), args=call.args)
    return {"ok": True, "args": call.args}


def auth_test(_workspace: Workspace, call: Call) -> Json:
    return {
        "ok": True,
        "url": f"{call.origin}/",
        "team": names.TEAM_NAME,
        "user": names.BOT_NAME,
        "team_id": names.TEAM_ID,
        "user_id": names.BOT_USER,
        "bot_id": names.BOT_ID,
        "app_id": names.APP_ID,
        "is_enterprise_install": False,
    }


def open_connection(workspace: Workspace, call: Call) -> Json:
    ticket = workspace.issue_ticket()
    origin = call.origin.replace("http", "ws", 1)
    return {"ok": True, "url": f"{origin}/link/?ticket={ticket}&app_id={names.APP_ID}"}


def validate_blocks(workspace: Workspace, call: Call) -> Json:
    blocks = call.structure("blocks", "invalid_blocks_format")
    if blocks is None:
        raise invalid_arguments("missing required field: blocks")
    problems = check_message(blocks, at="", shows=workspace.shows_file)
    if problems:
        listed = [{"code": p.code, "message": p.message, "pointer": p.pointer or "/"} for p in problems]
        raise SlackError("invalid_blocks", errors=listed)
    return {"ok": True}


METHODS = (
    Method("api.test", api_test),
    Method("auth.test", auth_test),
    Method("apps.connections.open", open_connection, app_token=True),
    Method("blocks.validate", validate_blocks),
)
