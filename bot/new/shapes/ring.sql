-- One row per $key_words that :least or more different values of $distinct share, and each of these.
WITH $shared AS (
    SELECT $keys_e, COUNT(DISTINCT $distinct_e) AS $members
    FROM {{ table('$table') }} e
?time     WHERE {{ in_window('e.$t') }}
?time+match       AND $conditions
?!time+match     $where
    GROUP BY $keys_e
    HAVING COUNT(DISTINCT $distinct_e) >= :least
)
SELECT $keys_s, $distinct_e, s.$members
FROM {{ table('$table') }} e
JOIN $shared s ON $on_e_s
WHERE $distinct_e IS NOT NULL
?time   AND {{ in_window('e.$t') }}
?match   AND $conditions
GROUP BY $keys_s, $distinct_e, s.$members
