"""A real alert becomes a masked case; a false positive's case fails until its policy is mended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.action import Resolve
from bot.core.alert import Disposition, FalseCause
from bot.mending import Mending
from sensors.catalog import load
from tests.shell.making import ELSEWHERE, ELSEWHERE_SQL, MINUTE, Node, World
from tests.shell.trouble import EVERY
from tests.shell.typing_in import Patrol, Ran

BO = "U0BO"
YAML = "policies/payments/elsewhere.yml"
MANY = ELSEWHERE.replace("key: [seller_id]", "key: [seller_id]\nthreshold: {count: 3, within: 24h}")
CHARITY = "AND body NOT ILIKE '%charity%'"


@pytest.fixture
def node(world: World) -> Node:
    """A bot on a market of today: the command line's clock is the real one."""
    world.write(YAML, f"{MANY}# the end\n")
    made = world.node()
    made.clock.at = datetime.now(UTC).replace(microsecond=0, second=0) - timedelta(hours=1)
    return made


@pytest.fixture
def typed(patrol: Patrol, world: World) -> Patrol:
    """The command line beside a bot: one process can open a DuckDB file but once, so it gets a new one."""

    def run(*words: str) -> Ran:
        world.table.publish()
        return patrol(*words)

    return run


def fires(node: Node, world: World, seller: str, body: str, times: int = 3) -> int:
    before = {alert.id for alert in node.alerts(EVERY)}
    world.table.says(seller, node.clock() - MINUTE, body, times=times)
    node.next_tick()
    (new,) = {alert.id for alert in node.alerts(EVERY)} - before
    return new


def false(node: Node, alert: int, note: str = "a stream for charity") -> None:
    node.clock.on(MINUTE)
    node.engine.act(alert, Resolve(BO, Disposition.false_positive, FalseCause.rule, note), by=BO)


def cases(world: World) -> list[tuple[str, int, int]]:
    """Name, rows, alerts expected of the policy's cases."""
    catalog = load(world.project)
    assert not catalog.errors, catalog.errors
    found = catalog.policies[EVERY].cases
    return [(c.name, sum(len(rows) for rows in c.given.values()), len(c.expect)) for c in found]


def test_an_alert_becomes_a_small_masked_case_that_passes(node: Node, world: World, typed: Patrol) -> None:
    fires(node, world, "seller-8812", "pay me on cash app, I am $anacards or ana@mail.example", times=9)
    before = (world.project / YAML).read_text()
    done = typed("case", "--from-alert", "1", "--write")
    assert done.code == 0, done.said
    text = (world.project / YAML).read_text()
    assert text.startswith(before.removesuffix("# the end\n")) or before in text
    assert "9 rows read of core.chat; 4 kept" in done.said
    assert cases(world) == [("ALR-1, not resolved", 4, 1)]
    for personal in ("8812", "anacards", "ana@mail", "m_9"):
        assert personal not in text
    assert "seller_id: s_1" in text
    assert "pay me on cash app, I am $" in text
    tested = typed("test", EVERY)
    assert tested.code == 0, tested.said
    assert "1 case of 1 policy: all passed" in tested.said


def test_a_false_positive_is_listed_drafted_mended_and_told(node: Node, world: World, typed: Patrol) -> None:
    charity = fires(node, world, "seller-8812", "pay me on the page of our charity", times=5)
    real = fires(node, world, "seller-9", "pay me on cash app")
    false(node, charity, "a stream for charity, ask seller-8812 or ana@mail.example")
    node.engine.act(real, Resolve(BO, Disposition.true_positive), by=BO)

    listed = typed("case", "--reports")
    assert listed.code == 1
    for word in (EVERY, "1 open report", f"ALR-{charity}", "bo", "rule", "a stream for charity"):
        assert word in listed.said
    assert f"patrol case {EVERY} --from-alert {charity}" in listed.said
    assert "The policy as it now stands would still raise all 2 alerts of the last 30 days" in listed.said

    drafted = typed("case", EVERY, "--from-alert", f"ALR-{charity}", "--write")
    assert drafted.code == 0, drafted.said
    assert "still alerts on it: the case fails until it is mended" in drafted.said
    text = (world.project / YAML).read_text()
    assert f"# bo called ALR-{charity} a false positive on " in text
    assert "ask s_1 or aaa@aaaa.aaaaaaa" in text
    assert "8812" not in text
    assert cases(world) == [(f"ALR-{charity}, false positive: rule", 5, 0)]  # all that was reported
    assert typed("test", EVERY).code == 1
    assert typed("case", "--reports", EVERY).code == 0  # it has its case

    world.write("sql/payments/elsewhere.sql", ELSEWHERE_SQL.rstrip() + f" {CHARITY}\n")
    assert typed("test", EVERY).code == 0
    again = typed("case", EVERY, "--from-alert", str(charity))
    assert "the policy as it now stands is silent on it" in again.said
    assert "would no longer raise 1: 1 false positive" in again.said
    assert f"ALR-{charity} false positive (good)" in again.said

    node.engine.reload()
    assert [Mending(node.engine).once(), Mending(world.node().engine).once()] == [1, 0]
    assert "mended: elsewhere" in node.alert(charity).last_event
    assert node.alert(real).mended == ""


def test_a_change_that_loses_a_real_one_is_said(node: Node, world: World, typed: Patrol) -> None:
    real = fires(node, world, "s_5", "pay me for the charity")
    node.engine.act(real, Resolve(BO, Disposition.true_positive), by=BO)
    wrong = fires(node, world, "s_6", "pay me for our charity")
    false(node, wrong)
    world.write("sql/payments/elsewhere.sql", ELSEWHERE_SQL.rstrip() + f" {CHARITY}\n")
    said = typed("case", "--reports", EVERY)
    assert "would no longer raise 2: 1 false positive, 1 true positive" in said.said
    assert f"ALR-{real} true positive (bad: it was real)" in said.said
    found = json.loads(typed("case", "--reports", EVERY, "--json").out)
    assert [(a["alert"], a["fate"]) for a in found[0]["alerts"]] == [(wrong, "gone"), (real, "gone")]
    assert [(r["alert"], r["by"], r["cause"]) for r in found[0]["reports"]] == [(wrong, "bo", "rule")]


def test_rows_become_a_case_by_their_key(node: Node, world: World, typed: Patrol) -> None:
    world.table.says("s_40", node.clock(), times=5)
    world.table.says("s_41", node.clock(), times=5)
    at = f"{node.clock() + MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    done = typed("case", EVERY, "--from-rows", "seller_id=s_40", "--at", at)
    assert done.code == 0, done.said
    assert done.out.startswith("cases:\n  - name: ")
    assert done.out.count("message_id: m_") == 4  # what makes it high
    assert "{seller_id: s_1, severity: high}" in done.out
    world.table.says("s_42", node.clock(), "hello")
    quiet = typed("case", EVERY, "--from-rows", "seller_id=s_42", "--at", at)
    assert (quiet.code, "body: hello" in quiet.out, "expect: []" in quiet.out) == (0, True, True)
    assert "silent on it" in quiet.said
    none = typed("case", EVERY, "--from-rows", "seller_id=s_99", "--at", at)
    assert (none.code, "the warehouse has no rows of it within the policy's window" in none.said) == (1, True)


def test_the_same_case_written_twice_has_two_names_and_a_column_to_keep_must_be_there(
    node: Node, world: World, typed: Patrol
) -> None:
    world.table.says("s_40", node.clock(), times=5)
    words = (
        "--from-rows",
        "seller_id=s_40",
        "--at",
        f"{node.clock() + MINUTE:%Y-%m-%dT%H:%M:%SZ}",
        "--write",
    )
    assert typed("case", EVERY, *words, "--name", "pays").code == 0
    again = typed("case", EVERY, *words, "--name", "pays", "--keep", "bdoy")
    assert "--keep bdoy: the rows have no such column" in again.said
    assert [name for name, _, _ in cases(world)] == ["pays", "pays (2)"]


def test_a_masked_column_that_the_alert_rests_on_is_named_and_kept_on_demand(
    node: Node, world: World, typed: Patrol
) -> None:
    sql = ELSEWHERE_SQL.replace("body ILIKE '%pay me%'", "length(regexp_replace(body, '[^x]', '')) > 2")
    world.write("sql/payments/elsewhere.sql", sql)
    world.write(YAML, MANY.replace("fields: [body]", "fields: [body], columns: {body: mask}"))
    node.engine.reload()
    world.table.says("s_1", node.clock(), "xoxo xxx", times=3)
    at = f"{node.clock() + MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    masked = typed("case", EVERY, "--from-rows", "seller_id=s_1", "--at", at, "--write")
    assert masked.code == 1
    assert "masking body changes what comes of the rows: --keep body leaves it as it is" in masked.said
    assert "not written" in masked.said
    assert "cases:" not in (world.project / YAML).read_text()
    kept = typed("case", EVERY, "--from-rows", "seller_id=s_1", "--at", at, "--keep", "core.chat.body")
    assert (kept.code, "xoxo xxx" in kept.out) == (0, True)


def test_rows_that_are_gone_are_said_plainly_and_not_written(node: Node, world: World, typed: Patrol) -> None:
    fires(node, world, "s_1", "pay me")
    world.table.does("DELETE FROM core.chat")
    world.table.says("s_2", node.clock())
    done = typed("case", EVERY, "--from-alert", "1", "--write")
    assert done.code == 1
    assert "rows have changed since, or are gone" in done.said
    assert cases(world) == []


def test_the_loudest_key_needs_no_name(node: Node, world: World, typed: Patrol) -> None:
    at = f"{node.clock() + MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    none = typed("case", EVERY, "--loudest", "--at", at)
    assert (none.code, "alerts on nothing as of 2" in none.said) == (2, True), none.said
    world.table.says("s_40", node.clock(), times=5)
    world.table.says("s_41", node.clock(), times=9)
    done = typed("case", EVERY, "--loudest", "--at", at)
    assert (done.code, "9 rows read of core.chat; 4 kept" in done.said) == (0, True), done.said
    for n in range(50, 90):  # more keys than it may alert on: one alert for all, and no key of its own
        world.table.says(f"s_{n}", node.clock(), times=1)
    flood = typed("case", EVERY, "--loudest", "--at", at)
    assert "9 rows read of core.chat; 4 kept" in flood.said


def test_rows_that_are_cut_are_said(node: Node, world: World, typed: Patrol) -> None:
    world.table.says("s_1", node.clock(), times=9)
    at = f"{node.clock() + MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    done = typed("case", EVERY, "--from-rows", "seller_id=s_1", "--at", at, "--rows", "4")
    assert "core.chat has more rows than the 4 that were read: see --rows" in done.said


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["case"], "Say one of --from-rows", 2),
        (["case", EVERY], "Say one of --from-rows", 2),
        (["case", EVERY, "--from-rows", "seller_id=s", "--reports"], "Say one of --from-rows", 2),
        (["case", EVERY, "--from-rows", "seller_id=s", "--loudest"], "Say one of --from-rows", 2),
        (["case", EVERY, "--from-rows", "seller_id"], "is no KEY=VALUE; write it as seller_id=s_1", 2),
        (["case", EVERY, "--from-rows", "buyer=s_1"], "The key of payments.elsewhere is seller_id=…", 2),
        (["case", EVERY, "--from-alert", "ALR-x"], "is no alert; write 142 or ALR-142", 2),
        (["case", EVERY, "--from-alert", "7"], "There is no ALR-7", 2),
        (["case", "payments.elswhere", "--reports"], "There is no policy", 2),
        (["case", "--reports", "payments.elswhere"], "did you mean payments.elsewhere?", 2),
        (["case", EVERY, "--reports", "other"], "other is one word too many", 2),
    ],
)
def test_what_was_typed_wrongly_is_said(
    node: Node, typed: Patrol, words: list[str], said: str, code: int
) -> None:
    assert node.engine.catalog.policies
    ran = typed(*words)
    assert (ran.code, said in ran.said) == (code, True), ran.said


def test_an_alert_of_another_policy_is_named_with_its_own(node: Node, world: World, typed: Patrol) -> None:
    fires(node, world, "s_1", "pay me")
    ran = typed("case", "payments.held", "--from-alert", "1")
    assert (ran.code, "of payments.elsewhere, not of payments.held" in ran.said) == (2, True)


def test_what_is_nested_is_masked_too_and_a_key_that_the_query_makes_is_followed(
    world: World, typed: Patrol
) -> None:
    payload = '{"email": "ana@mail.example", "kind": "login", "tries": [1, 2]}'
    world.table.does("CREATE TABLE core.events (who VARCHAR, payload JSON)")
    world.table.does(f"INSERT INTO core.events SELECT 'ANA-' || i, '{payload}' FROM range(9) t(i)")
    assets = (world.project / "policies/_assets.yml").read_text()
    columns = "{who: varchar, payload: variant}"
    world.write("policies/_assets.yml", f"{assets}core.events: {{owner: payments, columns: {columns}}}\n")
    head = ELSEWHERE.split("schedule")[0]
    world.write("policies/payments/logins.yml", f"{head}schedule: {{every: 1m}}\nkey: [account]\n")
    sql = "SELECT lower(who) AS account FROM {{ table('core.events') }} WHERE payload:kind::string = 'login'"
    world.write("sql/payments/logins.sql", f"-- One row per event.\n{sql}\n")
    done = typed("case", "payments.logins", "--from-rows", "account=ana-3", "--write")
    assert done.code == 0, done.said
    assert "nothing in the SQL ties core.events to the key" in done.said
    text = (world.project / "policies/payments/logins.yml").read_text()
    assert 'payload: {email: "aaa@aaaa.aaaaaaa", kind: login, tries: [1, 2]}, who: w_1}' in text or (
        'who: w_1, payload: {email: "aaa@aaaa.aaaaaaa", kind: login, tries: [1, 2]}}' in text
    )
    assert "- {account: w_1, severity: medium}" in text
    assert "ana" not in text.lower()
    assert typed("test", "payments.logins").code == 0
