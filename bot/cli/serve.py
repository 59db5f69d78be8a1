"""The verbs that run servers, and the schema: serve, sandbox, db."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bot.cli.group import PORT, holding_policies, in_project, settings_of


@click.command()
@in_project
@click.option("--port", type=PORT, help="Of /healthz, /readyz, /metrics and, over HTTP, /slack/events.")
def serve(project: Path, port: int | None) -> None:
    """Watch the warehouse and talk to Slack, until Ctrl-C.

    \b
    Needs  SLACK_BOT_TOKEN and SLACK_APP_TOKEN   (or …_FILE), from the app that manifest.yaml makes
           PATROL_WAREHOUSE_URL                  or warehouse_url in patrol.yml
    Takes  PATROL_STORE_URL                      SQLite in .patrol/ unless said otherwise
           PATROL_SLACK_URL                      another address of Slack's API, such as the sandbox's
           PATROL_SLACK_MODE=http                Slack posts to /slack/events, instead of Socket Mode:
                                                 needs SLACK_SIGNING_SECRET, and no SLACK_APP_TOKEN

    The schema of the store is brought up to date at the start. Ends cleanly on SIGINT and SIGTERM; goes on
    where it was at the next start.
    """
    holding_policies(project)
    from bot.process.frugal import few_arenas
    from sensors.apart import Apart

    few_arenas()
    reader = Apart()
    reader.begin(project)  # it gets ready while all else is imported
    settings = settings_of(project, PATROL_PORT=str(port) if port is not None else None)
    from bot.app import serve as run

    run(settings, reader)


@click.command()
@click.option("--port", type=PORT, default=8765, show_default=True, help="On 127.0.0.1; 0 takes a free one.")
@click.option("--channel", "channels", multiple=True, help="A channel to have (again for more).")
@click.option("--user", "users", multiple=True, help="A person to have (again for more).")
@click.option("--state", type=click.Path(path_type=Path), help="A folder to keep messages in.")
@click.option(
    "--manifest", type=click.Path(exists=True, path_type=Path), help="Grant this app's scopes only."
)
@click.option("--request-url", help="Post there, signed, instead of Socket Mode.")
@click.option("--quiet", is_flag=True, help="Say only the address.")
def sandbox(
    port: int,
    channels: tuple[str, ...],
    users: tuple[str, ...],
    state: Path | None,
    manifest: Path | None,
    request_url: str | None,
    quiet: bool,
) -> None:
    """A Slack of your own in the browser, on this machine only.

    \b
    Then, in another terminal:
      export PATROL_SLACK_URL=http://127.0.0.1:8765/api/
      export SLACK_BOT_TOKEN=xoxb-sandbox SLACK_APP_TOKEN=xapp-sandbox
      patrol serve

    With --request-url http://127.0.0.1:8080/slack/events Patrol runs with PATROL_SLACK_MODE=http and
    SLACK_SIGNING_SECRET=sandbox-signing-secret instead of an app token.

    A channel named spam-review has the id C0SPAMREVIEW, a person named ana the id U0ANA: these go into
    policies/_teams.yml. What scripts can do with it stands in bot/sandbox/README.md.
    """
    from bot.sandbox.seed import CHANNELS, PEOPLE
    from bot.sandbox.server import run

    seed = (channels or CHANNELS, users or PEOPLE)
    sys.exit(run(port, *seed, state=state, manifest=manifest, quiet=quiet, request_url=request_url))


@click.group()
def db() -> None:
    """The store's schema."""


@db.command()
@in_project
def upgrade(project: Path) -> None:
    """Bring the store's schema to the newest version. Safe to run again, and before every start."""
    from bot.store import Store

    settings = settings_of(project)
    store = Store(settings.store_url)
    try:
        click.echo(store.upgrade())
    finally:
        store.close()
