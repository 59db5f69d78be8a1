-- One row per $key_words that had :least or more rows before and has none in the window.
SELECT $keys_e, COUNT(*) AS $rows_before, MAX(e.$t) AS $newest_at
FROM {{ table('$table') }} e
WHERE ({{ in_window('e.$t') }} OR {{ in_baseline('e.$t') }})
?match   AND $conditions
GROUP BY $keys_e
HAVING COUNT(*) >= :least
   AND MAX(e.$t) < :window_start
