"""Files as people break them: the exact sentence, at its line and column, that each mistake gets."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

import pytest

from tests.sensors.project import POLICY, SQL, Project

TEAMS, JOBS, ASSETS = "policies/_teams.yml", "policies/_jobs.yml", "policies/_assets.yml"
ENTITIES, VIOLATIONS, MACRO = "policies/_entities.yml", "policies/_violations.yml", "sql/_macros/text.sql"

# file, what stands there, what somebody made of it, every problem that is then reported
BROKEN = [
    (POLICY, "owner: payments", "owner: paymnts", [f'{POLICY}:3:8 owner: no team "paymnts"; did you mean "payments"?']),
    (POLICY, "owner:", "ownr:", [f'{POLICY}:3:1 unknown key "ownr"; did you mean "owner"?']),
    (POLICY, "title: Seller steers", "title: 3\nnote: Seller steers", [f'{POLICY}:1:8 title: must be text; put quotes around it: "3"', f'{POLICY}:2:1 unknown key "note"']),
    (POLICY, "every: 5m", "every: 5 minutes", [f'{POLICY}:4:19 schedule.every: must be a duration such as 30s, 15m, 2h, 1d or 4w, not "5 minutes"']),
    (POLICY, "{every: 5m}", "every 5m", [f'{POLICY}:4:11 schedule: must be a mapping such as {{a: b}}, not "every 5m"']),
    (POLICY, "{every: 5m}", "{every: 5m, after: [core.sellers]}", [f"{POLICY}:4:11 schedule: takes one of every, cron and after, not every and after"]),
    (POLICY, "{every: 5m}", '{cron: "*/5 * * *"}', [f'{POLICY}:4:18 schedule.cron: must have five fields (minute hour day month weekday), not 4: "*/5 * * *"']),
    (POLICY, "{every: 5m}", '{cron: "61 * * * *"}', [f'{POLICY}:4:18 schedule.cron: is not a cron expression that ever comes due: "61 * * * *"']),
    (POLICY, "{every: 5m}", '{cron: "0 9 30 2 *"}', [f'{POLICY}:4:18 schedule.cron: is not a cron expression that ever comes due: "0 9 30 2 *"']),
    (POLICY, "{every: 5m}", '{cron: "0 9 * * *", timezone: America/NewYork}', [f'{POLICY}:4:41 schedule.timezone: no time zone "America/NewYork"; did you mean "America/New_York"?']),
    (POLICY, "{every: 5m}", "{after: [core.chat_mesages]}", [
        f'{POLICY}:4:20 schedule.after[1]: no table "core.chat_mesages" in policies/_assets.yml; did you mean "core.chat_messages"?']),
    (POLICY, "key: [seller_id]", "key: [seller_id]\nbudget: 2d", [f"{POLICY}:8:9 budget: must be 1 d at most: it is the warehouse time of 24 hours, such as 10m"]),
    (POLICY, "key: [seller_id]", "key: [seller_id]\nbudget: 10", [f"{POLICY}:8:9 budget: must be a duration such as 30s, 15m, 2h, 1d or 4w, not 10"]),
    (POLICY, "key: [seller_id]", "key: [seller_id]\nbudgt: 10m", [f'{POLICY}:8:1 unknown key "budgt"; did you mean "budget"?']),
    (POLICY, "key: [seller_id]", "key: [seller_id]\nsession: {role: 'a b'}", [f"{POLICY}:8:17 session.role: must be a plain name: letters, digits, _ and $, the first one no digit"]),
    (POLICY, "key: [seller_id]", "key: [seller_id]\nsession: {warehous: big}", [f'{POLICY}:8:11 unknown key "warehous"; did you mean "warehouse"?']),
    (POLICY, "key: [seller_id]", "key: [seller_id]\nsession: big", [f'{POLICY}:8:10 session: must be a mapping such as {{a: b}}, not "big"']),
    (ASSETS, "{late_after: 1h}", "{by: last_changed}", [f'{ASSETS}:7:19 core.chat_messages.freshness.by: must be loaded_until or last_altered, not "last_changed"; did you mean "last_altered"?']),
    (POLICY, "lookback: 15m", "lookbak: 15m", [f'{POLICY}:5:27 unknown key "lookbak"; did you mean "lookback"?']),
    (POLICY, "lookback: 15m", "trailing: 1h, lookback: 15m", [f"{POLICY}:5:51 window.lookback: means nothing with trailing, which looks at its whole span each time"]),
    (POLICY, "lookback: 15m", "lookback: 15m, baseline: 7d", [f"{POLICY}:5:52 window.baseline: means nothing without trailing"]),
    (POLICY, "within: 24h", "distinct: body", [f"{POLICY}:9:13 threshold.count: needs within: rows come in several looks, and within says over how long they add up"]),
    (POLICY, "count: 3", "count: 0", [f"{POLICY}:9:20 threshold.count: must be at least 1, not 0"]),
    (POLICY, "count: 3", "count: 03", [f'{POLICY}:9:20 threshold.count: must be a whole number, not "03"']),
    (POLICY, "{medium: 3, high: 6}", "hihg", [f'{POLICY}:10:11 severity: no severity "hihg"; it is one of info, low, medium, high, critical; did you mean "high"?']),
    (POLICY, "{medium: 3, high: 6}", "{medium: 6, high: 3}", [f"{POLICY}:10:29 severity.high: must be more than medium's 6, because high is worse"]),
    (POLICY, "{medium: 3, high: 6}", "{by: risk, high: 6}", [f"{POLICY}:10:16 severity.by: the query gives no column risk"]),
    (POLICY, "key: [seller_id]", "key: [sellerid]", [f'{POLICY}:7:7 key[1]: the query gives no column sellerid; did you mean "seller_id"?']),
    (POLICY, "key: [seller_id]", "key: seller_id", [f'{POLICY}:7:6 key: must be a list such as [a, b], not "seller_id"']),
    (POLICY, "key: [seller_id]", "key: [m.seller_id]", [f'{POLICY}:7:7 key[1]: must be the bare name of a column, not "m.seller_id"']),
    (POLICY, "fields: [seller_name", "fields: [name", [f'{POLICY}:13:12 alert.fields[1]: the query gives no column name; did you mean "seller_name"?']),
    (POLICY, "{body: mask}", "{body: masked}", [f'{POLICY}:14:19 alert.columns.body: must be show, mask or hide, not "masked"; did you mean "mask"?']),
    (POLICY, "{{ seller_name }} asked", "{{ name }} asked", [f'{POLICY}:12:10 alert.title: the query gives no column name; did you mean "seller_name"?']),
    (POLICY, "{{ seller_name }} asked", "{{ seller_name asked", [f"{POLICY}:12:10 alert.title: this is not a template that can be read: look at its braces and quotes"]),
    (POLICY, "{{ seller_name }} asked", "{{ seller_name.upper() }} asked", [f"{POLICY}:12:10 alert.title: a title takes columns, filters and sums; no calls, no attributes and no **"]),
    (POLICY, "offer: [hold_payouts]", "offer: ['job:hold_payouts']", [f"{POLICY}:15:9 offer[1]: write hold_payouts: here a job is called by its bare name"]),
    (POLICY, "offer: [hold_payouts]", "offer: [hold_payout]", [f'{POLICY}:15:9 offer[1]: no job "hold_payout"; did you mean "hold_payouts"?']),
    (POLICY, "violation: off_platform", "violation: of_platform", [f'{POLICY}:2:12 violation: no violation "of_platform"; did you mean "off_platform"?']),
    (POLICY, "core.sellers: run", "core.seller: run", [
        f"{POLICY}:6:8 needs: the SQL also reads core.sellers; say wait, run or skip for it too",
        f'{POLICY}:6:35 needs.core.seller: no table "core.seller" in policies/_assets.yml; did you mean "core.sellers"?']),
    (POLICY, "core.sellers: run", "core.sellers: yes", [f'{POLICY}:6:49 needs.core.sellers: must be wait, run or skip, not "yes"']),
    (POLICY, "offer: [hold_payouts]", "clear: always", [f"{POLICY}:15:1 clear: means nothing here: rows of a window with lookback are events, and events do not clear"]),
    (POLICY, "offer: [hold_payouts]", "renamed_from: payments.off_platform", [f"{POLICY}:15:15 renamed_from: payments.off_platform is still there; a policy takes over only from one that is gone"]),
    (POLICY, "offer: [hold_payouts]", "params: {least: 3}", [f"{POLICY}:15:10 warning: params.least: the SQL does not use :least"]),
    (POLICY, "offer: [hold_payouts]", "cases: [{name: one, at: noon, given: {}, expect: []}]", [f'{POLICY}:15:25 cases[1].at: must be a time such as 2026-01-05T12:00:00Z, not "noon"']),
    (SQL, "table('core.sellers')", "table('core.seller')", [
        f'{POLICY}:6:35 needs.core.sellers: the SQL does not read core.sellers; did you mean "core.seller"?',
        f'{SQL}:4:16 no table "core.seller" in policies/_assets.yml; did you mean "core.sellers"?']),
    (SQL, "{{ table('core.sellers') }}", "core.sellers", [f"{SQL}:4:6 write {{{{ table('core.sellers') }}}} instead of core.sellers"]),
    (SQL, "in_window('m.sent_at')", "in_windw('m.sent_at')", [f'{SQL}:5:10 "in_windw" is not a function or macro; did you mean "in_window"?']),
    (SQL, "in_window('m.sent_at')", "in_window(sent_at)", [f"{SQL}:5:20 in_window takes a name in quotes: in_window('sent_at')"]),
    (SQL, "in_window('m.sent_at')", "in_window(3)", [f"{SQL}:5:7 in_window takes a name in quotes, such as in_window('m.sent_at')"]),
    (SQL, "{{ in_window('m.sent_at') }}", "m.sent_at > '2026-01-01'", [f"{SQL}:5:1 the SQL must keep to the window: WHERE {{{{ in_window('sent_at') }}}}"]),
    (SQL, "in_window('m.sent_at')", "in_window(m.sent_at)", [f"{SQL}:5:20 in_window takes a name in quotes: in_window('m.sent_at')"]),
    (SQL, "in_window('m.sent_at')", "in_window('m.created_at')", [f"{SQL}:5:21 core.chat_messages has no column created_at"]),
    (POLICY, "column: sent_at", "column: created_at", [f"{POLICY}:5:18 window.column: is created_at, but the SQL keeps to the window by m.sent_at"]),
    (SQL, "m.author_id = m.seller_id", "m.authr_id = m.seller_id", [f"{SQL}:5:40 core.chat_messages has no column authr_id; did you mean author_id?"]),
    (SQL, "m.body, m.sent_at", "m.body, s.sent_at, sentat", [
        f"{SQL}:2:74 core.sellers has no column sent_at",
        f"{SQL}:2:85 no table that is read here has a column sentat; did you mean sent_at?"]),
    (SQL, "mentions_handle('m.body')", "mentions_handle('m.bdy')", [f"{SQL}:5:90 core.chat_messages has no column bdy; did you mean body?"]),
    (POLICY, "{every: 5m}", '{cron: "0 25 * * *", timezone: Berlin}', [
        f'{POLICY}:4:18 schedule.cron: is not a cron expression that ever comes due: "0 25 * * *"',
        f'{POLICY}:4:42 schedule.timezone: no time zone "Berlin"; did you mean "Europe/Berlin"?']),
    (POLICY, "{every: 5m}", "{after: [core.sellers]}", [f"{POLICY}:4:20 warning: schedule.after[1]: nothing tells when core.sellers is updated: give it loaded_until, or after: what makes it"]),
    (POLICY, "owner: payments", "owner: #payments", [f'{POLICY}:3:8 owner: # begins a comment, so nothing stands here; put quotes around it: "#payments"']),
    (POLICY, "key: [seller_id]\nrow_key", "kye: [seller_id]\nrow_key", [f'{POLICY}:7:1 unknown key "kye"; did you mean "key"?']),
    (TEAMS, "    ana: {slack: U0ANA, roles: [responder, lead]}\n    bo: {slack: U0BO}\n  rotation: {members: [ana, bo], length: 7d, anchor: 2026-01-05T09:00:00}\n", "    [U0ANA, U0BO]\n", [f"{TEAMS}:6:5 payments.members: must be people by name, such as {{ana: {{slack: U0ANA}}}}, not a list"]),
    (TEAMS, "    ana: {slack: U0ANA, roles: [responder, lead]}\n    bo: {slack: U0BO}\n  rotation: {members: [ana, bo], length: 7d, anchor: 2026-01-05T09:00:00}\n", "    {}\n", [f"{TEAMS}:2:1 warning: payments: has no members, so nobody can be told; write members: {{ana: {{slack: U0ANA}}}}"]),
    (SQL, "{{ in_window('m.sent_at') }}", "{{ in_window('m.sent_at') }", [f"{SQL}:5:7 }} is not expected here"]),
    (SQL, "m.author_id =", "m.author_id = :least AND m.author_id =", [f"{SQL}:5:54 :least has no value; give it one in params"]),
    (SQL, "SELECT m.message_id", "SELEC m.message_id", [f'{SQL}:2:1 a policy begins with SELECT or WITH, not SELEC']),
    (SQL, "m.body,", "read_csv('/etc/passwd') AS body,", [f"{SQL}:2:66 read_csv may not be called: it reads files"]),
    (SQL, "m.body,", "DATEDIF('day', m.sent_at, m.sent_at) AS body,", [f'{SQL}:2:66 datedif is not a function that policies may call; did you mean "datediff"?']),
    (SQL, "m.body,", "frobnicate(m.body) AS body,", [f"{SQL}:2:66 frobnicate is not a function that policies may call"]),
    (SQL, "m.body,", "m.body, CURRENT_TIMESTAMP AS seen,", [f"{SQL}:2:74 current_timestamp may not be called: it depends on the clock; write :window_end, the time of the look"]),
    (SQL, "m.sent_at\n", "m.message_id AS x\n", [f"{POLICY}:5:18 window.column: the query does not give sent_at; within counts by it"]),
    (MACRO, "{% endmacro %}", "", [
        f"{MACRO}:2:1 this is not closed: {{% endmacro %}} is missing",
        f'{SQL}:5:73 the macro "mentions_handle" does not load; mend its file in sql/_macros']),
    (TEAMS, "C0PAYMENTS\n", "'#payments'\n", [f'{TEAMS}:3:12 payments.channel: must be Slack\'s id of a channel, such as C0123ABCD, not "#payments"']),
    (TEAMS, "[ana, bo]", "[ana, boo]", [f'{TEAMS}:8:29 payments.rotation.members[2]: no member "boo" in this team; did you mean "bo"?']),
    (TEAMS, "{to: oncall}", "{to: on_call}", [f'{TEAMS}:10:21 payments.ladder.critical[1].to: must be oncall, team, lead or a member, not "on_call"; did you mean "oncall"?']),
    (TEAMS, "roles: [responder, lead]", "roles: [boss]", [f'{TEAMS}:6:33 payments.members.ana.roles[1]: must be responder, lead, approver or admin, not "boss"']),
    (JOBS, "kind: sql", "kind: sqll", [f'{JOBS}:4:9 hold_payouts.kind: must be http, sql, sagemaker, command, dbt, dagster or airflow, not "sqll"; did you mean "sql"?']),
    (JOBS, "  statement:", "  statment:", [f"{JOBS}:3:3 hold_payouts: a job of kind sql needs statement"]),
    (JOBS, ":reason)", ":resaon)", [f'{JOBS}:7:14 hold_payouts.statement: no parameter "resaon" in params; did you mean "reason"?']),
    (JOBS, "'s_\\d+'", "'s_('", [f"{JOBS}:9:26 hold_payouts.params.seller_id.pattern: is not a regular expression: missing ), unterminated subpattern"]),
    (JOBS, "owner: payments", "owner: pay", [f'{JOBS}:5:10 hold_payouts.owner: no team "pay"; did you mean "payments"?']),
    (ASSETS, "loaded_until: sent_at", "loaded_until: sent", [f'{ASSETS}:5:17 core.chat_messages.loaded_until: no column "sent" in columns; did you mean "sent_at"?']),
    (ASSETS, "  loaded_until: sent_at\n  load_interval: 1m", "  load_interval: 1h", [f"{POLICY}:5:37 window.lookback: must be at least 1 h: core.chat_messages is loaded every 1 h and has no loaded_until", f"{POLICY}:6:29 warning: needs.core.chat_messages: has no effect: core.chat_messages says no loaded_until in policies/_assets.yml, so it is never late"]),
    (ASSETS, "core.sellers: {owner", "core.sellers: {tier: scratch, owner", [f"{SQL}:4:16 core.sellers is a scratch table; a live policy reads only kept ones"]),
    (ASSETS, "core.sellers: {owner", "core.sellers: {after: [jb:build, job:hold_payout, raw.orders, core.sellers, payments.off_platform, hold_payouts, table:core.sellers], owner", [
        f'{ASSETS}:8:24 core.sellers.after[1]: "jb" is no kind of thing to come after: model, sheet, topic, dashboard, job or policy; did you mean "job"?',
        f'{ASSETS}:8:34 core.sellers.after[2]: no job "hold_payout"; did you mean "hold_payouts"?',
        f'{ASSETS}:8:51 core.sellers.after[3]: no table "raw.orders" in policies/_assets.yml',
        f"{ASSETS}:8:63 core.sellers.after[4]: comes after itself; take it out",
        f"{ASSETS}:8:77 core.sellers.after[5]: payments.off_platform is a policy; write policy:payments.off_platform",
        f"{ASSETS}:8:100 core.sellers.after[6]: hold_payouts is a job; write job:hold_payouts",
        f'{ASSETS}:8:114 core.sellers.after[7]: "table" is no kind of thing to come after: model, sheet, topic, dashboard, job or policy; a table is its bare name, core.sellers']),
    (ASSETS, "core.sellers: {owner", "model:reco: {after: [policy:payments.of_platform]}\ncore.sellers: {owner", [f'{ASSETS}:8:22 model:reco.after[1]: no policy "payments.of_platform"; did you mean "payments.off_platform"?']),
    (ASSETS, "core.sellers: {owner", "modl:reco: {}\ncore.sellers: {owner", [f'{ASSETS}:8:1 modl:reco: "modl" is no kind of asset: a table has its bare name; others begin with model, sheet, topic or dashboard; did you mean "model"?']),
    (ASSETS, "core.sellers: {owner", "reco: {kind: model}\ncore.sellers: {owner", [f"{ASSETS}:8:1 reco: its name says that it is a table, and kind: model; call it model:reco"]),
    (ASSETS, "core.sellers: {owner", "'model:re co': {}\ncore.sellers: {owner", [f"{ASSETS}:8:1 model:re co: write model: and a name of letters, digits, _, - and ., such as model:reco"]),
    (JOBS, "  params:\n    seller_id: {pattern: 's_\\d+'}", "  after: [core.seller]\n  params:\n    seller_id: {pattern: 's_\\d+', default: s_1}", [f'{JOBS}:8:11 hold_payouts.after[1]: no table "core.seller" in policies/_assets.yml; did you mean "core.sellers"?']),
    (ENTITIES, "https://admin.example.com", "https://{id}", [f'{ENTITIES}:2:35 seller.link: must begin with https:// and a fixed host, not "https://{{id}}/sellers/{{id}}"']),
    (ENTITIES, "https://admin.example.com", "${PATROL_NOT_SET_ANYWHERE}", [f"{ENTITIES}:2:35 seller.link: the environment has no PATROL_NOT_SET_ANYWHERE; set it, or write ${{PATROL_NOT_SET_ANYWHERE:-default}}"]),
    (VIOLATIONS, "what: ", "wat: ", [f'{VIOLATIONS}:2:53 unknown key "wat"; did you mean "what"?']),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    BROKEN,
    ids=[f"{f.rsplit('/')[-1]}: {a[:40]}" for f, _, a, _ in BROKEN],
)
def test_a_mistake_is_named_at_its_place(
    project: Project, file: str, before: str, after: str, said: list[str]
) -> None:
    project.change(file, before, after)
    assert project.said() == said


def test_the_project_as_it_stands_has_no_problem(project: Project) -> None:
    assert project.said() == []


def test_sql_that_cannot_be_read_does_not_bring_a_second_complaint_about_its_parameters(
    project: Project,
) -> None:
    project.change(POLICY, "offer:", "params: {least: 3}\noffer:")
    project.change(SQL, "WHERE", "WHERE :least > AND")
    assert project.said() == [f'{SQL}:5:16 this cannot be read as snowflake SQL near "AND"']
