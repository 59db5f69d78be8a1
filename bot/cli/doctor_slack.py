"""`patrol doctor`, of Slack: the token, what the app may do, and the channels that cards go to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bot.process.errors import OutcomeUnknown, SettingsError, SlackBusy, SlackRefused
from sensors.told import Told

if TYPE_CHECKING:
    from bot.slack.client import SlackClient
    from sensors.model.catalog import Catalog


def of_slack(catalog: Catalog, settings: Any) -> Iterator[Told]:
    from bot.deliver.refusals import of_token
    from bot.process.settings import require_slack
    from bot.slack.client import SlackClient

    try:
        require_slack(settings)
    except SettingsError as error:
        yield Told(" ".join(str(error).split()), False, "docs/operators.md says where each stands")
        return
    slack = SlackClient(settings.slack_bot_token, settings.slack_url)
    try:
        yield from _app(slack)
        yield from _line(settings)
        for channel, sensitive in _channels(catalog).items():
            yield _channel(slack, channel, sensitive)
    except SlackRefused as refused:
        yield Told(of_token(refused.code), False)
    except (SlackBusy, OutcomeUnknown) as away:
        yield Told(f"it does not answer: {away}", False, "mend the way there, or wait")


def _app(slack: SlackClient) -> Iterator[Told]:
    from bot.slack.scopes import SCOPES

    me = slack.who_am_i()
    yield Told(f"it lets us in as {me.bot_user} of {me.team_id}", True)
    if not me.scopes:
        yield Told("it does not say what the app may do", None)
    elif missing := sorted(SCOPES - me.scopes):
        do = "paste manifest.yaml again and reinstall the app"
        yield Told(f"the app lacks {', '.join(missing)}", False, do)
    else:
        yield Told("the app may do all that manifest.yaml asks for", True)


def _line(settings: Any) -> Iterator[Told]:
    """How what people do reaches Patrol."""
    from bot.slack.socket import refusal

    if settings.slack_mode == "http":
        yield Told("whether it reaches Patrol, only Slack can say (Event Subscriptions)", None)
    elif why := refusal(settings.slack_app_token, settings.slack_url):
        yield Told(f"Socket Mode: {why}", False)
    else:
        yield Told("Socket Mode: it gives us a connection", True)


def _channels(catalog: Catalog) -> Mapping[str, bool]:
    """Every channel that cards may go to, and whether sensitive ones may."""
    from bot.core.route import channel_in, lane_of

    found: dict[str, bool] = {}
    for team in catalog.teams.values():
        for channel in (team.channel, team.review_channel):
            found.setdefault(channel, False)
    for policy in catalog.policies.values():
        if policy.runs:
            channel = channel_in(lane_of(policy), policy, catalog.teams.get(policy.owner))
            found[channel] = found.get(channel, False) or policy.sensitive
    found.pop("", None)
    return found


def _channel(slack: SlackClient, channel: str, sensitive: bool) -> Told:
    from bot.deliver.privacy import open_to_others
    from bot.deliver.refusals import ELSEWHERE, of_channel

    try:
        found = slack.channel(channel)
    except SlackRefused as refused:
        if refused.code not in ELSEWHERE:
            raise
        return Told(f"{channel} takes no posts: {refused.code}", False, of_channel(refused.code))
    code = "is_archived" if found.is_archived else "" if found.is_member else "not_in_channel"
    if code:
        return Told(f"#{found.name} takes no posts: {code}", False, of_channel(code))
    if sensitive and (why := open_to_others(found)):
        return Told(
            f"#{found.name} gets sensitive alerts, and {why}", False, "make it private, or name another"
        )
    return Told(f"#{found.name} takes posts", True)
