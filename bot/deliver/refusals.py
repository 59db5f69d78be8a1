"""What Slack's words of refusal mean for us: which message, channel or whole workspace, and what to do."""

from __future__ import annotations

# The message can no longer be edited or replied to: it is posted anew.
GONE = frozenset(
    {
        "message_not_found",
        "thread_not_found",
        "cant_update_message",
        "edit_window_closed",
        "cannot_reply_to_message",
        "restricted_action_thread_locked",
    }
)
STILL_STANDS = frozenset({"cant_update_message", "edit_window_closed"})  # of these, the old one is there
# Nothing of ours can be posted in the channel: it goes to the team's, or to the one who answers for Patrol.
ELSEWHERE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "messages_tab_disabled",
    }
)
FROZEN = "is_inactive"  # of an edit: its channel is archived
SEEN_FROM_OUTSIDE = frozenset({"channel_not_found", "is_archived", "not_in_channel"})
# What was to be shown is too much, or of a kind that the workspace does not know.
PLAINER = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "too_many_attachments"}
)
# Nothing of ours can be done at all, with whatever message: to try each one would be hammering.
WHOLE = frozenset(
    {
        "token_revoked",
        "token_expired",
        "account_inactive",
        "invalid_auth",
        "not_authed",
        "not_allowed_token_type",
        "missing_scope",
        "no_permission",
        "access_denied",
        "accesslimited",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "org_login_required",
        "team_access_not_granted",
        "team_not_found",
        "two_factor_setup_required",
    }
)
# Of these, what Slack says of posting and not of a ping: only a message shows that it is over.
OF_METHODS = frozenset(
    {"missing_scope", "no_permission", "access_denied", "ekm_access_denied", "enterprise_is_restricted"}
)
# Where Slack does not let us look, nothing can be found: then it is sent again, rather than never.
UNSEEN = GONE | ELSEWHERE | {"missing_scope"}

NEW_TOKEN = "install the app again, and start Patrol with the new token"
ITS_TOKEN = "start Patrol with the Bot User OAuth Token (xoxb-…) of this workspace's app"
OF_TOKEN = {
    "token_revoked": NEW_TOKEN,
    "token_expired": NEW_TOKEN,
    "invalid_auth": ITS_TOKEN,
    "not_authed": ITS_TOKEN,
    "not_allowed_token_type": "start Patrol with the Bot User OAuth Token (xoxb-…), no other kind of token",
    "account_inactive": "install the app again: its bot was removed, or the workspace was closed",
    "missing_scope": "paste manifest.yaml again and reinstall the app",
    "no_permission": "paste manifest.yaml again and reinstall the app",
    "team_access_not_granted": "let an admin of the organization add the app to this workspace",
    "team_not_found": "install the app again in the workspace that is meant",
    "accesslimited": "let an admin allow this network to use Slack's API",
}
OF_CHANNEL = {
    "is_archived": "unarchive it, or name another channel in policies/_teams.yml",
    "not_in_channel": "write `/invite @patrol` there",
    "channel_not_found": "write `/invite @patrol` there if it is private, else correct policies/_teams.yml",
}


def of_place(code: str) -> str:
    """The word for what is wrong with a channel, whether it was of a post or of an edit."""
    return "is_archived" if code == FROZEN else code


def of_token(code: str) -> str:
    """A refusal of everything, in words, with what to do."""
    do = OF_TOKEN.get(code, "ask an admin of the workspace to let Patrol post again")
    return f"Slack refuses SLACK_BOT_TOKEN: {code}; {do}."


def of_channel(code: str) -> str:
    """What to do about a channel that takes no posts."""
    return OF_CHANNEL.get(code, "let an admin allow @patrol to post there, or name another channel")
