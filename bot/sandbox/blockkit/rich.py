"""rich_text, the block whose text is never parsed: sections, lists, quotes and preformatted pieces."""

from __future__ import annotations

from bot.sandbox.blockkit.spec import (
    Check,
    Fields,
    Need,
    anything,
    array,
    block_id,
    boolean,
    choice,
    integer,
    pattern,
    record,
    string,
    typed,
    url,
)

STYLE = record(
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean
    )
)
MANY = 1_000


def _piece(fields: Fields) -> Check:
    return record({"type": Need(anything), "style": STYLE, **fields})


LONG = string(10_000)
PIECES: dict[str, Check] = {
    "text": _piece({"text": Need(LONG)}),
    "link": _piece({"url": Need(url()), "text": LONG, "unsafe": boolean}),
    "emoji": _piece({"name": Need(string(100)), "unicode": string(100), "skin_tone": integer(2, 6)}),
    "user": _piece({"user_id": Need(string(30))}),
    "usergroup": _piece({"usergroup_id": Need(string(30))}),
    "channel": _piece({"channel_id": Need(string(30))}),
    "broadcast": _piece({"range": Need(choice("here", "channel", "everyone"))}),
    "color": _piece({"value": Need(pattern(r"#[0-9A-Fa-f]{6}", "must be a color of the form #RRGGBB"))}),
    "date": _piece(
        {
            "timestamp": Need(integer(0, 9_999_999_999)),
            "format": Need(string(200)),
            "url": url(),
            "fallback": string(300),
        }
    ),
}
pieces = Need(array(typed(PIECES), 0, MANY))
KIND: Fields = {"type": Need(anything)}
SECTION = record({**KIND, "elements": pieces})
BORDER: Fields = {"border": integer(0, 1)}
PARTS: dict[str, Check] = {
    "rich_text_section": SECTION,
    "rich_text_list": record(
        {
            **KIND,
            **BORDER,
            "style": Need(choice("bullet", "ordered")),
            "indent": integer(0, 8),
            "offset": integer(0, 1_000),
            "elements": Need(array(typed({"rich_text_section": SECTION}), 1, MANY)),
        }
    ),
    "rich_text_quote": record({**KIND, **BORDER, "elements": pieces}),
    "rich_text_preformatted": record({**KIND, **BORDER, "language": string(100), "elements": pieces}),
}
RICH_TEXT = record({**KIND, "block_id": block_id, "elements": Need(array(typed(PARTS), 1, MANY))})
