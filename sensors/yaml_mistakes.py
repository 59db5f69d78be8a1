"""What people mistype in YAML, as sentences: the likely cause near the place where reading stopped."""

from __future__ import annotations

import re

import yaml

VALUE = re.compile(r"^\s*(?:- +)?(?:[\w.-]+: +|- +)?(?P<value>\S.*)$")


def say(text: str, error: yaml.YAMLError) -> tuple[int, int, str]:
    """Line, column (from 1) and a sentence for a file that cannot be read as YAML."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if "quoted scalar" in str(getattr(error, "context", "")):
        mark = (
            getattr(error, "context_mark", None) or mark
        )  # where the quote was opened, not where the file ends
    lines = text.splitlines() or [""]
    row = min(mark.line if mark else 0, len(lines) - 1)
    if (
        control := re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    ) and not mark:
        before = text[: control.start()]
        line = before.count("\n") + 1
        return line, control.start() - before.rfind("\n"), f"a control character ({control[0]!r}) stands here"
    for near in (row, *range(row - 1, max(row - 4, -1), -1)):
        if found := _cause(lines[near]):
            return near + 1, found[0], found[1]
    return _by_parser(error, lines, row, (mark.column if mark else 0) + 1)


def _cause(line: str) -> tuple[int, str] | None:
    """The column and the mistake of one line, where it has one of those that people make."""
    if tab := re.match(r"^ *\t", line):
        return tab.end(), "a tab stands in the indentation; YAML takes only spaces"
    match = VALUE.match(line)
    if match is None or line.lstrip().startswith("#"):
        return None
    value, column = match["value"], match.start("value") + 1
    if value.startswith("{{"):
        return column, f"a value that begins with {{{{ needs quotes: {_quoted(value)}"
    if value.startswith("*"):
        return column, f"a value that begins with * needs quotes: {_quoted(value)}"
    if inner := re.search(r"[\[{,:]\s*(?P<value>[*@`%][^,\]}]*)", value) if value[0] in "[{" else None:
        said = f"a value that begins with {inner['value'][0]} needs quotes: {_quoted(inner['value'])}"
        return column + inner.start("value"), said
    if value[0] in "@`%":
        return column, f"a value that begins with {value[0]} needs quotes: {_quoted(value)}"
    if value[0] not in "\"'[{|>&!#" and (colon := re.search(r":( |$)", value)) and _is_text(match):
        return column + colon.start(), f'": " inside a text needs quotes around the text: {_quoted(value)}'
    if value[0] in "\"'" and not _closed(value):
        return column, f"the quote that begins here does not end as it should: {value[:40]}"
    return None


def _is_text(match: re.Match[str]) -> bool:
    """Whether the value follows a key on its line, so that a further colon belongs to its text."""
    return bool(re.match(r"^\s*(?:- +)?[\w.-]+: +", match.string))


def _closed(value: str) -> bool:
    quote = value[0]
    body = r"(?:[^\"\\]|\\.)*" if quote == '"' else r"(?:[^']|'')*"
    return bool(re.match(rf"{quote}{body}{quote}\s*([,\]}}#].*)?$", value))


def _quoted(value: str) -> str:
    text = value.split(" #")[0].rstrip()
    return f"'{text}'" if '"' in text or "\\" in text else f'"{text}"'


def _by_parser(error: yaml.YAMLError, lines: list[str], row: int, column: int) -> tuple[int, int, str]:
    """By the parser's reason, said in our words, where no line looks like a known mistake."""
    reason = f"{getattr(error, 'context', '')} {getattr(error, 'problem', '')}"
    line = row + 1
    if "flow sequence" in reason or "flow mapping" in reason:
        start = getattr(error, "context_mark", None)
        if start:
            line, column = start.line + 1, start.column + 1
        closing = "]" if "sequence" in reason else "}"
        return (
            line,
            column,
            f"the bracket that opens here is not closed with {closing}, or a comma is missing",
        )
    if "quoted scalar" in reason:
        return line, column, "a quote that was opened is not closed"
    if "tab" in reason or "\t" in lines[row]:
        return line, column, "a tab stands where YAML takes only spaces"
    if "expected a single document" in reason:
        return line, column, "a second document begins here (---); a file holds one"
    if "could not find expected ':'" in reason:
        return line, column, "this line is neither `key: value` nor a list item `- value`"
    return (
        line,
        column,
        "this line does not fit the lines above it: look at its indentation, colon and quotes",
    )
