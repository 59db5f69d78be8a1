"""An argument list with places for values, each of which stays one argument: no shell, and no value chooses
the program, an option or a piece of code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from bot.jobs import fill
from bot.process.errors import JobRefused

STARTERS = {"env", "sudo", "doas", "su", "nice", "nohup", "setsid", "timeout", "time", "xargs", "ssh"}
SPEAKERS = {  # they run what their first argument names or is
    *("sh", "bash", "dash", "zsh", "ksh", "fish"),
    *("python", "perl", "ruby", "node", "php"),
}
CLIENTS = {"psql", "duckdb", "sqlite", "mysql", "snowsql", "snow"}  # they run what follows one of:
SAYS = {"-c", "-e", "-q", "--command", "--execute", "--query"}


def problems(where: str, command: Sequence[str]) -> Iterator[str]:
    """What is wrong with a list as it is declared."""
    program, *rest = command
    if not program.strip() or fill.names(program) or "${" in program:
        yield f"{where}: a parameter or a variable cannot choose the program; write its name first"
    if any("${" in argument for argument in command):
        yield f"{where}: everybody on the host sees arguments; hand ${{VARIABLES}} over by environment"
    name = PurePath(program).name.rstrip("0123456789.")
    if name in STARTERS and fill.names(list(command)):
        yield f"{where}: {name} starts another program, which a parameter could choose; name that one"
    code = _code(name, rest)
    end = rest.index("--") if "--" in rest else len(rest)
    for at, argument in enumerate(rest):
        if not fill.names(argument):
            continue
        if at in code:
            yield f"{where}: {argument[:60]!r} would choose what {name} runs; give it after that"
        elif at < end and argument.startswith("-") and fill.names(argument.partition("=")[0]):
            yield f"{where}: a parameter cannot choose an option: --name={{value}}, not {argument[:60]!r}"


def _code(name: str, rest: Sequence[str]) -> set[int]:
    """Which arguments are, or name, what such a program runs."""
    if name in CLIENTS:
        return {at + 1 for at, argument in enumerate(rest) if argument in SAYS}
    if name not in SPEAKERS:
        return set()
    for at, argument in enumerate(rest):
        if argument == "-m" or re.fullmatch(r"-[A-Za-z]*[ceEr]|--eval|--command", argument):
            return {*range(at + 2)}
        if not argument.startswith("-"):
            return {*range(at + 1)}
    return {*range(len(rest))}


def filled(command: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """The arguments. One that names an optional parameter without a value is left out.

    JobRefused where a value would be taken for an option, or cannot be handed to a program.
    """
    filler, found, after = fill.Filler({}, values), [command[0]], False
    for argument in command[1:]:
        names = fill.names(argument)
        if any(values.get(name) is None for name in names):
            continue
        text = argument
        if names:
            text = filler.words(argument)
            if text.startswith("-") and not argument.startswith("-") and not after:
                raise JobRefused(f"{text[:60]!r} would be taken for an option: a value may not begin with -.")
        found.append(_sound(text))
        after = after or argument == "--"
    return found


def _sound(text: str) -> str:
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise JobRefused(f"{text[:60]!r} holds a character that cannot be handed to a program.")
    return text
