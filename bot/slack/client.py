"""The Web API as we use it: one attempt a call, typed errors, deliveries that can be found again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.process.errors import OutcomeUnknown, SlackRefused
from bot.slack.blocks import Face
from bot.slack.meaning import judge
from bot.slack.scopes import METHODS

DELIVERY = "patrol_delivery"
SLACK = "https://slack.com/api/"
PAGE = 200
ALT_MOST = 1_000  # characters of what a picture shows
# No answer, or one that cannot be read: the request may have been done.
NO_ANSWER = (OSError, HTTPException, SlackClientError, ValueError)
SHARED = ("is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared")
Json = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """A message of ours that carries a delivery, and the face_seq that it shows."""

    ts: str
    seq: int


@dataclass(frozen=True)
class Opened:
    """A view as it now stands: what changes it names its id and, where it must not have changed, its hash."""

    id: str
    hash: str


@dataclass(frozen=True)
class Identity:
    """Who we are at Slack, and what we may do there (empty where Slack does not say)."""

    team_id: str
    bot_user: str
    scopes: frozenset[str]
    url: str = ""  # of the workspace, with a slash at its end

    def address(self, channel: str, ts: str) -> str:
        """Where a message stands, as Slack writes it; "" where the workspace is not known."""
        return f"{self.url}archives/{channel}/p{ts.replace('.', '')}" if self.url else ""


@dataclass(frozen=True)
class User:
    """What decides whether somebody is answered."""

    id: str
    name: str
    is_bot: bool = False
    is_guest: bool = False
    deleted: bool = False
    team_id: str = ""
    zone: str = ""  # as the person has set it: "Europe/Berlin"


@dataclass(frozen=True)
class Channel:
    """What decides whether we can post there."""

    name: str
    is_archived: bool
    is_member: bool
    is_private: bool = False
    is_shared: bool = False  # with another workspace, or about to be


def api_address(base_url: str | None) -> str:
    """The address with the slash that joining needs; a bare host gets Slack's own path."""
    if not base_url:
        return SLACK
    whole = base_url if base_url.endswith("/") else base_url + "/"
    return whole + "api/" if urlsplit(whole).path == "/" else whole


class SlackClient:
    """Thread-safe. Raises SlackRefused, SlackBusy or OutcomeUnknown, and never tries twice by itself."""

    def __init__(self, token: str, base_url: str | None = None, timeout_s: float = 10.0) -> None:
        self.timeout_s = timeout_s
        self.web = WebClient(
            token=token,
            base_url=api_address(base_url),
            timeout=max(1, round(timeout_s)),
            retry_handlers=[],
            logger=_quiet("bot.slack.web"),
        )
        self._me: Identity | None = None
        self._lock = threading.Lock()

    # -- messages ------------------------------------------------------------------------------------------

    def post(
        self,
        channel: str,
        face: Face,
        delivery: str,
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
        seq: int = 0,
    ) -> str:
        """Posts once and returns the ts. After OutcomeUnknown: `find` it, do not post again."""
        args = posting(channel, face, delivery, seq)
        if thread_ts:
            args |= {"thread_ts": thread_ts} | ({"reply_broadcast": True} if broadcast else {})
        return str(self._call("chat.postMessage", args)["ts"])

    def update(self, channel: str, ts: str, face: Face, delivery: str, seq: int) -> None:
        self._call("chat.update", _message(channel, face, delivery, seq) | {"ts": ts})

    def delete(self, channel: str, ts: str) -> None:
        """Gone afterwards, whether it was there or not."""
        try:
            self._call("chat.delete", {"channel": channel, "ts": ts})
        except SlackRefused as refused:
            if refused.code != "message_not_found":
                raise

    def find(
        self, channel: str, delivery: str, *, oldest: datetime, thread_ts: str | None = None
    ) -> list[Found]:
        """Every message since `oldest` that carries this delivery, oldest first; reads to the last page."""
        method = "conversations.replies" if thread_ts else "conversations.history"
        args: Json = {"channel": channel, "include_all_metadata": True, "inclusive": True, "limit": PAGE}
        args |= {"oldest": f"{oldest.timestamp():.6f}"} | ({"ts": thread_ts} if thread_ts else {})
        carried = [_found(message, delivery) for message in self._pages(method, args)]
        by_ts = {one.ts: one for one in carried if one}
        return sorted(by_ts.values(), key=lambda one: (len(one.ts), one.ts))

    # -- files ---------------------------------------------------------------------------------------------

    def upload(self, name: str, content: bytes, words: str = "") -> str:
        """The id of the file, which nobody sees until it is shared; `words` say what a picture shows.
        Whatever fails here may be done again."""
        args: Json = {"filename": name, "length": len(content)} | (
            {"alt_txt": words[:ALT_MOST]} if words else {}
        )
        place = self._call("files.getUploadURLExternal", args)
        try:
            answer = self.web._upload_file(
                url=str(place["upload_url"]),
                data=content,
                logger=_quiet("bot.slack.upload"),
                timeout=max(1, round(self.timeout_s)),
                proxy=self.web.proxy,
                ssl=self.web.ssl,
            )
        except HTTPError as error:
            judge("upload", error.code, dict(error.headers.items()), {})
            raise SlackRefused(f"upload_{error.code}", "upload") from error
        except NO_ANSWER as error:
            raise OutcomeUnknown(f"upload: {_words(error)}") from error
        if answer.status != 200:
            raise OutcomeUnknown(f"upload: Slack answered {answer.status}")
        return str(place["file_id"])

    def share(
        self, file_id: str, title: str, channel: str, thread_ts: str | None, comment: str
    ) -> str | None:
        """Shows an uploaded file once; its ts where Slack tells it. After OutcomeUnknown: ask `shown_at`."""
        args: Json = {"files": [{"id": file_id, "title": title}], "channel_id": channel}
        args |= {"initial_comment": comment} | ({"thread_ts": thread_ts} if thread_ts else {})
        answer = self._call("files.completeUploadExternal", args)
        return next(iter(_places(next(iter(answer.get("files") or ()), {}), channel)), None)

    def keep(self, file_id: str, title: str) -> None:
        """The uploaded file is there to be used in blocks, in no channel by itself. May be done again."""
        self._call("files.completeUploadExternal", {"files": [{"id": file_id, "title": title}]})

    def is_ready(self, file_id: str) -> bool:
        """Whether Slack has looked at the file: before, it refuses blocks that show it."""
        return bool((self._call("files.info", {"file": file_id}).get("file") or {}).get("mimetype"))

    def forget(self, file_id: str) -> None:
        """Deletes the file, wherever it is shown. SlackRefused `file_not_found` where it is not there."""
        self._call("files.delete", {"file": file_id})

    def shown_at(self, file_id: str, channel: str) -> list[str]:
        """The ts of each message by which the file is shown there, oldest first."""
        return _places(self._call("files.info", {"file": file_id}).get("file") or {}, channel)

    # -- answers to one person -----------------------------------------------------------------------------

    def ephemeral(self, channel: str, user: str, face: Face, thread_ts: str | None = None) -> None:
        args = _shown(face) | {"channel": channel, "user": user}
        self._call("chat.postEphemeral", args | ({"thread_ts": thread_ts} if thread_ts else {}))

    def respond(
        self, response_url: str, face: Face, replace: bool = False, thread_ts: str | None = None
    ) -> None:
        """Answers a click or a command where it was made; `replace` puts it in the place of that."""
        body: Json = {"text": face.text, "response_type": "ephemeral", "replace_original": replace}
        body |= {"blocks": face.blocks} if face.blocks else {}
        body |= {"thread_ts": thread_ts} if thread_ts else {}
        hook = WebhookClient(
            response_url,
            timeout=max(1, round(self.timeout_s)),
            retry_handlers=[],
            logger=_quiet("bot.slack.webhook"),
        )
        try:
            answer = hook.send_dict(body)
        except NO_ANSWER as error:
            raise OutcomeUnknown(f"response_url: {_words(error)}") from error
        judge("response_url", answer.status_code, answer.headers, answer.body.strip())

    # -- views ---------------------------------------------------------------------------------------------

    def open_view(self, trigger_id: str, view: Json) -> Opened:
        """Shows a modal. The trigger is good for three seconds, once."""
        return _opened(self._call("views.open", {"trigger_id": trigger_id, "view": view}))

    def push_view(self, trigger_id: str, view: Json) -> Opened:
        return _opened(self._call("views.push", {"trigger_id": trigger_id, "view": view}))

    def update_view(self, view_id: str, view: Json, hash: str | None = None) -> Opened:
        """With a hash only if the modal is still as it was then; else SlackRefused `hash_conflict`."""
        args: Json = {"view_id": view_id, "view": view} | ({"hash": hash} if hash else {})
        return _opened(self._call("views.update", args))

    def fill_view(self, external_id: str, view: Json) -> None:
        """Updates a modal by the name that an ack gave it; SlackRefused `not_found` until Slack has it."""
        self._call("views.update", {"external_id": external_id, "view": view})

    def publish_home(self, user: str, view: Json) -> None:
        self._call("views.publish", {"user_id": user, "view": view})

    # -- who -----------------------------------------------------------------------------------------------

    def who_am_i(self) -> Identity:
        """Asked once; what `patrol serve` checks at its start."""
        with self._lock:
            known = self._me
        if known:
            return known
        answer = self._response("auth.test", {})
        scopes = next((v for k, v in answer.headers.items() if k.lower() == "x-oauth-scopes"), "")
        listed = frozenset(part.strip() for part in str(scopes).split(",") if part.strip())
        me = Identity(str(answer["team_id"]), str(answer["user_id"]), listed, _url(answer.get("url")))
        with self._lock:
            self._me = me
        return me

    def ping(self) -> None:
        """Raises where Slack does not answer, or refuses our token."""
        self._response("auth.test", {})

    def address(self, channel: str, ts: str) -> str:
        """Where a message stands, without asking Slack: "" until it has said who we are."""
        with self._lock:
            return self._me.address(channel, ts) if self._me else ""

    def user(self, user_id: str) -> User:
        found = self._call("users.info", {"user": user_id})["user"]
        profile = found.get("profile") or {}
        name = profile.get("display_name") or found.get("real_name") or found.get("name") or user_id
        return User(
            id=user_id,
            name=str(name),
            is_bot=bool(found.get("is_bot") or found.get("is_app_user")),
            is_guest=bool(found.get("is_restricted") or found.get("is_ultra_restricted")),
            deleted=bool(found.get("deleted")),
            team_id=str(found.get("team_id") or ""),
            zone=str(found.get("tz") or ""),
        )

    def direct(self, user_id: str) -> str:
        """The channel of direct messages with this person."""
        answer = self._call("conversations.open", {"users": user_id})
        return str((answer.get("channel") or {}).get("id") or "")

    def quiet_until(self, user_id: str, now: datetime) -> datetime | None:
        """When the person's do-not-disturb that holds now will end; None where none does."""
        told = self._call("dnd.info", {"user": user_id})
        spans = [
            (told.get("dnd_enabled"), told.get("next_dnd_start_ts"), told.get("next_dnd_end_ts")),
            (told.get("snooze_enabled"), 0, told.get("snooze_endtime")),
        ]
        ends = [float(end) for on, start, end in spans if on and float(start or 0) <= now.timestamp() and end]
        last = max(ends, default=0.0)
        return datetime.fromtimestamp(last, UTC) if last > now.timestamp() else None

    def group(self, group_id: str) -> tuple[str, ...]:
        """The ids of the people in a user group."""
        answer = self._call("usergroups.users.list", {"usergroup": group_id})
        return tuple(str(user) for user in answer.get("users") or ())

    def channel(self, channel_id: str) -> Channel:
        found = self._call("conversations.info", {"channel": channel_id})["channel"]
        return Channel(
            name=str(found.get("name") or channel_id),
            is_archived=bool(found.get("is_archived")),
            is_member=bool(found.get("is_member", True)),
            is_private=bool(found.get("is_private")),
            is_shared=any(found.get(name) for name in SHARED),
        )

    # -- the one door --------------------------------------------------------------------------------------

    def _pages(self, method: str, args: Json) -> Iterator[Mapping[str, Any]]:
        cursor = ""
        while True:
            answer = self._call(method, args | ({"cursor": cursor} if cursor else {}))
            yield from answer.get("messages") or ()
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return

    def _call(self, method: str, args: Json) -> Json:
        data = self._response(method, args).data
        return data if isinstance(data, dict) else {}

    def _response(self, method: str, args: Json) -> Any:
        """Refuses what is not in the table of methods, so that the manifest's scopes stay the whole truth."""
        how = METHODS[method]
        try:
            return (
                self.web.api_call(method, json=args) if how.json else self.web.api_call(method, params=args)
            )
        except SlackApiError as error:
            response = error.response
            body = response.data if isinstance(response.data, dict) else {}
            judge(method, response.status_code, response.headers, body)
            raise OutcomeUnknown(f"{method}: {_words(error)}") from error
        except NO_ANSWER as error:
            raise OutcomeUnknown(f"{method}: {_words(error)}") from error


def _opened(answer: Json) -> Opened:
    view = answer.get("view") or {}
    return Opened(str(view.get("id") or ""), str(view.get("hash") or ""))


def _places(file: Mapping[str, Any], channel: str) -> list[str]:
    places = file.get("shares") or {}
    shares = [one for kind in ("public", "private") for one in (places.get(kind) or {}).get(channel) or ()]
    return sorted({str(one["ts"]) for one in shares}, key=lambda ts: (len(ts), ts))


def _url(said: object) -> str:
    url = str(said or "")
    return url if not url or url.endswith("/") else f"{url}/"


def posting(channel: str, face: Face, delivery: str, seq: int = 0) -> Json:
    """What chat.postMessage is called with for this message."""
    return _message(channel, face, delivery, seq) | {"unfurl_links": False, "unfurl_media": False}


def _message(channel: str, face: Face, delivery: str, seq: int) -> Json:
    metadata = {"event_type": DELIVERY, "event_payload": {"delivery_id": delivery, "seq": seq}}
    return _shown(face) | {"channel": channel, "metadata": metadata}


def _shown(face: Face) -> Json:
    """`parse` and `link_names`: Slack turns nothing in the text into a link or a mention by itself."""
    return {"text": face.text, "blocks": face.blocks, "parse": "none", "link_names": False}


def _found(message: Mapping[str, Any], delivery: str) -> Found | None:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != DELIVERY or payload.get("delivery_id") != delivery:
        return None
    seq = payload.get("seq")
    return Found(str(message["ts"]), seq if isinstance(seq, int) else int(str(seq or 0)))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def _quiet(name: str) -> logging.Logger:
    """The SDK logs each failure as an error though we raise it: kept out of the log."""
    quiet = logging.getLogger(name)
    quiet.setLevel(logging.CRITICAL)
    return quiet
