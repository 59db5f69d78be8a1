"""Text for Slack's rooms: what comes from rows or people is folded and defused here, and nowhere else.

Escaping `& < >` alone does not stop bare links, `*_~` formatting, `:emoji:`, quotes or invisible characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bot.core.words import spoken

CLOCK = "{time}"
DAY_AND_TIME = "{date_short_pretty} at {time}"
AGO = "{ago}"

# Letters and symbols that show as nothing, besides the whole category of format characters.
BLANK = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
READ_MOST = 8_000  # characters of any one text; more is never shown
UNNAMED = "a teammate"  # who is not known by name, where a mention would ping
MARKS_IN_A_ROW = 2  # more combining marks than this on one letter run over the lines around it

# Marks of mrkdwn and what stands for them: alike to the eye, unknown to Slack's parser.
LOOKALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
UNDERSCORE = re.compile(
    r"(?<![^\W_])_|_(?![^\W_])"
)  # not the one within snake_case, which Slack leaves alone
SCHEME = re.compile(r":(?=//)|(?<=\bmailto):|(?<=\btel):", re.IGNORECASE)
DOT = re.compile(r"(?<=\w)\.(?=[^\W\d_])")  # evil.com
EMOJI = re.compile(r":(?=[\w+'-]*[a-z+-][\w+'-]*(?::|$))", re.IGNORECASE)  # also one that we might close
AT = re.compile(r"(?<!\w)@(?=\w)")  # @here, @ana; not the one within an address
HASH = re.compile(r"(?<!\w)#(?=\w)")
ADDRESS = re.compile(r"https?://(?:(?![<>|\"`])[!-~]){0,1999}(?![<>|\"`.,;:!?)\]'])[!-~]", re.IGNORECASE)
OUR_FILE = re.compile(r"(?<![\w./-])(?:policies|sql)/[\w./-]{1,150}?\.(?:ya?ml|sql)\b(?::\d+){0,2}")
QUOTE = re.compile(r"^\s*>+")


def fold(text: object) -> str:
    """One line of visible characters: controls and newlines are spaces, invisible and bidi ones are gone."""
    read = str(text)[:READ_MOST]
    if read.isascii() and read.isprintable():
        return " ".join(read.split())
    kept: list[str] = []
    marks = 0
    for char in read:
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if char in BLANK or kind in ("Cc", "Zl", "Zp", "Zs"):
            kept.append(" ")
        elif kind not in ("Cf", "Cs", "Cn") and marks <= MARKS_IN_A_ROW:
            kept.append(char)
    return " ".join("".join(kept).split())


def width(text: str) -> int:
    """Its length as Slack's clients count it, in UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)


def cut(text: str, limit: int) -> str:
    """The text, or as much of it as fits with … at the end."""
    if width(text) <= limit:
        return text
    kept = text[: max(0, limit - 1)]
    while width(kept) > limit - 1:
        kept = kept[: -max(1, (width(kept) - limit + 1) // 2)]
    return kept.rstrip() + "…"


def trimmed(safe: str, limit: int) -> str:
    """`cut` for text that is mrkdwn already: whole lines if there are some, no token in halves."""
    if width(safe) <= limit:
        return safe
    kept = cut(safe, limit).rstrip("…")
    if "\n" in kept:
        return kept[: kept.rfind("\n")]
    kept = re.sub(r"(?:<[^>]*|&[a-z]*)$", "", kept)
    return (kept if kept.count("`") % 2 == 0 else kept[: kept.rfind("`")]) + "…"


def plain(text: object, limit: int = 150) -> str:
    """For plain_text and raw_text, which Slack never parses. Never empty, since Slack refuses empty text."""
    return cut(fold(text), limit) or "–"


def escape(text: object, limit: int = 2_000) -> str:
    """For mrkdwn: can neither ping, link, format nor break out. `limit` counts the text before escaping."""
    safe = QUOTE.sub("›", cut(fold(text), limit)).translate(LOOKALIKES)
    for pattern, stands_for in ((UNDERSCORE, "ˍ"), (EMOJI, "꞉"), (SCHEME, "꞉"), (DOT, "․")):
        safe = pattern.sub(stands_for, safe)
    safe = HASH.sub("＃", AT.sub("＠", safe))
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _between(text: str) -> str:
    """`escape` for a piece of a sentence: the spaces at its ends stay."""
    return _pieces(text, OUR_FILE, code)


def _linked(text: str) -> str:
    """A piece of what a person wrote: addresses are links that show where they lead."""
    return _pieces(text, ADDRESS, lambda url: f"<{url.replace('&', '&amp;')}>")


def _pieces(text: str, pattern: re.Pattern[str], shown: Callable[[str], str]) -> str:
    """What matches as `shown` makes it, all between defused."""
    parts, end = [], 0
    for found in pattern.finditer(text):
        parts += [_defused(text[end : found.start()]), shown(found[0])]
        end = found.end()
    return "".join([*parts, _defused(text[end:])])


def _defused(text: str) -> str:
    before, after = text[:1].isspace() * " ", text[-1:].isspace() * " "
    return f"{before}{escape(text)}{after}" if text.strip() else " " * bool(text)


def sentence(text: str, limit: int = 1_000, person: Callable[[str], str] | None = None) -> str:
    """A sentence of the core, which marks people and moments, for mrkdwn. `limit` counts before escaping."""
    return spoken(_kept(text, limit), person or mention, lambda at: date(at), _between, channel)


def wrote(text: str, limit: int = 1_000, person: Callable[[str], str] | None = None) -> str:
    """What a person wrote: people he names and links stay what they are. Never for text of rows."""
    kept = _kept(text, limit)
    if len(text) > limit and "://" in kept.rsplit(maxsplit=1)[-1]:
        kept = kept[: kept.rfind("://")].rpartition(" ")[0] + " …"  # half an address leads elsewhere
    return spoken(kept, person or mention, lambda at: date(at), _linked)


def answer(text: str, limit: int = 1_500, person: Callable[[str], str] | None = None) -> str:
    """Sentences of the core for the one who asked, line by line: what stands between backticks is code."""
    return "\n".join(_answer(line, person) for line in _kept(text, limit).splitlines()).strip()


def _answer(line: str, person: Callable[[str], str] | None) -> str:
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return sentence(line, person=person)
    return "".join(code(part) if at % 2 else sentence(part, person=person) for at, part in enumerate(parts))


def plain_sentence(text: str, names: Mapping[str, str], limit: int = 150) -> str:
    """A sentence of the core for plain_text."""
    return plain(spoken(text, lambda slack: names.get(slack, UNNAMED), stamp), limit)


def plainly_said(text: str, names: Mapping[str, str]) -> str:
    """A sentence of the core as plain text, where Slack shows neither mentions nor the reader's own time."""

    def person(slack: str) -> str:
        return names.get(slack, UNNAMED)

    return spoken(text, person, lambda at: f"{at:%Y-%m-%d %H:%M} UTC").replace("`", "")


def unpinged(names: Mapping[str, str], pinged: tuple[str, ...] = ()) -> Callable[[str], str]:
    """How people are written in a message that must ping none but `pinged`."""
    return lambda slack: mention(slack) if slack in pinged else escape(names.get(slack, UNNAMED), 80)


def _kept(text: str, limit: int) -> str:
    """Cut where it hurts no mark; without moments that no calendar has."""
    text = re.sub(r"⟦t:\d{11,}⟧", "[time]", text[: 2 * READ_MOST])
    if len(text) <= limit:
        return text
    kept = text[:limit]
    return kept[: kept.rfind("⟦")] + "…" if kept.rfind("⟦") > kept.rfind("⟧") else kept + "…"


def fitted(text: object, limit: int) -> str:
    """`escape`, but no longer than `limit` characters once escaped."""
    folded, size = fold(text), limit
    while width(safe := escape(folded, size)) > limit:
        size -= max(1, (width(safe) - limit) // 5)
    return safe


def lines(text: str, limit: int = 2_500) -> str:
    """Several lines of plain text for mrkdwn, each defused on its own."""
    kept = [escape(line) for line in str(text).splitlines()]
    whole = "\n".join(kept).strip()
    return whole if width(whole) <= limit else fitted(text, limit)


def code(text: object, limit: int = 200) -> str:
    """As inline code, where nothing but the escapes is parsed: for names that people copy."""
    safe = cut(fold(text).replace("`", "ˋ"), limit) or "–"
    return f"`{safe.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}`"


def date(at: datetime, form: str = DAY_AND_TIME) -> str:
    """A moment in the reader's own zone; UTC where a client cannot say it."""
    return f"<!date^{int(at.timestamp())}^{form}|{stamp(at)}>"


def stamp(at: datetime) -> str:
    """A moment as plain text, where tokens are not read."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def mention(slack_id: str) -> str:
    """Pings this person when it is posted (not when it is edited in, nor in an ephemeral)."""
    return f"<@{slack_id}>" if re.fullmatch(r"[UW][A-Z0-9]{1,20}", slack_id) else escape(slack_id, 40)


def channel(slack_id: str) -> str:
    """The channel by the name that the reader knows it by; a link to it."""
    return f"<#{slack_id}>"


def link(url: str, label: str) -> str:
    """A link to one of our own addresses; its label alone where the address does not look like one."""
    if not re.fullmatch(r"https?://[^\s<>|\"]{1,2000}", url):
        return escape(label, 75)
    return f"<{url.replace('&', '&amp;')}|{escape(label, 75).replace('|', '∣')}>"
