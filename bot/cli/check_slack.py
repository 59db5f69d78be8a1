"""`patrol check --slack`: whether the channels of sensitive policies are private, which only Slack knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bot.process.errors import OutcomeUnknown, PatrolError, SlackBusy, SlackRefused

if TYPE_CHECKING:
    from bot.slack.client import SlackClient
    from sensors.catalog import Loaded
    from sensors.model.catalog import Problem


def of_slack(catalog: Loaded, settings: Any) -> Iterator[Problem]:
    """A mistake for each sensitive policy whose alerts others could read; PatrolError where Slack is away."""
    from bot.core.route import channel_in, lane_of
    from bot.slack.client import SlackClient

    if not settings.slack_bot_token:
        raise PatrolError(
            "SLACK_BOT_TOKEN is not set, so Slack cannot be asked: set it, or leave --slack out."
        )
    slack = SlackClient(settings.slack_bot_token or "", settings.slack_url)
    for policy in catalog.policies.values():
        document = catalog.documents.get(policy.path)
        if not (policy.sensitive and policy.runs and document):
            continue
        channel = channel_in(lane_of(policy), policy, catalog.teams.get(policy.owner))
        if said := _wrong(slack, channel):
            yield document.problem(("sensitive",), said)


def _wrong(slack: SlackClient, channel: str) -> str:
    """What is wrong with the channel for a sensitive policy, in words."""
    from bot.deliver.privacy import open_to_others
    from bot.deliver.refusals import WHOLE, of_token

    if not channel:
        return ""
    try:
        found = slack.channel(channel)
    except SlackRefused as refused:
        if refused.code in WHOLE:
            raise PatrolError(of_token(refused.code)) from None
        return f"its alerts would go to {channel}, of which Slack says {refused.code}: invite Patrol there"
    except (SlackBusy, OutcomeUnknown) as away:
        raise PatrolError(f"Slack cannot be asked: {away}.") from None
    why = open_to_others(found)
    return f"its alerts would go to #{found.name}, and {why}: make that channel private" if why else ""
