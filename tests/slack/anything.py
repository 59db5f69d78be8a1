"""Any alert, context and answer that the types allow, with text that means ill."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from bot.core.alert import Alert, Condition, Disposition, Event, FalseCause, Lane, Snooze, Work
from bot.core.approval import Approval, ApprovalState
from bot.core.backfill import BackfillRun, BackfillState, Stage
from bot.core.digest import Digest, Fired, Span
from bot.core.earned import Record
from bot.core.job_run import Ability
from bot.core.layout import NOT_DRAWN
from bot.core.oncall import Duty
from bot.core.reply import (
    ApprovalsReply,
    AskReply,
    AssetReply,
    Context,
    DigestReply,
    Earlier,
    EntityReply,
    Evidence,
    FormReply,
    GraphReply,
    HelpReply,
    JobReply,
    ListReply,
    Note,
    OnCall,
    OnCallReply,
    Person,
    PolicyLine,
    PolicyReply,
    Revealed,
    Said,
    ShowReply,
    StatusReply,
    WhyReply,
    Worth,
)
from bot.core.took import Took
from bot.core.trend import Day, Trend
from sensors.model.asset import Asset, ViolationKind
from sensors.model.policy import After, AlertText, Cron, Every, Grades, Policy, Query, Severity

from .any_parts import (
    DRAWN,
    HANGS,
    JOB,
    LOG,
    MARKED,
    NAME,
    NODE,
    NUMBER,
    ROW,
    RUN,
    SEEN,
    SLACK,
    SPAN,
    TERMS,
    TEXT,
    URL,
    VALUE,
    WHEN,
    maybe,
    some,
)

ALERT = st.builds(
    Alert,
    id=st.integers(1, 10**7),
    policy=st.one_of(NAME, TEXT),
    key=TEXT,
    lane=st.sampled_from(Lane),
    terms=TERMS,
    title=TEXT,
    severity=st.sampled_from(Severity),
    count=NUMBER,
    opened_at=WHEN,
    fired_at=WHEN,
    as_of=WHEN,
    key_values=ROW,
    newest=ROW,
    entities=some(TEXT, 3),
    work=st.sampled_from(Work),
    condition=st.sampled_from(Condition),
    unknown_why=MARKED,
    owner=maybe(SLACK),
    helpers=some(SLACK),
    acknowledged_at=maybe(WHEN),
    acknowledged_until=maybe(WHEN),
    snooze=maybe(
        st.builds(
            Snooze,
            until=WHEN,
            by=SLACK,
            why=TEXT,
            since=WHEN,
            ceiling=st.sampled_from(Severity),
            of=st.integers(0, 1),
            target=TEXT,
        )
    ),
    step=st.integers(0, 4),
    step_due=maybe(WHEN),
    resolved_at=maybe(WHEN),
    resolved_by=maybe(SLACK),
    disposition=maybe(st.sampled_from(Disposition)),
    false_cause=maybe(st.sampled_from(FalseCause)),
    note=TEXT,
    reopened=st.integers(0, 3),
    comments=st.integers(0, 3),
    last_event=MARKED,
    last_event_at=maybe(WHEN),
    work_seq=st.integers(0, 10**6),
)
EVIDENCE = st.lists(st.one_of(NAME, TEXT), max_size=8, unique=True).flatmap(
    lambda names: st.builds(
        Evidence,
        columns=st.just(tuple(names)),
        rows=some(st.fixed_dictionaries(dict.fromkeys(names, VALUE)), 7),
        total=NUMBER,
    )
)
POLICY = st.builds(
    Policy,
    name=NAME,
    title=TEXT,
    owner=TEXT,
    severity=st.just(Grades(((Severity.high, 1),))),
    schedule=st.one_of(
        st.builds(Every, interval=SPAN),
        st.builds(Cron, expression=TEXT, timezone=TEXT),
        st.builds(After, upstream=some(TEXT)),
    ),
    key=some(NAME),
    query=st.just(Query("select 1", "duckdb", "x.sql", ())),
    alert=st.builds(
        AlertText,
        title=TEXT,
        fields=some(NAME),
        columns=st.dictionaries(NAME, st.sampled_from(["show", "mask", "hide"]), max_size=3),
    ),
    content=st.just("c"),
    path=st.just("x.yml"),
    description=TEXT,
    runbook=maybe(URL),
)
DAY = st.builds(Day, *[st.one_of(st.integers(0, 9), NUMBER)] * 4)
TREND = st.builds(Trend, first=st.dates(date(2000, 1, 1), date(2100, 1, 1)), days=some(DAY, 31), open=NUMBER)
DISPOSITIONS = st.dictionaries(st.sampled_from(Disposition), st.integers(0, 40), max_size=7)
CONTEXT = st.builds(
    Context,
    policy=maybe(POLICY),
    due_to=some(SLACK),
    paged=some(SLACK),
    told=some(SLACK),
    names=st.dictionaries(SLACK, TEXT, max_size=3),
    evidence=EVIDENCE,
    offers=some(JOB, 7),
    links=some(st.tuples(TEXT, URL), 4),
    earlier=some(
        st.builds(
            Earlier,
            id=NUMBER,
            policy=NAME,
            title=TEXT,
            disposition=maybe(st.sampled_from(Disposition)),
            at=WHEN,
        ),
        5,
    ),
    dispositions=DISPOSITIONS,
    violation=maybe(st.builds(ViolationKind, name=NAME, title=TEXT, what=TEXT, may_do=TEXT)),
    data_until=maybe(WHEN),
)
EVENT = st.builds(Event, seq=NUMBER, at=WHEN, actor=SLACK, kind=NAME, story=MARKED)
LINE = st.builds(
    PolicyLine,
    name=st.one_of(NAME, TEXT),
    title=TEXT,
    owner=TEXT,
    status=st.sampled_from(["live", "shadow", "draft"]),
    last_run=maybe(WHEN),
    last_error=MARKED,
    next_due=maybe(WHEN),
    open_alerts=NUMBER,
)
PLACE = st.just(("C0PAYMENTS", "1790000000.000100"))
PLACES = st.dictionaries(st.integers(1, 10**7), PLACE, max_size=2)
SHOWN = st.builds(
    ShowReply,
    alert=ALERT,
    context=CONTEXT,
    history=some(EVENT, 20),
    jobs=some(RUN, 8),
    card=maybe(PLACE),
    trend=TREND,
)
WHY = st.sampled_from(["turn", "override", "outside hours", "covers", "has taken over"])
ON_CALL = st.builds(OnCall, team=TEXT, people=some(SLACK), why=WHY, until=maybe(WHEN), following=some(SLACK))
DUTY = st.builds(Duty, people=some(SLACK), why=WHY, start=WHEN, end=WHEN)
APPROVAL = st.builds(
    Approval,
    id=NUMBER,
    job=st.one_of(NAME, TEXT),
    title=TEXT,
    params=ROW,
    binding=st.just("0123456789abcdef" * 4),
    by=st.one_of(SLACK, st.just("patrol")),
    asked_at=WHEN,
    expires_at=WHEN,
    alert=maybe(NUMBER),
    state=st.sampled_from(ApprovalState),
    decided_by=st.one_of(SLACK, st.just(""), st.just("patrol")),
    decided_at=maybe(WHEN),
    why=TEXT,
)
APPROVALS = some(APPROVAL, 2).map(lambda few: tuple(replace(one, id=n) for n, one in enumerate(few * 15)))
ABLE = st.dictionaries(st.integers(0, 30), some(SLACK), max_size=3)
FIRED = st.builds(Fired, st.one_of(NAME, TEXT), NUMBER, NUMBER, NUMBER, NUMBER)
TOOK = st.builds(
    Took,
    middle=maybe(SPAN),
    n=NUMBER,
    in_time=NUMBER,
    judged=NUMBER,
    past=NUMBER,
    target=maybe(SPAN),
)
MANY_ALERTS = st.one_of(some(ALERT, 2), some(ALERT, 2).map(lambda alerts: alerts * 40))
DIGEST = st.builds(
    DigestReply,
    digest=st.builds(
        Digest,
        team=TEXT,
        span=st.builds(Span, WHEN, WHEN, st.booleans()),
        open=MANY_ALERTS,
        snoozes=MANY_ALERTS,
        quiet=MANY_ALERTS,
        fired=st.one_of(some(FIRED, 3), some(FIRED, 3).map(lambda fired: fired * 30)),
        called=DISPOSITIONS,
        week=TREND,
        to_acknowledge=TOOK,
        to_resolve=TOOK,
    ),
    cards=PLACES,
)


def numbered(alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
    """The same, each another alert."""
    return tuple(replace(alert, id=n + 1) for n, alert in enumerate(alerts))


STAGE = st.builds(Stage, TEXT, TEXT, WHEN, WHEN, st.integers(1, 5_000), st.integers(0, 5_000), NUMBER)
STAGES = st.lists(STAGE, min_size=1, max_size=3).map(tuple)
HOW = {"state": st.sampled_from(BackfillState), "id": NUMBER, "why": MARKED, "looked": st.integers(0, 9)}
BACKFILL = st.builds(BackfillRun, SLACK, WHEN, STAGES, TEXT, TEXT, worked=SPAN, ended_by=SLACK, **HOW)
STATUS = st.builds(
    StatusReply,
    teams=some(TEXT, 3),
    open_total=NUMBER,
    policies=st.one_of(some(LINE, 4), some(LINE, 4).map(lambda lines: lines * 30)),
    open_alerts=st.one_of(some(ALERT, 2), some(ALERT, 1).map(lambda alerts: alerts * 60)).map(numbered),
    on_call=some(ON_CALL, 4),
    jobs=some(RUN, 8),
    problems=some(MARKED, 10),
    bundles=some(MARKED, 30),
    version=TEXT,
    cards=PLACES,
    told=st.dictionaries(st.integers(1, 60), some(SLACK), max_size=20),
    approvals=APPROVALS,
    able=ABLE,
    standing=some(MARKED, 12),
    backfills=some(BACKFILL, 3),
)
WORTH = st.none() | st.builds(
    Worth,
    st.builds(Record, NUMBER, NUMBER, NUMBER, span=SPAN),
    st.sampled_from([(), ("3 more verdicts",)]),
    st.sampled_from(["", "was right 1 of 12 times"]),
)
BECAUSE = st.builds(
    WhyReply, about=MARKED, reasons=some(st.tuples(TEXT, MARKED), 12).map(lambda reasons: reasons * 3)
)
ASKED = st.builds(AskReply, ask=st.integers(1, 10**9), lines=some(TEXT, 4), does=TEXT, plan=LOG)
REVEALED = st.builds(
    Revealed,
    columns=some(st.one_of(NAME, TEXT), 8),
    rows=some(ROW, 10),
    total=NUMBER,
    why_not=st.one_of(st.just(""), MARKED),
)
REPLIES: dict[type, st.SearchStrategy[Any]] = {
    Said: st.builds(Said, text=MARKED, hint=MARKED, ok=st.booleans()),
    StatusReply: STATUS,
    OnCallReply: st.builds(
        OnCallReply,
        teams=some(ON_CALL, 60),
        week=some(DUTY, 60),
        names=st.dictionaries(SLACK, TEXT, max_size=3),
    ),
    ListReply: st.builds(
        ListReply,
        alerts=some(ALERT, 2).map(lambda alerts: alerts * 40),
        asked=TEXT,
        cards=PLACES,
        snoozes=some(MARKED, 12),
    ),
    ShowReply: SHOWN,
    WhyReply: BECAUSE,
    AskReply: ASKED,
    JobReply: st.builds(
        JobReply,
        job=JOB,
        runs=some(RUN, 8),
        seen=SEEN,
        able=st.frozensets(st.sampled_from(Ability)),
        stoppable=some(NUMBER, 8),
        next_due=maybe(WHEN),
        standing=some(MARKED, 3),
        hangs=HANGS,
        late=MARKED,
    ),
    FormReply: st.builds(FormReply, job=JOB, params=st.dictionaries(NAME, VALUE), alert=maybe(NUMBER)),
    DigestReply: DIGEST,
    ApprovalsReply: st.builds(
        ApprovalsReply, waiting=APPROVALS, able=ABLE, mine=some(st.integers(0, 30), 30)
    ),
    EntityReply: st.builds(
        EntityReply,
        name=TEXT,
        link=maybe(st.tuples(TEXT, TEXT)),
        alerts=some(ALERT, 2).map(lambda alerts: alerts * 50),
        trend=TREND,
        notes=some(st.builds(Note, alert=st.integers(1, 99), by=SLACK, at=WHEN, story=MARKED), 30),
        snoozes=some(TEXT, 12),
        cards=PLACES,
    ),
    PolicyReply: st.builds(
        PolicyReply,
        trend=TREND,
        policy=POLICY,
        line=LINE,
        worth=WORTH,
        alerts=some(ALERT, 3),
        hangs=HANGS,
    ),
    AssetReply: st.builds(
        AssetReply,
        asset=st.builds(
            Asset,
            name=TEXT,
            kind=TEXT,
            tier=TEXT,
            owner=maybe(TEXT),
            loaded_until=maybe(TEXT),
            late_after=maybe(SPAN),
            description=TEXT,
        ),
        policies=some(LINE, 4).map(lambda lines: lines * 30),
        waiting=some(ALERT, 2).map(lambda alerts: alerts * 40),
        cards=PLACES,
        hangs=HANGS,
        made_by=some(RUN, 3),
        fresh=TEXT,
    ),
    GraphReply: st.builds(
        GraphReply,
        of=maybe(NODE),
        hangs=HANGS,
        size=TEXT,
        layout=st.sampled_from([NOT_DRAWN, DRAWN]),
        steps=maybe(st.integers(1, 2)),
    ),
    HelpReply: st.builds(HelpReply, verbs=some(st.tuples(NAME, TEXT, TEXT), 30), about=TEXT),
}
REPLY = st.one_of(*REPLIES.values())
PERSON = st.builds(Person, slack=SLACK)
