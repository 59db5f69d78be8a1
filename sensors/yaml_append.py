"""Adds a case to a policy's YAML as text: everything that stands there stays as it is, to the byte."""

from __future__ import annotations

import re

import yaml

from sensors.cases.text import CaseText, block, flowing
from sensors.yaml_marks import Loader, read


class NotAdded(ValueError):
    """The case was not added: put the printed text under `cases:` by hand."""


def with_case(text: str, case: CaseText) -> str:
    """The file's text with the case at the end of `cases:`, which is begun where there is none."""
    feed = "\r\n" if "\r\n" in text else "\n"
    at, added = _placed(text, case)
    changed = text[:at] + added.replace("\n", feed) + text[at:]
    before, after = read("", text.lstrip("\ufeff")), read("", changed.lstrip("\ufeff"))
    wanted = {**(before.data or {}), "cases": [*((before.data or {}).get("cases") or []), case.data()]}
    if before.problems or after.problems or after.data != wanted:
        raise NotAdded("the file is written in a way to which no case can be added by itself")
    return changed


def _placed(text: str, case: CaseText) -> tuple[int, str]:
    """Where it goes, and what."""
    try:
        root = yaml.compose(text.lstrip("\ufeff"), Loader=Loader)
    except yaml.YAMLError:
        raise NotAdded("the file is no YAML that can be read; run `patrol check`") from None
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise NotAdded("the file is not written as one key a line")
    shift = len(text) - len(text.lstrip("\ufeff"))
    pair = next(((key, value) for key, value in root.value if key.value == "cases"), None)
    if pair is None:
        return _after(text, shift + _end(root)), f"\ncases:\n{block(case, 2)}"
    key, value = pair
    if isinstance(value, yaml.SequenceNode) and value.flow_style:
        return _in_brackets(text, shift, key, value, case)
    if isinstance(value, yaml.SequenceNode) and value.value:
        dash = _dash(text, shift + value.value[-1].start_mark.index)
        return _after(text, shift + _end(value), dash), block(case, dash)
    if isinstance(value, yaml.ScalarNode) and not value.value:
        return _after(text, shift + key.end_mark.index), block(case, key.start_mark.column + 2)
    raise NotAdded("its `cases` is no list")


def _end(node: yaml.Node) -> int:
    """Where the node's last words end; PyYAML's own mark of a block lies behind the comments that follow."""
    if isinstance(node, yaml.ScalarNode) or getattr(node, "flow_style", False) or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _after(text: str, at: int, indent: int = 0) -> int:
    """The start of the next line; comments that are indented deeper belong to what stands before.

    Behind a block of literal text the mark stands in a later line already: blank lines are given back.
    """
    if at and text[:at].endswith(("\n", " ")) and not text[:at].rsplit("\n", 1)[-1].strip():
        at = len(text[:at].rstrip())
    at = _line_end(text, at)
    while (found := re.match(r"([ \t]*)#[^\n]*(?:\n|$)", text[at:])) and len(found[1]) > indent:
        at += found.end()
    return at


def _line_end(text: str, at: int) -> int:
    newline = text.find("\n", at)
    return len(text) if newline < 0 else newline + 1


def _dash(text: str, at: int) -> int:
    """The column of the dash before an item."""
    line = text.rfind("-", 0, at + 1)
    return line - (text.rfind("\n", 0, line) + 1)


def _in_brackets(
    text: str, shift: int, key: yaml.Node, value: yaml.SequenceNode, case: CaseText
) -> tuple[int, str]:
    close = shift + value.end_mark.index - 1
    indent = key.start_mark.column + 2
    if not value.value:
        return close, f"\n{flowing(case, indent)}\n{' ' * key.start_mark.column}"
    last = shift + value.value[-1].end_mark.index
    between = text[last:close]
    if "#" in between:
        raise NotAdded("a comment stands before the bracket that closes `cases`")
    comma = "" if "," in between else ","
    return last + (between.find(",") + 1 if not comma else 0), f"{comma}\n{flowing(case, indent)}"
