"""Rules about counting and about tables: what can never be reached, changes nothing, or reads too much."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

import pytest

from tests.sensors.project import Project

ASSETS = "policies/_assets.yml"
YAML, SQL = "policies/payments/one.yml", "sql/payments/one.sql"
TRAILING = "window: {trailing: 1h, column: sent_at}\n"
INCREMENTAL = "window: {column: sent_at, lookback: 5m}\n"
GROUPED = "SELECT seller_id, COUNT(*) AS n, MAX(sent_at) AS sent_at FROM {{ table('core.chat_messages') }}\nWHERE {{ in_window('sent_at') }} GROUP BY seller_id"
PLAIN = "SELECT message_id, seller_id, author_id, sent_at FROM {{ table('core.chat_messages') }}\nWHERE {{ in_window('sent_at') }}"
NEVER = "is never reached: the query gives one row for each key"


def said(project: Project, yaml: str, sql: str) -> list[str]:
    common = "title: T\nowner: payments\n"
    rest = {"schedule": "{every: 5m}", "key": "[seller_id]", "severity": "high"}
    given = "".join(f"{k}: {v}\n" for k, v in rest.items() if f"\n{k}:" not in f"\n{yaml}")
    project.write(YAML, common + given + yaml)
    project.write(SQL, sql)
    return [p for p in project.said() if "payments/one" in p]


COUNTS = [
    (TRAILING + "threshold: {count: 3}\n", GROUPED, [f"{YAML}:7:20 threshold.count: 3 {NEVER}"]),
    (TRAILING + "severity: {low: 1, high: 5}\n", GROUPED, [
        f"{YAML}:6:26 severity.high: 5 {NEVER}; grade a column: {{by: …, high: 5}}"]),
    (TRAILING + "severity: {by: n, low: 1, high: 5}\n", GROUPED, []),
    (TRAILING + "key: []\nthreshold: {count: 3}\n", GROUPED, []),
    (TRAILING + "threshold: {count: 3}\n", GROUPED.replace("BY seller_id", "BY 1"), [f"{YAML}:7:20 threshold.count: 3 {NEVER}"]),
    (TRAILING + "threshold: {count: 3}\n", GROUPED.replace("BY seller_id", "BY ALL"), [f"{YAML}:7:20 threshold.count: 3 {NEVER}"]),
    (TRAILING + "threshold: {count: 3}\n", GROUPED.replace("BY seller_id", "BY seller_id, author_id"), []),
    (INCREMENTAL + "threshold: {count: 3, within: 1h}\n", GROUPED, [
        f"{SQL}:2:34 warning: puts rows together, and a look sees only those that came since the last one: "
        "give each row by itself and let threshold count them, or look at a whole time with trailing"]),
    (INCREMENTAL + "threshold: {count: 3, within: 1h}\n", PLAIN + " AND NOT (author_id = 'x' OR seller_id = 'y')", []),
    (INCREMENTAL + "row_key: [seller_id]\nthreshold: {count: 3, within: 1h}\n", PLAIN, [
        f"{YAML}:8:20 threshold.count: 3 is never reached: row_key is within the key, so each key has one row for ever"]),
    (INCREMENTAL + "row_key: [message_id]\nthreshold: {count: 3, within: 1h}\n", PLAIN, []),
    (INCREMENTAL + "threshold: {distinct: seller_id, count: 3, within: 1h}\n", PLAIN, [
        f"{YAML}:7:41 threshold.count: 3 is never reached: seller_id is part of the key, so each key has one value of it"]),
    (INCREMENTAL + "threshold: {distinct: author_id, count: 3, within: 1h}\n", PLAIN, []),
    (TRAILING + "threshold: {count: 3}\n", PLAIN + " QUALIFY ROW_NUMBER() OVER (PARTITION BY seller_id ORDER BY sent_at) = 1", [f"{YAML}:7:20 threshold.count: 3 {NEVER}"]),
    (TRAILING + "threshold: {count: 3}\n", PLAIN + " LIMIT 2", [f"{SQL}:2:34 LIMIT 2 is less than the threshold of 3, which is never reached"]),
    (TRAILING, PLAIN + " LIMIT 2", [f"{SQL}:2:34 warning: rows beyond LIMIT 2 count as gone; max_alerts keeps alerts few without losing any"]),
    (INCREMENTAL + "threshold: {count: 3, within: 1h}\n", PLAIN + " LIMIT 2", [
        f"{SQL}:2:34 warning: rows beyond LIMIT 2 are never looked at again; max_alerts keeps alerts few without losing any"]),
    (TRAILING + "key: []\nmax_alerts: 3\n", PLAIN, [f"{YAML}:7:1 max_alerts: means nothing with key: [], which has one alert at most"]),
    (TRAILING + "alert: {fields: [author_id], columns: {author_id: hide}}\n", PLAIN, [
        f"{YAML}:7:18 alert.fields[1]: author_id is hidden by alert.columns, so the card does not show it"]),
    (TRAILING + "entity: author_id\n", PLAIN, [f"{YAML}:7:9 warning: entity[1]: no entry of _entities.yml has the column author_id, so the card opens nothing"]),
    (TRAILING + "channel: alerts\n", PLAIN, [f"{YAML}:7:10 channel: must be Slack's id of a channel, such as C0123ABCD, not \"alerts\""]),
]  # fmt: skip


@pytest.mark.parametrize(("yaml", "sql", "expected"), COUNTS, ids=[f"{n}: {y[-40:]}" for n, (y, _, _) in enumerate(COUNTS)])  # fmt: skip
def test_what_is_never_reached_or_changes_nothing_is_said(
    project: Project, yaml: str, sql: str, expected: list[str]
) -> None:
    assert said(project, yaml, sql) == expected


WHOLE = "warning: reads all of core.chat_messages, which grows; bound it by sent_at"
EVER = "(SELECT seller_id, COUNT(*) AS ever FROM {{ table('core.chat_messages') }}%s GROUP BY 1)"
SCANS = [
    (TRAILING, f"WITH past AS {EVER % ''}\n{PLAIN}", [f"{SQL}:1:65 {WHOLE} (in_window)"]),
    (TRAILING, f"WITH past AS {EVER % ' WHERE author_id = seller_id'}\n{PLAIN}", [f"{SQL}:1:65 {WHOLE} (in_window)"]),
    (TRAILING, f"WITH past AS {EVER % ' WHERE sent_at > :window_start'}\n{PLAIN}", []),
    ("", "SELECT seller_id FROM {{ table('core.chat_messages') }}", [f"{SQL}:1:33 {WHOLE} (sent_at >= …)"]),
    ("", "SELECT seller_id FROM {{ table('core.chat_messages') }} WHERE body = 'x'", []),
    ("", "SELECT seller_id FROM {{ table('core.sellers') }}", []),
    # Asked about one row of another table, or joined with what is bounded: no more is read than is needed.
    (TRAILING, PLAIN.replace("core.chat_messages') }}", "core.chat_messages') }} m") + " AND EXISTS (SELECT 1 FROM {{ table('core.chat_messages') }} o WHERE o.author_id = m.seller_id)", []),
    (TRAILING, "SELECT m.message_id, m.seller_id, m.sent_at FROM {{ table('core.chat_messages') }} m JOIN {{ table('core.chat_messages') }} o USING (author_id) WHERE {{ in_window('m.sent_at') }}", []),
]  # fmt: skip


@pytest.mark.parametrize(("yaml", "sql", "expected"), SCANS, ids=[str(n) for n in range(len(SCANS))])
def test_a_table_that_grows_is_not_read_whole(
    project: Project, yaml: str, sql: str, expected: list[str]
) -> None:
    assert said(project, yaml, sql) == expected


def test_looks_between_two_loads_are_said_unless_the_time_of_the_look_is_asked_about(
    project: Project,
) -> None:
    project.change(ASSETS, "core.sellers: {", "core.sellers: {load_interval: 1h, ")
    state = "SELECT seller_id FROM {{ table('core.sellers') }}"
    often = (
        f"{YAML}:3:19 warning: schedule.every: looks 60 times in each load: what it reads is loaded every 1 h"
    )
    assert said(project, "schedule: {every: 1m}\n", state)[0].startswith(often.replace(":3:", ":5:"))
    assert said(project, "schedule: {every: 10m}\n", state) == []
    (one,) = said(project, 'schedule: {cron: "*/5 9-17 * * *"}\n', state)
    assert one.startswith(f"{YAML}:5:18 warning: schedule.cron: looks 12 times in each load")
    assert said(project, 'schedule: {cron: "0 * * * *"}\n', state) == []
    assert said(project, "schedule: {every: 1m}\n", f"{state} WHERE :window_end > '2026-01-01'") == []
    both = PLAIN.replace("WHERE", "JOIN {{ table('core.sellers') }} s USING (seller_id) WHERE")
    assert said(project, TRAILING + "schedule: {every: 1m}\n", both) == []  # messages come each minute


def test_a_table_without_an_owner_is_said_where_it_is_read(project: Project) -> None:
    project.change(ASSETS, "core.sellers: {owner: payments, ", "core.sellers: {")
    assert said(project, "", "SELECT seller_id FROM {{ table('core.sellers') }}") == [
        f"{SQL}:1:33 warning: nobody owns core.sellers; give it an owner in policies/_assets.yml"
    ]


def test_to_wait_for_what_is_never_late_is_said(project: Project) -> None:
    sql = "SELECT seller_id FROM {{ table('core.sellers') }}"
    (one,) = said(project, "needs: {core.sellers: skip}\n", sql)
    assert one == (
        f"{YAML}:6:23 warning: needs.core.sellers: has no effect: core.sellers says no loaded_until and"
        " freshness: {late_after: …} in policies/_assets.yml, so it is never late"
    )
    assert said(project, "needs: {core.sellers: run}\n", sql) == []
