"""The figures of this process for Prometheus. Labels are words of the code: never a policy, key or person."""

from __future__ import annotations

import re
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from sensors.model.policy import Severity
from sensors.model.run import Looked, RunStatus

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900)
ACKS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3)  # Slack gives up at 3 s
ENDS = (RunStatus.succeeded, RunStatus.failed, RunStatus.timed_out, RunStatus.skipped)
OUTCOMES = {"SlackBusy": "busy", "SlackRefused": "refused", "OutcomeUnknown": "unknown"}
MOST_WORDS = 60  # of one label; a caller that passes more is passing data


class Metrics:
    """One registry, so that a test may have its own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._words: dict[str, set[str]] = {}
        self._runs = Counter("patrol_runs", "Runs that ended", ["status"], registry=registry)
        self._run_seconds = Histogram(
            "patrol_run_seconds", "Time a look at the warehouse took", buckets=SECONDS, registry=registry
        )
        self._row_to_post = Histogram(
            "patrol_row_to_post_seconds",
            "From an alert's newest row to its post",
            buckets=SECONDS,
            registry=registry,
        )
        self._sent = Counter("patrol_posts", "Requests to Slack", ["what", "outcome"], registry=registry)
        self._acts = Counter("patrol_acts", "Acts of people", ["kind", "changed"], registry=registry)
        self._acks = Histogram(
            "patrol_ack_seconds", "From a click to its ack", buckets=ACKS, registry=registry
        )
        self._open = Gauge("patrol_open_alerts", "Unresolved alerts", ["severity"], registry=registry)
        self._behind = Gauge(
            "patrol_due_behind_seconds", "How long the oldest due thing has waited", registry=registry
        )
        self._away = Gauge(
            "patrol_warehouse_away", "1 while the warehouse is away and no policy looks", registry=registry
        )
        self._flaws = Gauge(
            "patrol_audit_findings", "Open alerts that may be forgotten", ["flaw"], registry=registry
        )
        self._mended = Counter(
            "patrol_audit_mended", "Due times that the auditor put right", registry=registry
        )
        self._waiting = Gauge(
            "patrol_posts_waiting", "Cards and replies that are still to be posted", registry=registry
        )
        self._parked = Gauge("patrol_posts_parked", "Replies that Slack refuses for good", registry=registry)
        for status in ENDS:
            self._runs.labels(status.value)  # a series that begins at 0 shows its first increase

    def looked(self, looked: Looked) -> None:
        self.run_ended(looked.status, looked.elapsed_s)

    def run_ended(self, status: RunStatus, seconds: float = 0.0) -> None:
        self._runs.labels(status.value).inc()
        self._run_seconds.observe(max(0.0, seconds))

    def sent(self, what: str, outcome: str) -> None:
        """`what` is post or update; `outcome` is ok, unknown, or the name of the error."""
        self._sent.labels(
            self._word("what", what), self._word("outcome", OUTCOMES.get(outcome, outcome))
        ).inc()

    def row_to_post(self, seconds: float) -> None:
        self._row_to_post.observe(max(0.0, seconds))

    def acted(self, kind: str, changed: bool) -> None:
        """`kind` is the action's name or the command's verb."""
        self._acts.labels(self._word("kind", kind), str(changed).lower()).inc()

    def acked(self, seconds: float) -> None:
        self._acks.observe(max(0.0, seconds))

    def open_alerts(self, by_severity: Mapping[Severity, int]) -> None:
        """All of them at once: a severity that is not given has none."""
        for severity in Severity:
            self._open.labels(severity.name).set(by_severity.get(severity, 0))

    def due_behind(self, seconds: float) -> None:
        self._behind.set(max(0.0, seconds))

    def warehouse_away(self, away: bool) -> None:
        self._away.set(away)

    def audited(self, by_flaw: Mapping[str, int]) -> None:
        """All of them at once: a flaw that is not given was not found."""
        known = self._words.setdefault("flaw", set())
        for flaw in known | set(by_flaw):
            self._flaws.labels(self._word("flaw", flaw)).set(by_flaw.get(flaw, 0))

    def audit_mended(self) -> None:
        self._mended.inc()

    def waiting(self, posts: int) -> None:
        self._waiting.set(posts)

    def parked(self, posts: int) -> None:
        self._parked.set(posts)

    def _word(self, label: str, word: str) -> str:
        """The word, or `other` where it does not look like one of ours or there are too many already."""
        words = self._words.setdefault(label, set())
        if word not in words and (len(words) >= MOST_WORDS or not re.fullmatch(r"/?[A-Za-z_]{1,30}", word)):
            return "other"
        words.add(word)
        return word


METRICS = Metrics()  # of this process
