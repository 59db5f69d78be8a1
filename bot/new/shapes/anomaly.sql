-- One row per $key_words with more rows in a day than on any day before, and :times times the usual or more.
WITH $days AS (
    SELECT $keys_e, CAST(e.$t AS DATE) AS $day_of, COUNT(*) AS $on_day
    FROM {{ table('$table') }} e
    WHERE {{ in_baseline('e.$t') }}
?match       AND $conditions
    GROUP BY $keys_e, CAST(e.$t AS DATE)
),
$usual AS (
    SELECT $keys_d, COUNT(*) AS $days_seen, AVG(d.$on_day) AS $usual_day, MAX(d.$on_day) AS $most_before
    FROM $days d
    GROUP BY $keys_d
),
$latest AS (
    SELECT $keys_e, COUNT(*) AS $rows_now
    FROM {{ table('$table') }} e
    WHERE {{ in_window('e.$t') }}
?match       AND $conditions
    GROUP BY $keys_e
)
SELECT $keys_n, n.$rows_now, ROUND(u.$usual_day, 1) AS $usual_day, u.$most_before
FROM $latest n
JOIN $usual u ON $on_u_n
WHERE u.$days_seen >= :least_days
  AND n.$rows_now > u.$most_before
  AND n.$rows_now >= :times * u.$usual_day
