"""`patrol` itself: finds its commands when they are called, so that `--help` is quick."""

from __future__ import annotations

import os
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

COMMANDS = {
    "demo": ("bot.cli.demo", "demo"),
    "serve": ("bot.cli.serve", "serve"),
    "sandbox": ("bot.cli.serve", "sandbox"),
    "new": ("bot.cli.new", "new"),
    "run": ("bot.cli.run", "run"),
    "check": ("bot.cli.check", "check"),
    "schema": ("bot.cli.schema", "schema"),
    "test": ("bot.cli.cases", "test"),
    "case": ("bot.cli.drafting", "case"),
    "preview": ("bot.cli.preview", "preview"),
    "next": ("bot.cli.policies", "next_runs"),
    "gaps": ("bot.cli.ledger", "gaps"),
    "backfill": ("bot.cli.backfill", "backfill"),
    "backtest": ("bot.cli.backtest", "backtest"),
    "diff": ("bot.cli.diff", "diff"),
    "score": ("bot.cli.score", "score"),
    "graph": ("bot.cli.graph", "graph"),
    "erase": ("bot.cli.erase", "erase"),
    "audit": ("bot.cli.audit", "audit"),
    "bundles": ("bot.cli.bundles", "bundles"),
    "db": ("bot.cli.serve", "db"),
    "doctor": ("bot.cli.doctor", "doctor"),
}
PORT = click.IntRange(0, 65535)
Command = TypeVar("Command", bound=Callable[..., Any])


class Lazy(click.Group):
    """Imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Ctrl-C ends with 130, as shells have it: 1 says that there is a mistake. NO_COLOR is honoured."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            click.echo("\npatrol: stopped", err=True)
            ctx.exit(130)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}."
            ctx.fail(f"There is no command {args[0]}; {hint}")
        return super().resolve_command(ctx, args)


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="patrol", prog_name="patrol")
def patrol() -> None:
    """Policy violations as SQL, handled by people in Slack.

    Run it in the folder that holds policies/ and sql/, or say --project DIR.

    \b
    See it work:      patrol demo
    Write a policy:   patrol new        makes its files, with cases that pass
                      patrol schema     lets your editor complete and check the YAML
                      patrol check      names every mistake with its place
                      patrol test       runs the policies' own cases
                      patrol case       makes a case of real rows, or of an alert
                      patrol run NAME   shows the rows, posts nothing
                      patrol preview NAME  shows its card
                      patrol next NAME  says when it will run
    Look back:        patrol backtest   says what it would have alerted
                      patrol diff       compares two versions by their alerts
                      patrol score      says how often it is right
    Put it to work:   patrol db upgrade, patrol doctor, then patrol serve
                      patrol bundles    shows and pulls other teams' policies
    Miss nothing:     patrol gaps       shows what no policy has looked at
                      patrol backfill   looks at it, and pages nobody
    See the whole:    patrol graph      shows what hangs on what, also as a picture
    Answer for it:    patrol audit      proves who did what, and writes it out
                      patrol erase      forgets what is kept of a person or a thing
    """


def in_project(command: Command) -> Command:
    """Gives a command its `--project`."""
    option = click.option(
        "--project",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=Path(),
        help="The folder that holds policies/ and sql/ (default: this one).",
    )
    return option(command)


def holding_policies(project: Path) -> Path:
    """The same folder, if it holds what Patrol works on."""
    if not (project / "policies").is_dir():
        raise click.UsageError(
            f"There is no policies/ in {project.resolve()}. Go to the folder that holds it, or say --project "
            "DIR; one of your own begins with policies/_teams.yml and policies/_assets.yml (docs/project.md)."
        )
    return project


def settings_of(project: Path, **overrides: str | None) -> Any:
    """The project's settings from the environment and patrol.yml; what the command line says wins."""
    from bot.process.settings import load

    given = {name: value for name, value in overrides.items() if value is not None}
    return load(project, {**os.environ, **given})
