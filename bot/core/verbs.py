"""The verbs of `/patrol`: one table that parses and that `help` is made from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """A verb: how it is written, what it does, and which words it takes (`takes`, in order)."""

    name: str
    usage: str
    about: str
    takes: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    more: str = ""  # said only where the verb is asked for


VERBS = (
    Verb(
        "status",
        "status [payments | payments.x | core.orders]",
        "the whole, or a team, a policy, a table: what ran, what is late, who is on call",
        ("maybe_name",),
    ),
    Verb(
        "list",
        "list [mine|unowned|late|snoozed] [policy:x] [team:x] [severity:high]",
        "open alerts, worst first",
        ("filters",),
    ),
    Verb(
        "show",
        "show 142 | seller:s_1 | payments.x | core.orders | model:risk | job:rescore_seller",
        "all of an alert, of somebody, of a policy, of a table or a model, of a job",
        ("target",),
    ),
    Verb(
        "why",
        "why 142 | seller:s_1 [policy:payments.x]",
        "why it is there, or is not: rows, threshold, last look, snooze, who was told, what Slack shows",
        ("about", "filters"),
        ("why 142", "why seller:s_1"),
    ),
    Verb("policy", "policy payments.x", "a policy: its runs, its next run, how right it was", ("name",)),
    Verb(
        "job",
        "job rescore_seller",
        "a job: what it does, its runs and who started them, its schedule",
        ("name",),
    ),
    Verb(
        "graph",
        "graph [payments.x | core.orders | job:rescore_seller]",
        "what it comes from and what it leads to: policies, tables, jobs; as a picture, too",
        ("maybe_name",),
        ("graph payments.x", "graph"),
    ),
    Verb(
        "digest",
        "digest [team]",
        "what is open, what fired, how right that was",
        ("filters",),
    ),
    Verb("ack", "ack [142 143]", "it is yours; escalation stops until the deadline", ("alerts",)),
    Verb("unack", "unack 142", "hand it back to whoever is on call", ("alerts",)),
    Verb("take", "take 142", "take it over from whoever has it", ("alerts",)),
    Verb("assign", "assign 142 @bo", "give it to somebody", ("alerts", "person")),
    Verb(
        "snooze",
        "snooze 142 2h reason… | seller:s_1 3d reason… | payments.x 12h reason…",
        "quiet until then, unless it gets worse: an alert for 24 h at most, an entity 14 d, a policy 72 h",
        ("about", "span", "words"),
        (
            "snooze 142 30m",
            "snooze 142 until:18:00 waiting for the bank",
            "snooze seller:s_1 3d known to care, they are on it",
        ),
    ),
    Verb("wake", "wake 142 | seller:s_1 | payments.x", "end a snooze", ("about",)),
    Verb(
        "resolve",
        "resolve 142 fp threshold note…",
        "close it, saying what it was",
        ("alerts", "disposition", "words"),
        (
            "resolve 142 tp",
            "resolve 142 benign a charity stream",
            "resolve 142 fp rule the regex is wide",
        ),
    ),
    Verb("reopen", "reopen 142", "open a resolved alert again", ("alerts",)),
    Verb("escalate", "escalate 142 reason…", "tell the next step of the ladder now", ("alerts", "words")),
    Verb("comment", "comment 142 what you saw", "a note in its history", ("alerts", "words")),
    Verb(
        "rerun",
        "rerun 142 | payments.x",
        "ask the data again: still there, gone, or new",
        ("target",),
    ),
    Verb(
        "start",
        "start rescore_seller [142] seller_id=s_1",
        "start a job, once you have seen what it does; what it takes is asked for, or comes from the alert",
        ("name", "params"),
    ),
    Verb(
        "cancel",
        "cancel 17 | rescore_seller [reason…]",
        "end a job's run that goes on, once you have seen which",
        ("job_run", "words"),
        ("cancel 17 the wrong seller",),
    ),
    Verb(
        "retry",
        "retry 17",
        "start a job once more with what that run was given, once you have seen it",
        ("job_run",),
    ),
    Verb("approvals", "approvals", "jobs that wait for a second person, and who may agree"),
    Verb(
        "approve",
        "approve 12",
        "agree to a job that somebody else asked for: it starts",
        ("approval", "words"),
    ),
    Verb(
        "refuse",
        "refuse 12 reason…",
        "a job that waits is not started; your own is withdrawn",
        ("approval", "words"),
    ),
    Verb(
        "pause",
        "pause payments.x | job:dbt_build [2h reason…]",
        "it is not run until then, 2 h unless you say; what comes is looked at afterwards",
        ("name", "maybe_span", "words"),
        ("pause payments.x 4h the table is being rebuilt",),
    ),
    Verb("resume", "resume payments.x | job:dbt_build", "it runs by its own schedule again", ("name",)),
    Verb(
        "every",
        "every payments.x 1h until:fri reason…",
        "it runs at this pace for a while, then by its own schedule again",
        ("name", "interval", "span", "words"),
        ("every payments.x 1m 2h a launch", "every job:dbt_build 2h 3d"),
    ),
    Verb(
        "backfill",
        "backfill payments.x 7d | 2026-11-01..2026-11-08 [chain] [again]",
        "look at the past, once you have seen what that takes; its alerts page nobody. Alone: those that run",
        ("names", "past"),
        (
            "backfill payments.x 7d",
            "backfill payments.x 30d..7d",
            "backfill payments.x payments.y 2026-11-01..2026-11-08",
            "backfill payments.x 2026-11-01T08:00..2026-11-01T12:00 again",
            "backfill core.orders 7d chain",
        ),
        "`chain`: with the policies that hang on it; `again`: also what was backfilled before",
    ),
    Verb("stop", "stop BKF-3 | payments.x", "end a backfill after the window at hand", ("name",)),
    Verb("oncall", "oncall [team] [week]", "who is on call now and next; of a team its week", ("filters",)),
    Verb(
        "takeover",
        "takeover 2h [team:x]",
        "you are on call for so long, in the place of whoever it is",
        ("span", "filters"),
        ("takeover 2h", "takeover until:18:00 team:payments"),
    ),
    Verb(
        "cover",
        "cover 2h @bo [from:18:00] [team:x]",
        "somebody is on call in your place for so long, from now or from a time of day",
        ("span", "person", "filters"),
        ("cover until:18:00 @bo",),
    ),
    Verb("uncover", "uncover 7", "end a cover or a take-over now", ("alerts",)),
    Verb("handoff", "handoff [team]", "hand the shift over now, by a card to accept", ("filters",)),
    Verb("help", "help [verb]", "this list, or one verb at length", ("filters",)),
)
BY_NAME = {verb.name: verb for verb in VERBS}
SAME_AS = {"acknowledge": "ack", "unacknowledge": "unack", "ls": "list", "close": "resolve", "?": "help"}
TITLES = {  # the verb that each part of `help` begins with
    "status": "See how it is",
    "ack": "An alert",
    "start": "Jobs",
    "pause": "When policies and jobs run",
    "oncall": "On call",
}
