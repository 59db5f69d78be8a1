"""Jobs looked at and steered: a page, runs that are cancelled, once more, and the end of a log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.job_run import Ability, JobState, Observed, Progress, Sighted
from bot.core.reply import AskReply, FormReply, JobReply, Said
from bot.process.errors import JobRefused, JobUnknown
from bot.slack.answers import render
from tests.shell.making import ELSEWHERE, FILES, Node, World
from tests.shell.outside import ANA, Outside, asked, ended, go_on, opened

BO, CY = replace(ANA, slack="U0BO"), replace(ANA, slack="U0CY")
DEE = replace(ANA, slack="U0DEE")  # of no team
ALL = frozenset({Ability.cancel, Ability.tail, Ability.observe})


@pytest.fixture
def outside() -> Outside:
    return Outside(able=ALL, on_poll=lambda: Progress(JobState.running, "x1"))


@pytest.fixture
def bot(world: World, outside: Outside) -> Node:
    return world.node(runners=lambda _: outside)


def going(world: World, bot: Node) -> int:
    """A job that goes on, for an alert; its run."""
    alert = opened(world, bot)
    assert asked(bot, alert).ok
    go_on(bot, seconds=2)
    (run,) = bot.store.jobs.of_alert(alert)
    assert run.state is JobState.running
    return run.id


def cancel(bot: Node, run: int, person: object = ANA) -> Said:
    shown = bot.desk.command(person, f"cancel {run}")  # type: ignore[arg-type]
    assert isinstance(shown, AskReply), shown
    return bot.desk.confirm(person, shown.ask)  # type: ignore[arg-type]


def page(bot: Node, text: str = "job hold_payouts") -> JobReply:
    found = bot.desk.command(ANA, text)
    assert isinstance(found, JobReply)
    return found


def test_a_run_is_cancelled_once_it_was_shown_and_its_end_is_told(
    world: World, bot: Node, outside: Outside
) -> None:
    run = going(world, bot)
    shown = bot.desk.command(BO, f"cancel {run}")
    assert isinstance(shown, AskReply)
    assert shown.lines[0] == f"Cancel job run {run}, `hold_payouts`?"
    assert outside.cancels == [], "nothing is done before the yes"
    said = bot.desk.confirm(BO, shown.ask)
    assert said.text == f"The end of job run {run}, `hold_payouts`, is asked for: it is being stopped."
    assert outside.cancels == ["x1"]
    outside.on_poll = lambda: Progress(JobState.cancelled, "x1", "stopped by request")
    go_on(bot, seconds=4)
    held = bot.store.jobs.get(run)
    assert held is not None
    assert (held.state, held.cancel_by, held.poll_at) == (JobState.cancelled, "U0BO", None)
    assert ended(bot, held.alert or 0) == ["hold_payouts was cancelled by ⟦U0BO⟧: stopped by request"]
    assert outside.cancels == ["x1"], "asked once"
    lines = [k.line for k in bot.store.trail.lines() if k.line.deed == "cancel"]
    assert [(one.by, one.about, one.outcome) for one in lines] == [
        ("U0BO", f"job run {run} hold_payouts", "done")
    ]


def test_what_is_over_or_asked_for_already_is_said_with_what_to_do(
    world: World, bot: Node, outside: Outside
) -> None:
    run = going(world, bot)
    assert cancel(bot, run).ok
    again = bot.desk.command(BO, f"cancel {run}")
    assert isinstance(again, Said)
    assert again.text.startswith("⟦U0ANA⟧ has asked for the end of job run")
    outside.on_poll = lambda: Progress(JobState.succeeded, "x1", "done all the same")
    go_on(bot, seconds=4)
    over = bot.desk.command(BO, f"cancel {run}")
    assert isinstance(over, Said)
    assert "is over: it succeeded" in over.text
    assert over.hint == f"`/patrol retry {run}`"


def test_a_system_that_refuses_is_heard_and_may_be_asked_again(
    world: World, bot: Node, outside: Outside
) -> None:
    def refuse() -> str:
        raise JobRefused("it is committing")

    outside.on_cancel = refuse
    run = going(world, bot)
    said = cancel(bot, run)
    assert (said.ok, said.text) == (False, f"Job run {run} goes on: it is committing")
    outside.on_cancel = lambda: "it is being stopped"
    assert cancel(bot, run).ok


def test_a_system_that_does_not_answer_is_asked_until_it_does(
    world: World, bot: Node, outside: Outside
) -> None:
    def away() -> str:
        if len(outside.cancels) < 3:
            raise JobUnknown("no answer")
        return "it is being stopped"

    outside.on_cancel = away
    run = going(world, bot)
    assert cancel(bot, run).text == f"The end of job run {run}, `hold_payouts`, is asked for."
    go_on(bot, seconds=8)
    assert len(outside.cancels) == 3
    held = bot.store.jobs.get(run)
    assert held is not None
    assert held.cancel_said == "it is being stopped"


def test_a_run_that_has_not_begun_is_not_begun(world: World, bot: Node, outside: Outside) -> None:
    alert = opened(world, bot)
    asked(bot, alert)
    bot.starting.effects()
    bot.starting._pool.submit(lambda: None).result()
    go_on_until_asked(bot, alert)
    (run,) = bot.store.jobs.of_alert(alert)
    assert cancel(bot, run.id).ok
    go_on(bot, seconds=3)
    assert outside.starts == []
    assert ended(bot, alert) == ["hold_payouts was cancelled by ⟦U0ANA⟧: it had not begun"]


def go_on_until_asked(bot: Node, alert: int) -> None:
    for _ in range(200):
        if bot.store.jobs.of_alert(alert):
            return
        bot.starting.effects()
        bot.starting._pool.submit(lambda: None).result()


def test_who_may_cancel(world: World, bot: Node) -> None:
    run = going(world, bot)
    refused = bot.desk.command(DEE, f"cancel {run}")
    assert isinstance(refused, Said)
    assert not refused.ok
    assert f"Only a responder of payments may cancel job run {run} of hold_payouts" in refused.text
    assert isinstance(bot.desk.command(CY, f"cancel {run}"), AskReply), "a responder of its owner's"
    assert [k.line.outcome for k in bot.store.trail.lines() if k.line.deed == "cancel"] == ["refused"]
    assert page(bot).stoppable == (run,)
    theirs = bot.desk.command(DEE, "job hold_payouts")
    assert isinstance(theirs, JobReply)
    assert theirs.stoppable == ()


def test_a_kind_that_cannot_cancel_says_where_to_look(world: World, bot: Node, outside: Outside) -> None:
    outside.able = frozenset()
    outside.on_start = lambda: Progress(JobState.running, "x1", link="https://x.example/1")
    run = going(world, bot)
    said = bot.desk.command(ANA, f"cancel {run}")
    assert isinstance(said, Said)
    assert said.text == "Hold payouts cannot be cancelled from here."
    assert said.hint == "Look where it runs: https://x.example/1"
    assert page(bot).stoppable == ()


def test_a_job_is_cancelled_by_name_where_one_run_goes_on(world: World, bot: Node) -> None:
    missing = bot.desk.command(ANA, "cancel hold_payouts")
    assert isinstance(missing, Said)
    assert "has no run that was started here and goes on" in missing.text
    run = going(world, bot)
    shown = bot.desk.command(ANA, "cancel job:hold_payouts wrong seller")
    assert isinstance(shown, AskReply)
    assert shown.does == f"Cancel job run {run}"
    unknown = bot.desk.command(ANA, "cancel hold_payout")
    assert isinstance(unknown, Said)
    assert unknown.hint == "Did you mean `hold_payouts`?"
    none = bot.desk.command(ANA, "cancel 999")
    assert isinstance(none, Said)
    assert none.text == "There is no job run 999."


def test_once_more_is_a_start_of_its_own_with_the_same_values(
    world: World, bot: Node, outside: Outside
) -> None:
    outside.on_poll = lambda: Progress(JobState.failed, "x1", "no memory")
    alert = opened(world, bot)
    asked(bot, alert)
    go_on(bot, seconds=6)
    (first,) = bot.store.jobs.of_alert(alert)
    shown = bot.desk.command(BO, f"retry {first.id}")
    assert isinstance(shown, AskReply)
    assert "With seller_id `s_1`." in shown.lines
    assert shown.plan == "POST /hold_payouts {'seller_id': 's_1'}"
    assert bot.desk.confirm(BO, shown.ask).ok
    go_on(bot, seconds=6)
    again = bot.store.jobs.of_alert(alert)[-1]
    assert (again.by, again.params) == ("U0BO", {"seller_id": "s_1"})
    assert len(set(outside.starts)) == 2
    assert len(ended(bot, alert)) == 2


def test_a_run_that_goes_on_is_not_started_once_more(world: World, bot: Node) -> None:
    run = going(world, bot)
    said = bot.desk.command(ANA, f"retry {run}")
    assert isinstance(said, Said)
    assert (said.text, said.hint) == (f"Job run {run} goes on.", f"`/patrol cancel {run}`")


def test_the_end_of_its_log_is_kept_where_it_failed(world: World, bot: Node, outside: Outside) -> None:
    outside.on_poll = lambda: Progress(JobState.failed, "x1", "no memory")
    outside.on_tail = lambda: "step 1\nOOM <!channel> ``` *bold*"
    alert = opened(world, bot)
    asked(bot, alert)
    go_on(bot, seconds=6)
    (run,) = bot.store.jobs.of_alert(alert)
    assert run.tail == "step 1\nOOM <!channel> ``` *bold*"
    shown = render(page(bot, "show job:hold_payouts")).blocks
    (log,) = [block for block in shown if block["type"] == "rich_text"]
    assert log["elements"][0]["elements"][0]["text"] == "step 1\nOOM <!channel> ``` *bold*"


def test_a_log_that_cannot_be_read_holds_up_nothing(world: World, bot: Node, outside: Outside) -> None:
    def away() -> str:
        raise JobUnknown("no answer")

    outside.on_poll = lambda: Progress(JobState.failed, "x1", "no memory")
    outside.on_tail = away
    alert = opened(world, bot)
    asked(bot, alert)
    go_on(bot, seconds=6)
    assert ended(bot, alert) == ["hold_payouts failed: no memory"]


def test_a_job_that_needs_more_than_was_typed_asks_by_its_form(bot: Node) -> None:
    form = bot.desk.command(ANA, "start hold_payouts")
    assert isinstance(form, FormReply)
    assert (form.job.name, form.params, form.alert) == ("hold_payouts", {}, None)
    wrong = bot.desk.command(ANA, "start hold_payouts seller=s_1")
    assert isinstance(wrong, Said)
    assert "seller is not a parameter" in wrong.text
    stranger = bot.desk.command(DEE, "start hold_payouts")
    assert isinstance(stranger, Said), "who may not start it need not fill in a form"


def test_the_page_says_what_it_is_and_a_wrong_name_is_met(bot: Node) -> None:
    said = bot.desk.command(ANA, "job hold_payout")
    assert isinstance(said, Said)
    assert said.hint == "Did you mean `hold_payouts`?"
    face = render(page(bot))
    text = str(face.blocks)
    for part in (
        "kind http",
        "owned by payments",
        "seller",
        "press Release in the admin site",
        "may take 30 s",
    ):
        assert part in text.replace("ˍ", "_"), part


RISK = """
risk:
  channel: C0RISK
  members:
    dee: {slack: U0DEE}
"""


def secret(world: World, bot: Node) -> int:
    """A run of a job of another team's, for an alert that only its own team may see."""
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "sensitive: true\n")
    world.write("policies/_teams.yml", FILES["policies/_teams.yml"] + RISK)
    world.write("policies/_jobs.yml", FILES["policies/_jobs.yml"].replace("owner: payments", "owner: risk"))
    bot.engine.reload()
    assert not bot.engine.catalog.errors
    return going(world, bot)


def test_a_run_for_a_sensitive_alert_is_not_found_by_the_name_of_its_job(world: World, bot: Node) -> None:
    run = secret(world, bot)
    for text in (f"cancel {run}", "cancel hold_payouts", f"retry {run}", "retry hold_payouts"):
        said = bot.desk.command(DEE, text)
        assert isinstance(said, Said)
        assert not said.ok
        assert "ALR-1" not in said.text, text
    assert isinstance(bot.desk.command(BO, "cancel hold_payouts"), AskReply)


def test_a_run_that_was_started_here_is_no_other_to_whom_it_is_hidden_from(world: World, bot: Node) -> None:
    run = bot.store.jobs.get(secret(world, bot))
    assert run
    mine = Sighted("x1", JobState.running, run.asked_at, outcome="holding s_1", key=run.idempotency_key)
    theirs = replace(mine, external_id="x9", key="", outcome="")
    bot.store.sightings.watch("hold_payouts", "", bot.clock())
    bot.store.sightings.saw("hold_payouts", Observed((mine, theirs)), bot.clock())
    shown = bot.desk.command(DEE, "job hold_payouts")
    assert isinstance(shown, JobReply)
    assert shown.runs == ()
    assert [one.external_id for one in shown.seen.observed.runs] == ["x9"]
    assert "s_1" not in str(render(shown).blocks)


def test_what_is_no_longer_listed_is_still_ours(bot: Node) -> None:
    bot.store.sightings.watch("hold_payouts", "", bot.clock())
    keys = [f"k{n}" for n in range(12)]
    for key in keys:
        bot.store.jobs.ask("hold_payouts", "U0ANA", {}, None, key, bot.clock(), bot.clock())
    seen = tuple(Sighted(f"x-{key}", JobState.succeeded, bot.clock(), key=key) for key in keys)
    bot.store.sightings.saw("hold_payouts", Observed(seen), bot.clock())
    assert page(bot).seen.observed.runs == ()


def test_of_a_job_that_is_taken_out_of_the_files_while_it_runs_it_is_said_that_nobody_knows(
    world: World, bot: Node
) -> None:
    run = going(world, bot)
    world.write("policies/_jobs.yml", "{}\n")
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("offer: [hold_payouts]\n", ""))
    bot.engine.reload()
    assert not bot.engine.catalog.jobs
    go_on(bot, seconds=4)
    over = bot.store.jobs.get(run)
    assert over
    assert over.state is JobState.failed
    (told,) = ended(bot, 1)
    assert "what became of it is not known: look where it ran" in told
