"""Small parts of what Slack may be given, with text that means ill: names, times, jobs and their runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from bot.core.alert import Terms
from bot.core.around import Beside, Hangs
from bot.core.job_run import JobRun, JobState, Observed, Seen, Sighted
from bot.core.layout import laid_out
from sensors.model.graph import STRENGTH, Graph, Node
from sensors.model.job import Job, Param
from sensors.model.team import LadderStep

from .hostile import HOSTILE

TEXT = st.one_of(st.sampled_from(HOSTILE), st.text("<>&@*_~`:|!\n .aé🎉", max_size=12))
NAME = st.sampled_from(["seller_id", "body", "amount", "phone", "x"])
SLACK = st.sampled_from(["U0ANA", "U0BO", "U0CY"])
WHEN = st.integers(1_577_836_800, 1_893_456_000).map(lambda s: datetime.fromtimestamp(s, UTC))
SPAN = st.timedeltas(timedelta(minutes=1), timedelta(days=3))
URL = st.sampled_from(
    ["https://admin.example.com/sellers/s_1", "https://wiki.example.com/run?a=1&b=2", "javascript:x", ""]
)
NUMBER = st.integers(0, 10**7)
VALUE = st.one_of(
    TEXT,
    NUMBER,
    st.booleans(),
    st.none(),
    st.floats(),
    st.fixed_dictionaries({"number": st.just("1.5")}),
    st.fixed_dictionaries({"map": st.dictionaries(NAME, TEXT, max_size=2)}),
    st.lists(TEXT, max_size=3),
)
ROW = st.dictionaries(st.one_of(NAME, TEXT), VALUE, max_size=8)
LADDER = st.lists(
    st.builds(LadderStep, after=SPAN, to=st.one_of(st.sampled_from(["oncall", "team", "lead"]), TEXT)),
    max_size=3,
)
TERMS = st.builds(Terms, team=TEXT, ladder=LADDER.map(tuple), accumulates=st.booleans())
MARKED = st.one_of(TEXT, st.sampled_from(["acknowledged by ⟦U0ANA⟧ until ⟦t:1790000000⟧"]))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


def some(strategy: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=most).map(tuple)


JOB = st.builds(
    Job,
    name=NAME,
    kind=st.just("http"),
    title=TEXT,
    owner=NAME,
    params=st.lists(NAME, max_size=3, unique=True).map(lambda names: tuple(Param(n) for n in names)),
    changes=TEXT,
    undo=TEXT,
)
LOG = st.lists(TEXT, max_size=3).map(lambda lines: "\n".join(lines * 40))
RUN = st.builds(
    JobRun,
    id=NUMBER,
    job=st.one_of(NAME, TEXT),
    by=st.one_of(SLACK, st.just("patrol")),
    idempotency_key=NAME,
    asked_at=WHEN,
    deadline=WHEN,
    alert=maybe(NUMBER),
    state=st.sampled_from(JobState),
    outcome=TEXT,
    link=maybe(URL),
    cancel_by=maybe(SLACK),
    cancel_at=maybe(WHEN),
    tail=maybe(LOG),
)
SIGHTED = st.builds(
    Sighted,
    external_id=TEXT,
    state=st.sampled_from(JobState),
    started_at=maybe(WHEN),
    ended_at=maybe(WHEN),
    by=TEXT,
    link=maybe(URL),
    outcome=TEXT,
)
OBSERVED = st.builds(
    Observed, runs=some(SIGHTED, 20), schedule=TEXT, paused=maybe(st.booleans()), next_at=maybe(WHEN)
)
SEEN = st.builds(Seen, observed=OBSERVED, at=maybe(WHEN), trouble=TEXT, since=maybe(WHEN))
NODE = st.builds(
    Node,
    ref=st.one_of(TEXT, st.sampled_from(["core.orders", "job:x", "policy:a.b", "model:c"])),
    title=TEXT,
    owner=maybe(TEXT),
    tier=TEXT,
    status=TEXT,
)
BESIDE = st.builds(Beside, node=NODE, why=st.sampled_from(STRENGTH))
HANGS = st.builds(
    Hangs,
    ups=some(BESIDE, 3).map(lambda beside: beside * 20),
    downs=some(BESIDE, 3).map(lambda beside: beside * 20),
    further_up=st.integers(0, 9),
    further_down=st.integers(0, 9),
)
DRAWN = laid_out(Graph({"core.orders": Node("core.orders")}))
