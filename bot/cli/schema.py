"""`patrol schema`: JSON Schemas of the files, with which an editor completes and checks while one types."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.policies import catalog_of
from bot.cli.writing import put
from bot.process.errors import PatrolError

FOLDER = Path(".patrol/schema")
FILES = {
    "policy": "policies/**/[!_]*.yml",
    "defaults": "policies/**/_defaults.yml",
    **{kind: f"policies/_{kind}.yml" for kind in ("teams", "jobs", "assets", "entities", "violations")},
    "patrol": "patrol.yml",
}
VSCODE = Path(".vscode/settings.json")
KEY = "yaml.schemas"


@click.command(short_help="Let your editor complete and check the YAML.")
@click.argument("kind", type=click.Choice([*FILES]), default="policy")
@in_project
@click.option("--write", is_flag=True, help=f"Write all of them into {FOLDER}/.")
@click.option("--vscode", is_flag=True, help=f"Write them, and name them in {VSCODE}.")
def schema(kind: str, project: Path, write: bool, vscode: bool) -> None:
    """Show the JSON Schema of a KIND of file: what it may say, and what each key is for.

    \b
    patrol schema                 of a policy
    patrol schema teams           of policies/_teams.yml
    patrol schema --write         all of them, into .patrol/schema/
    patrol schema --vscode        and VS Code (with its YAML extension) uses them

    The project's own teams, jobs, tables and violations are in them, so that an editor offers their names
    after `owner:`. Write them again when these change. Other editors take a first line such as
    `# yaml-language-server: $schema=../../.patrol/schema/policy.json`.

    Exit code 0: done; 2: it could not begin.
    """
    settings = settings_of(project)
    made = _made(settings)
    if not write and not vscode:
        click.echo(json.dumps(made[kind], ensure_ascii=False, indent=2))
        return
    root: Path = settings.project
    _write(root, made)
    click.echo(f"{len(made)} schemas are in {FOLDER}/.")
    if not vscode:
        click.echo("A policy's first line may name its own:")
        click.echo(f"  # yaml-language-server: $schema=../../{FOLDER}/policy.json")
        return
    _tell_vscode(root)
    click.echo(f"{VSCODE} names them. VS Code needs the extension redhat.vscode-yaml.")
    sys.exit(0)


def _made(settings: Any) -> dict[str, dict[str, Any]]:
    from bot.process.settings import schema as of_settings
    from sensors.file_schema import schemas

    return {**schemas(catalog_of(settings)), "patrol": of_settings()}


def _write(root: Path, made: dict[str, dict[str, Any]]) -> None:
    put({root / FOLDER / f"{name}.json": _text(content) for name, content in made.items()})


def _text(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _tell_vscode(root: Path) -> None:
    """Adds the schemas to the editor's settings and leaves all else as it is."""
    file = root / VSCODE
    ours = {f"./{FOLDER}/{name}.json": pattern for name, pattern in FILES.items()}
    try:
        text = file.read_text("utf-8") if file.exists() else "{}"
        held = json.loads(text or "{}")
        named = held.get(KEY, {}) if isinstance(held, dict) else None
        if not isinstance(named, dict):
            raise ValueError
    except ValueError:  # comments, or another shape: a person's own, which is not written over
        listed = json.dumps({KEY: ours}, indent=2)
        raise PatrolError(f"{file} is not plain JSON; add this to it by hand:\n{listed}") from None
    except OSError as error:
        raise PatrolError(f"{file} cannot be read: {error.strerror or error}.") from None
    put({file: _text({**held, KEY: {**named, **ours}})})
