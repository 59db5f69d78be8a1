"""One message as a page of its own: the renderer of the sandbox's page, in one file. Nothing in it acts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.sandbox import names

PAGE = Path(__file__).parent / "page"
STYLES = ("frame", "sidebar", "messages", "blocks", "phone")
PHONE = 390  # px wide
IMPORT = re.compile(r'(\bfrom\s+|\bimport\s+)"(\.{1,2}/[\w./-]+\.js)"')
LOOK = """
html, body { height: auto; overflow: visible; background: #fff; }
body { display: block; width: %dpx; margin: 0; padding: 8px 0; }
"""
ENTRY = """
import { store } from "page/store.js";
import { setNow } from "page/time.js";
import { messageRow } from "page/message.js";
const { state, me, channel, message } = JSON.parse(document.getElementById("shown").textContent);
Object.assign(store, { state, me });
setNow(state.now);
document.getElementById("still").append(messageRow(message, channel, { place: "channel" }));
requestAnimationFrame(() => {
  document.documentElement.dataset.height = Math.ceil(document.body.getBoundingClientRect().height);
});
"""
WHOLE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{styles}</style>
<script type="importmap">{modules}</script>
</head>
<body>
<div id="still" inert></div>
<script type="application/json" id="shown">{shown}</script>
<script type="module">{entry}</script>
<noscript>This picture is drawn by JavaScript.</noscript>
</body>
</html>
"""


def still(
    message: Mapping[str, Any], at: float, people: Mapping[str, str], *, title: str = "", width: int = PHONE
) -> str:
    """The page, as HTML that needs nothing else; it is `width` pixels wide.

    `message` has `text` and `blocks`, `at` is when it was posted (seconds since the epoch), `people` are the
    names of those it may mention, by id. In a browser `<html data-height>` says how high it has become.
    """
    return WHOLE.format(
        title=_escaped(title),
        styles="\n".join((PAGE / "css" / f"{name}.css").read_text("utf-8") for name in STYLES) + LOOK % width,
        modules=_inside(json.dumps({"imports": modules()})),
        shown=_inside(json.dumps(_shown(message, at, people))),
        entry=ENTRY,
    )


def modules() -> dict[str, str]:
    """The page's modules by the names under which they import one another; a text is its address."""
    folder = PAGE / "js"
    return {f"page/{_name(path)}": _address(path) for path in sorted(folder.rglob("*.js"))}


def _name(path: Path) -> str:
    return path.resolve().relative_to((PAGE / "js").resolve()).as_posix()


def _address(path: Path) -> str:
    def bare(found: re.Match[str]) -> str:
        return f'{found[1]}"page/{_name(path.parent / found[2])}"'

    text = IMPORT.sub(bare, path.read_text("utf-8"))
    return f"data:text/javascript;base64,{base64.b64encode(text.encode()).decode()}"


def _shown(message: Mapping[str, Any], at: float, people: Mapping[str, str]) -> dict[str, Any]:
    app = {"id": names.BOT_USER, "name": names.BOT_NAME, "real_name": "Patrol", "is_bot": True}
    users = [app, *({"id": slack, "name": name} for slack, name in people.items())]
    posted = {"user": names.BOT_USER, "bot_id": names.BOT_ID, "ts": f"{at:.6f}", **message}
    channel = {"id": "C0STILL", "name": "preview", "members": [names.BOT_USER], "messages": [posted]}
    state = {"now": at, "users": users, "channels": [channel], "notifications": []}
    return {"state": state, "me": "", "channel": channel, "message": posted}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _inside(text: str) -> str:
    """JSON that ends no script element, whatever it holds."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
