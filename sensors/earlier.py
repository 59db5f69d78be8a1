"""A policy as an earlier text of its files said it, made anew from what a run was run with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from sensors import file_policy
from sensors.defaults import as_taken
from sensors.draft import Setting, unkept
from sensors.model.asset import Asset
from sensors.model.policy import Policy
from sensors.model.session import Session
from sensors.sources import sql_path
from sensors.sql.template import Macros

MACRO = re.compile(r"\{%-?\s*macro\s")


def earlier(policy: Policy, body: str, assets: Mapping[str, Asset]) -> Policy | None:
    """The policy that `body` is the body of, over the tables as they now are; None where it cannot be said.

    `policy` is what it is now: how many hand-written queries lie beside it is taken from there.
    """
    try:
        said = json.loads(body)
        (document, sql, *rest), dialect = said["files"], str(said["dialect"])
        by_folder = as_taken(said.get("defaults") or {})
        functions = tuple(map(str, said.get("functions") or ()))
        session = Session(**said.get("session", {}))
    except (ValueError, KeyError, TypeError):
        return None
    macros = {f"sql/_macros/{n}.sql": text for n, text in enumerate(rest) if MACRO.search(text)}
    native = [text for text in rest if not MACRO.search(text)]
    if len(native) != len(policy.query.native):
        return None
    name = policy.name.rpartition(":")[2]
    path = f"policies/{name.replace('.', '/')}.yml"
    texts = {path: document, sql_path(name): sql}
    texts |= {sql_path(name, d): t for d, t in zip(policy.query.native, native, strict=True)}
    over = Setting.over(dialect, Macros.load(macros), assets)
    setting = replace(over, defaults=by_folder, functions=functions)
    one = unkept(name, path, texts, setting)
    if one.file is None or one.query is None or any(not problem.warning for problem in one.problems):
        return None
    return file_policy.policy(
        one.file,
        name=policy.name,
        path=policy.path,
        bundle=policy.bundle,
        query=one.query,
        body=body,
        session=session,
    )
