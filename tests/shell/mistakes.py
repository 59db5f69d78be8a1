"""Policies as newcomers break them: each is a whole pair of files, made of a good one by one slip."""

# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

from dataclasses import dataclass

YAML, SQL = "policies/payments/refund_spike.yml", "sql/payments/refund_spike.sql"
ASSETS = "policies/_assets.yml"
GOOD = {
    YAML: """title: Seller refunds far more than usual
owner: payments
status: shadow
severity: {by: refunds, medium: 5, high: 10}
schedule: {every: 5m}
window: {trailing: 2h, column: refunded_at}
key: [seller_id]
alert:
  title: "{{ seller_name }}: {{ refunds }} refunds in two hours"
  fields: [seller_name, refunds, refunded]
cases:
  - name: five in an hour
    at: 2026-01-05T12:00:00Z
    given:
      core.refunds: [{refund_id: r1, seller_id: s_1, amount: 9, refunded_at: 2026-01-05T11:00:00Z, repeat: 5}]
      core.sellers: [{seller_id: s_1, display_name: Dee}]
    expect: [{seller_id: s_1, severity: medium}]
  - {name: nobody refunds, at: 2026-01-05T12:00:00Z, given: {core.refunds: []}, expect: []}
""",
    SQL: """-- One row per seller with five refunds or more in the window.
SELECT r.seller_id, MAX(s.display_name) AS seller_name,
       COUNT(*) AS refunds, SUM(r.amount) AS refunded, MAX(r.refunded_at) AS refunded_at
FROM {{ table('core.refunds') }} r
JOIN {{ table('core.sellers') }} s ON s.seller_id = r.seller_id
WHERE {{ in_window('r.refunded_at') }} AND r.amount > 0
GROUP BY r.seller_id
HAVING COUNT(*) >= 5
""",
    "policies/_teams.yml": """payments:
  channel: C0PAYMENTS
  members: {ana: {slack: U0ANA}, bo: {slack: U0BO}}
""",
    ASSETS: """core.refunds:
  owner: payments
  loaded_until: refunded_at
  load_interval: 1m
  columns: {refund_id: varchar, seller_id: varchar, amount: 'decimal(12,2)', reason: varchar, refunded_at: timestamp}
core.sellers: {owner: payments, load_interval: 1h, columns: {seller_id: varchar, display_name: varchar}}
core.orders: {columns: {order_id: varchar, seller_id: varchar}}
core.notes: {owner: payments, tier: scratch, columns: {seller_id: varchar}}
""",
    "policies/_jobs.yml": """hold_payouts:
  {title: Hold payouts, kind: sql, owner: payments, url: 'sqlite:///ops.db', statement: 'SELECT :seller_id', params: {seller_id: {}}}
""",
    "policies/_violations.yml": "refund_abuse: {title: Refund abuse, what: Refunds are taken where the goods were fine.}\n",
    "patrol.yml": "dialect: snowflake\nwarehouse_url: duckdb:///warehouse.duckdb\n",
}


@dataclass(frozen=True)
class Slip:
    """What somebody meant, the line that stood there, what was typed instead, and all that check then says."""

    meant: str
    file: str
    good: str
    typed: str
    said: tuple[str, ...]


def slip(meant: str, file: str, good: str, typed: str, *said: str) -> Slip:
    return Slip(meant, file, good, typed, said)


TITLE = GOOD[YAML].splitlines()[0]
A_TITLE = '  title: "{{ seller_name }}: {{ refunds }} refunds in two hours"'
SLIPS = [
    slip("A title with a colon", YAML, TITLE, "title: Refunds: 3x the usual", 'policies/payments/refund_spike.yml:1:15 ": " inside a text needs quotes around the text: "Refunds: 3x the usual"'),
    slip("A template without quotes", YAML, A_TITLE, "  title: {{ seller_name }} refunds", 'policies/payments/refund_spike.yml:9:10 a value that begins with {{ needs quotes: "{{ seller_name }} refunds"'),
    slip("Cron without quotes", YAML, "schedule: {every: 5m}", "schedule: {cron: */5 * * * *}", 'policies/payments/refund_spike.yml:5:18 a value that begins with * needs quotes: "*/5 * * * *"'),
    slip("A mention of somebody", YAML, "owner: payments", "owner: @payments", 'policies/payments/refund_spike.yml:2:8 a value that begins with @ needs quotes: "@payments"'),
    slip("A channel for an owner", YAML, "owner: payments", "owner: #payments", 'policies/payments/refund_spike.yml:2:8 owner: # begins a comment, so nothing stands here; put quotes around it: "#payments"'),
    slip("A tab", YAML, "  fields: [seller_name", "\tfields: [seller_name", "policies/payments/refund_spike.yml:10:1 a tab stands in the indentation; YAML takes only spaces"),
    slip("A key twice", YAML, "status: shadow", "status: shadow\nstatus: live", "policies/payments/refund_spike.yml:4:1 status stands here twice, first in line 3; keep one"),
    slip("Words that YAML once took for others", YAML, "status: shadow", "status: on", 'policies/payments/refund_spike.yml:3:9 status: must be draft, shadow, live or retired, not "on"'),
    slip("An id that begins with zero", YAML, "key: [seller_id]", "key: [seller_id]\nthreshold: {count: 010}", 'policies/payments/refund_spike.yml:8:20 threshold.count: must be a whole number, not "010"'),
    slip("A bracket left open", YAML, "key: [seller_id]", "key: [seller_id", "policies/payments/refund_spike.yml:7:6 the bracket that opens here is not closed with ], or a comma is missing"),
    slip("A quote left open", YAML, A_TITLE, '  title: "{{ seller_name }} refunds', 'policies/payments/refund_spike.yml:9:10 the quote that begins here does not end as it should: "{{ seller_name }} refunds'),
    slip("A key under the wrong one", YAML, "alert:\n", "alert:\n runbook: https://wiki.example.com/refunds\n", "policies/payments/refund_spike.yml:10:8 this line does not fit the lines above it: look at its indentation, colon and quotes"),
    slip("A misspelt key", YAML, "severity:", "severty:", 'policies/payments/refund_spike.yml:4:1 unknown key "severty"; did you mean "severity"?'),
    slip("No key", YAML, "key: [seller_id]\n", "", "policies/payments/refund_spike.yml:1:1 key is missing"),
    slip("A column where a list belongs", YAML, "key: [seller_id]", "key: seller_id", 'policies/payments/refund_spike.yml:7:6 key: must be a list such as [a, b], not "seller_id"'),
    slip("A team that there is not", YAML, "owner: payments", "owner: payment", 'policies/payments/refund_spike.yml:2:8 owner: no team "payment"; did you mean "payments"?'),
    slip("A violation that there is not", YAML, "status: shadow", "status: shadow\nviolation: refunds_abuse", 'policies/payments/refund_spike.yml:4:12 violation: no violation "refunds_abuse"; did you mean "refund_abuse"?'),
    slip("A job that there is not", YAML, "status: shadow", "status: shadow\noffer: [hold_payout]", 'policies/payments/refund_spike.yml:4:9 offer[1]: no job "hold_payout"; did you mean "hold_payouts"?'),
    slip("A channel by its name", YAML, "status: shadow", "status: shadow\nchannel: '#refunds'", "policies/payments/refund_spike.yml:4:10 channel: must be Slack's id of a channel, such as C0123ABCD, not \"#refunds\""),
    slip("A duration in words", YAML, "{every: 5m}", "{every: 5 minutes}", 'policies/payments/refund_spike.yml:5:19 schedule.every: must be a duration such as 30s, 15m, 2h, 1d or 4w, not "5 minutes"'),
    slip("A runbook that is no address", YAML, "status: shadow", "status: shadow\nrunbook: see the wiki", "policies/payments/refund_spike.yml:4:10 warning: runbook: is no address, so the card cannot open it: write https://…, or say it in description"),
    slip("A window of no length", YAML, "{trailing: 2h, column: refunded_at}", "{column: refunded_at}", "policies/payments/refund_spike.yml:6:1 warning: window: says neither lookback (how late a row may come) nor trailing: a row that comes late is not looked at", "sql/payments/refund_spike.sql:7:1 warning: puts rows together, and a look sees only those that came since the last one: give each row by itself and let threshold count them, or look at a whole time with trailing"),
    slip("Bounds the wrong way round", YAML, "medium: 5, high: 10", "medium: 10, high: 5", "policies/payments/refund_spike.yml:4:43 severity.high: must be more than medium's 10, because high is worse"),
    slip("A severity of one's own", YAML, "{by: refunds, medium: 5, high: 10}", "urgent", 'policies/payments/refund_spike.yml:4:11 severity: no severity "urgent"; it is one of info, low, medium, high, critical'),
    slip("A count of what is counted already", YAML, "{by: refunds, medium: 5, high: 10}", "{medium: 5, high: 10}", "policies/payments/refund_spike.yml:4:20 severity.medium: 5 is never reached: the query gives one row for each key; grade a column: {by: …, medium: 5}"),
    slip("A threshold beside HAVING", YAML, "key: [seller_id]", "key: [seller_id]\nthreshold: {count: 5}", "policies/payments/refund_spike.yml:8:20 threshold.count: 5 is never reached: the query gives one row for each key"),
    slip("Catching up where nothing is missed", YAML, "status: shadow", "status: shadow\ncatchup: each", "policies/payments/refund_spike.yml:4:1 catchup: means nothing here: only a window with lookback has something to catch up"),
    slip("Waiting for what is never late", YAML, "status: shadow", "status: shadow\nneeds: {core.refunds: wait, core.sellers: run}", "policies/payments/refund_spike.yml:4:23 warning: needs.core.refunds: has no effect: core.refunds says no freshness: {late_after: …} in policies/_assets.yml, so it is never late"),
    slip("A card with a column that is not given", YAML, "refunds, refunded]", "refunds, amount]", "policies/payments/refund_spike.yml:10:34 alert.fields[3]: the query gives no column amount"),
    slip("A title with a column that is not given", YAML, "{{ seller_name }}:", "{{ name }}:", 'policies/payments/refund_spike.yml:9:10 alert.title: the query gives no column name; did you mean "seller_name"?'),
    slip("A title that loops", YAML, A_TITLE, '  title: "{% for r in reasons %}{{ r }}{% endfor %}"', "policies/payments/refund_spike.yml:9:10 alert.title: a title takes {{ … }} and {% if %}, nothing else"),
    slip("A title that goes on and on", YAML, A_TITLE, '  title: "{{ seller_name }} has, within the last two hours, given back the money of so many orders that somebody should have a look at what is going on in this shop"', "policies/payments/refund_spike.yml:9:10 warning: alert.title: is cut on every card: with the shortest values it has 138 characters, of which 120 are shown"),
    slip("A title in the braces of another language", YAML, "{{ seller_name }}:", "{seller_name}:", "policies/payments/refund_spike.yml:9:10 warning: alert.title: {seller_name} is shown as it stands; a column is written {{ seller_name }}"),
    slip("A severity by a text", YAML, "by: refunds", "by: seller_name", "policies/payments/refund_spike.yml:4:16 severity.by: seller_name is of type VARCHAR; severity is graded by a number"),
    slip("A key that names nobody", YAML, "key: [seller_id]", "key: [refunded]", "policies/payments/refund_spike.yml:7:7 warning: key[1]: refunded is of type DECIMAL(38,2) and names nobody: each value of it is an alert of its own"),
    slip("Events that the SQL counts itself", YAML, "{trailing: 2h, column: refunded_at}", "{lookback: 2h, column: refunded_at}", "sql/payments/refund_spike.sql:7:1 warning: puts rows together, and a look sees only those that came since the last one: give each row by itself and let threshold count them, or look at a whole time with trailing"),
    slip("A type with a comma", ASSETS, "amount: 'decimal(12,2)'", "amount: decimal(12,2)", "policies/_assets.yml:5:61 core.refunds.columns.amount: a type with a comma needs quotes: 'decimal(12,2)'"),
    slip("A case with a severity that there is not", YAML, "severity: medium}]", "severity: Medium}]", 'policies/payments/refund_spike.yml:17:41 cases[1].expect[1].severity: must be one of info, low, medium, high, critical, not "Medium"; did you mean "medium"?'),
    slip("Twelve looks at one load", ASSETS, "load_interval: 1m", "load_interval: 1h", "policies/payments/refund_spike.yml:5:19 warning: schedule.every: looks 12 times in each load: what it reads is loaded every 1 h at the most often (load_interval in policies/_assets.yml)"),
    slip("A wrong table", SQL, "table('core.refunds')", "table('core.refund')", 'sql/payments/refund_spike.sql:4:16 no table "core.refund" in policies/_assets.yml; did you mean "core.refunds"?'),
    slip("A table without its brackets", SQL, "{{ table('core.refunds') }}", "core.refunds", "sql/payments/refund_spike.sql:4:6 write {{ table('core.refunds') }} instead of core.refunds"),
    slip("A name without quotes", SQL, "table('core.refunds')", "table(core.refunds)", "sql/payments/refund_spike.sql:4:15 table takes a name in quotes: table('core.refunds')"),
    slip("A wrong column", SQL, "SUM(r.amount)", "SUM(r.amuont)", "sql/payments/refund_spike.sql:3:33 core.refunds has no column amuont; did you mean amount?"),
    slip("A comma too few", SQL, "AS refunds, SUM", "AS refunds SUM", 'sql/payments/refund_spike.sql:3:28 this cannot be read as snowflake SQL near "SUM"'),
    slip("A semicolon and a second query", SQL, "HAVING COUNT(*) >= 5\n", "HAVING COUNT(*) >= 5;\nSELECT 1\n", "sql/payments/refund_spike.sql:9:1 a policy is one SELECT; here are more"),
    slip("A query that writes", SQL, "SELECT r.seller_id,", "INSERT INTO core.notes SELECT r.seller_id,", "sql/payments/refund_spike.sql:2:1 a policy may only SELECT; INSERT is refused"),
    slip("The clock", SQL, "{{ in_window('r.refunded_at') }}", "r.refunded_at > CURRENT_TIMESTAMP - INTERVAL '2 hours'", "sql/payments/refund_spike.sql:6:23 current_timestamp may not be called: it depends on the clock; write :window_end, the time of the look"),
    slip("No window", SQL, "{{ in_window('r.refunded_at') }}", "r.refunded_at > '2026-01-01'", "sql/payments/refund_spike.sql:6:1 the SQL must keep to the window: WHERE {{ in_window('refunded_at') }}"),
    slip("A window by another column", SQL, "in_window('r.refunded_at')", "in_window('r.amount')", "policies/payments/refund_spike.yml:6:32 window.column: is refunded_at, but the SQL keeps to the window by r.amount", "sql/payments/refund_spike.sql:6:21 DECIMAL and TIMESTAMP cannot be compared; cast one (carried from snowflake to duckdb; a .duckdb.sql beside it is taken instead)"),
    slip("A value pasted by a template", SQL, "r.amount > 0", "r.amount > {{ least }}", 'sql/payments/refund_spike.sql:6:58 "least" is not a function or macro'),
    slip("A value without a name", SQL, "r.amount > 0", "r.amount > :least", "sql/payments/refund_spike.sql:6:55 :least has no value; give it one in params"),
    slip("A file", SQL, "{{ table('core.sellers') }}", "read_csv('sellers.csv')", "sql/payments/refund_spike.sql:5:6 read_csv may not stand in FROM: it reaches outside the declared tables"),
    slip("A text held against a number", SQL, "r.amount > 0", "r.reason > 0", "sql/payments/refund_spike.sql:6:44 VARCHAR and INTEGER cannot be compared; cast one (carried from snowflake to duckdb; a .duckdb.sql beside it is taken instead)"),
    slip("A sum of texts", SQL, "SUM(r.amount)", "SUM(r.reason)", "sql/payments/refund_spike.sql:3:29 sum does not take (VARCHAR) (carried from snowflake to duckdb; a .duckdb.sql beside it is taken instead)"),
    slip("A column that is not grouped by", SQL, "MAX(s.display_name)", "s.display_name", "sql/payments/refund_spike.sql:2:21 display_name stands neither in GROUP BY nor in an aggregate"),
    slip("A function that DuckDB has not", SQL, "MAX(s.display_name)", "MAX(SOUNDEX(s.display_name))", "sql/payments/refund_spike.sql:2:25 this cannot be carried from snowflake to duckdb: SOUNDEX is not supported in DuckDB; write a .duckdb.sql beside it"),
    slip("A format that does not carry over", SQL, "MAX(r.refunded_at) AS", "MAX(TO_CHAR(r.refunded_at, 'HH12 AM')) AS", "sql/payments/refund_spike.sql:3:60 this cannot be carried from snowflake to duckdb: TO_CHAR with its format is not supported there; write a .duckdb.sql beside it"),
    slip("A text in the quotes of a name", SQL, "r.amount > 0", 'r.reason = "damaged"', "sql/payments/refund_spike.sql:6:56 a text stands between ' and ': write 'damaged'; no table that is read here has a column damaged"),
    slip("A model of dbt", SQL, "table('core.refunds')", "ref('refunds')", "sql/payments/refund_spike.sql:4:9 ref is dbt's; a table, from dbt or not, is {{ table('schema.name') }} here"),
    slip("An OR beside the window", SQL, "AND r.amount > 0", "OR r.amount > 900", "sql/payments/refund_spike.sql:6:10 warning: OR lets rows in that are outside the window: put the OR in brackets"),
    slip("A comparison with NULL", SQL, "r.amount > 0", "r.reason = NULL", "sql/payments/refund_spike.sql:6:55 warning: = NULL is true of no row: write IS NULL"),
    slip("A table that nobody owns", SQL, "JOIN {{ table('core.sellers') }} s ON", "JOIN {{ table('core.orders') }} o ON o.seller_id = r.seller_id\nJOIN {{ table('core.sellers') }} s ON", "sql/payments/refund_spike.sql:5:16 warning: nobody owns core.orders; give it an owner in policies/_assets.yml"),
    slip("All that there ever was", SQL, ">= 5\n", ">= (SELECT COUNT(*) / 1000 FROM {{ table('core.refunds') }})\n", "sql/payments/refund_spike.sql:8:59 warning: reads all of core.refunds, which grows; bound it by refunded_at (in_window)"),
    slip("Fewer rows by LIMIT", SQL, ">= 5\n", ">= 5\nLIMIT 10\n", "sql/payments/refund_spike.sql:9:1 warning: rows beyond LIMIT 10 count as gone; max_alerts keeps alerts few without losing any"),
    slip("A brace left open", SQL, "{{ in_window('r.refunded_at') }}", "{{ in_window('r.refunded_at') AND TRUE", "sql/payments/refund_spike.sql:6:7 AND is not expected before }}"),
    slip("Two tables, each made of the other", ASSETS, "core.sellers: {owner: payments, load_interval: 1h, columns: {seller_id: varchar, display_name: varchar}}\ncore.orders: {", "core.sellers: {after: [core.orders], owner: payments, load_interval: 1h, columns: {seller_id: varchar, display_name: varchar}}\ncore.orders: {after: [core.sellers], ", "policies/_assets.yml:6:24 core.sellers.after[1]: goes round in a circle, so that nothing in it comes first: core.orders → core.sellers → core.orders", "policies/_assets.yml:8:1 warning: core.notes: nothing reads it, or is made after it; is it still used?"),
]  # fmt: skip


def broken(slip: Slip) -> dict[str, str]:
    """The whole project with this one slip in it."""
    return {**GOOD, slip.file: GOOD[slip.file].replace(slip.good, slip.typed, 1)}


def page() -> str:
    """docs/mistakes.md: every slip, what `patrol check` says, and what stands there when it is right."""
    parts = [HEAD.format(yaml=GOOD[YAML], sql=GOOD[SQL])]
    for file, title in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [_told(one) for one in SLIPS if one.file == file]
    return "\n".join(parts)


SECTIONS = {YAML: "In the YAML", SQL: "In the SQL", ASSETS: "Beside the policies"}
HEAD = """# What check says, and what to do

Everybody slips. `patrol check` names each slip with its file, line and column, and with what to do about it. Here are those that are
made most, one at a time, in this policy, which is right:

```yaml
{yaml}```

```sql
{sql}```

A message that begins with `warning:` is about something that works, but hardly as it was meant; `patrol check --strict` takes
it for a mistake. This page is made of the table that the tests hold Patrol to.
"""


def _told(slip: Slip) -> str:
    language = "sql" if slip.file == SQL else "yaml"
    said = "\n".join(slip.said)
    right = f"Right: `{slip.good.strip()}`" if "\n" not in slip.good.strip() else ""
    there = f"\n{right}\n" if right and slip.good.strip() not in slip.typed else ""
    return f"### {slip.meant}\n\n```{language}\n{_snippet(slip)}\n```\n\n```\n{said}\n```\n{there}"


def _snippet(slip: Slip) -> str:
    """The whole lines that the slip stands in."""
    before, _, after = GOOD[slip.file].partition(slip.good)
    start, end = before.rpartition("\n")[2], after.partition("\n")[0]
    return f"{start}{slip.typed}{end}".rstrip("\n") or "(the line is not there)"


if __name__ == "__main__":
    print(page(), end="")
