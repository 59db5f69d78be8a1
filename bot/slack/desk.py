"""What the listeners hand in: the protocol that the app gives them. They decide nothing themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.core.action import PersonAction, Resolve
from bot.core.alert import Alert
from bot.core.change import Refused
from bot.core.reply import AskReply, Person, Reply, Revealed, Said, ShowReply, StatusReply, WhyReply
from sensors.model.job import Job


class Desk(Protocol):
    """Thread-safe and short. Whatever returns a Said has recorded it (or says in it why not)."""

    def act(
        self, person: Person, alert_id: int, action: PersonAction, work_seq: int | None, /
    ) -> Said | Refused:
        """Records the act. `work_seq` is what the button showed: a stale one is answered with who has it."""

    def ask_snooze(
        self, person: Person, name: str, until: datetime, why: str, /
    ) -> AskReply | Said | Refused:
        """The preview of a snooze of an entity or policy; nothing is done yet."""

    def confirm(self, person: Person, ask: int, /) -> Said | Refused:
        """Does what the person was shown and asked about."""

    def command(self, person: Person, text: str, /) -> Reply | Refused:
        """A whole slash command (without `/patrol`) or the text of a mention."""

    def show(self, person: Person, alert_id: int, /) -> ShowReply | Refused | None:
        """All of an alert, with its policy's alerts by day; Refused where the person may not look at it, None
        where there is none."""

    def show_rows(self, person: Person, alert_id: int, /) -> ShowReply | Refused | None:
        """The same with all rows that are kept."""

    def why_alert(self, person: Person, alert_id: int, /) -> WhyReply | Refused | None:
        """Why the alert is as it is."""

    def status(self, person: Person, /) -> StatusReply: ...

    def alerts(self, person: Person, ids: Sequence[int], /) -> list[Alert]:
        """Those of them that there are and that the person may see."""

    def resolve_several(self, person: Person, ids: Sequence[int], action: Resolve, /) -> Said | Refused:
        """One verdict for several alerts."""

    def start_form(
        self, person: Person, alert_id: int, job: str, /
    ) -> tuple[Job, Mapping[str, Any]] | Refused | None:
        """The job with its parameters filled in from the alert's newest row."""

    def plan_job(
        self, person: Person, alert_id: int, job: str, params: Mapping[str, Any], /
    ) -> tuple[Job, str] | Refused | None:
        """What it would send with these values, or what is wrong with them; nothing is sent."""

    def start_job(
        self, person: Person, alert_id: int | None, job: str, params: Mapping[str, Any], /
    ) -> Said | Refused: ...

    def reveal(self, person: Person, alert_id: int, why: str, /) -> Refused | None:
        """Records that the person wants to see masked values, and why; or says why he may not."""

    def revealed(self, person: Person, alert_id: int, /) -> Revealed:
        """Those values; takes as long as a query."""

    def decide(self, person: Person, approval: int, yes: bool, seen: str, /) -> Said | Refused:
        """What a second person says to a job that waits. `seen` is what his button showed."""

    def steer(self, person: Person, backfill: int, does: str, /) -> Said | Refused:
        """A backfill is to `stop`, or to `go on`."""

    def accept(self, person: Person, handoff: int, /) -> Said | Refused:
        """The handoff of a shift is taken on."""

    def names(self) -> Mapping[str, str]:
        """People's names by their Slack ids, for places where Slack shows no mention."""

    def met(self, slack: str, zone: str, /) -> None:
        """What Slack says of somebody who is answered: in which time zone he is."""

    def alert_at(self, channel: str, ts: str, /) -> int | None:
        """The alert whose card (or whose thread) this is."""
