"""views.*: modals opened by a trigger, changed by id and hash; the Home tab."""

from __future__ import annotations

import json

from bot.sandbox.blockkit import check_view, fill_ids
from bot.sandbox.call import Call, SlackError, invalid_arguments
from bot.sandbox.methods.table import Method
from bot.sandbox.modals import public
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace

VIEW_LIMIT = 250_000


def checked_view(workspace: Workspace, value: object, kind: str) -> Json:
    """A view of this kind with its ids filled in; refuses what Slack would refuse."""
    if not isinstance(value, dict):
        raise invalid_arguments("missing required field: view")
    if len(json.dumps(value)) > VIEW_LIMIT:
        raise SlackError("view_too_large")
    problems = check_view(value, kind, shows=workspace.shows_file)
    if problems:
        raise invalid_arguments(*(problem.line() for problem in problems))
    return {**value, "blocks": fill_ids(value["blocks"])}


def _content(workspace: Workspace, call: Call, kind: str) -> Json:
    return checked_view(workspace, call.structure("view", "invalid_arguments"), kind)


def _fresh_external(workspace: Workspace, content: Json, but: Json | None = None) -> None:
    external = content.get("external_id")
    known = workspace.modals.find_external(external) if external else None
    if known is not None and known is not but:
        raise SlackError("duplicate_external_id")


def open_modal(workspace: Workspace, call: Call) -> Json:
    content = _content(workspace, call, "modal")
    _fresh_external(workspace, content)
    trigger = workspace.modals.use_trigger(call.need("trigger_id"))
    return {"ok": True, "view": public(workspace.modals.open(trigger, content))}


def push(workspace: Workspace, call: Call) -> Json:
    content = _content(workspace, call, "modal")
    _fresh_external(workspace, content)
    trigger = workspace.modals.use_trigger(call.need("trigger_id"))
    return {"ok": True, "view": public(workspace.modals.push(trigger, content))}


def update(workspace: Workspace, call: Call) -> Json:
    modals = workspace.modals
    external = call.text("external_id")
    view = modals.find_external(external) if external else modals.find(call.need("view_id"))
    if view is None:
        raise SlackError("not_found")
    if call.text("hash") and call.text("hash") != view["hash"]:
        raise SlackError("hash_conflict", view=public(view))
    content = _content(workspace, call, "modal")
    _fresh_external(workspace, content, but=view)
    return {"ok": True, "view": public(modals.update(view, content))}


def publish(workspace: Workspace, call: Call) -> Json:
    user = call.need("user_id")
    if user not in workspace.users:
        raise invalid_arguments("invalid user_id [json-pointer:/user_id]")
    if not workspace.app.home_tab:
        raise SlackError("not_enabled")
    known = workspace.modals.homes.get(user)
    if known and call.text("hash") and call.text("hash") != known["hash"]:
        raise SlackError("hash_conflict", view=public(known))
    content = _content(workspace, call, "home")
    return {"ok": True, "view": public(workspace.modals.publish(user, content))}


METHODS = (
    Method("views.open", open_modal),
    Method("views.push", push),
    Method("views.update", update),
    Method("views.publish", publish),
)
