-- One row per $key_words whose share of $hits_words is :times times what it was before, or more.
WITH $hit_rows AS (
    SELECT $keys_e,
           SUM(CASE WHEN e.$t >= :window_start THEN 1 ELSE 0 END) AS $hits,
           SUM(CASE WHEN e.$t < :window_start THEN 1 ELSE 0 END) AS $hits_before
    FROM {{ table('$table') }} e
    WHERE ({{ in_window('e.$t') }} OR {{ in_baseline('e.$t') }})
?match       AND $conditions
    GROUP BY $keys_e
),
$all_rows AS (
    SELECT $keys_o,
           SUM(CASE WHEN o.$ot >= :window_start THEN 1 ELSE 0 END) AS $out_of,
           SUM(CASE WHEN o.$ot < :window_start THEN 1 ELSE 0 END) AS $out_of_before
    FROM {{ table('$of_table') }} o
    WHERE ({{ in_window('o.$ot') }} OR {{ in_baseline('o.$ot') }})
    GROUP BY $keys_o
)
SELECT $keys_a,
       h.$hits,
       a.$out_of,
       ROUND(100.0 * h.$hits / a.$out_of, 1) AS $rate,
       ROUND(100.0 * h.$hits_before / a.$out_of_before, 1) AS $usual_rate
FROM $all_rows a
JOIN $hit_rows h ON $on_h_a
WHERE a.$out_of >= :least
  AND a.$out_of_before >= :least
  AND h.$hits >= :least_hits
  AND h.$hits * a.$out_of_before >= :times * h.$hits_before * a.$out_of
