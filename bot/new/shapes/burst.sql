-- One row per $key_words with :least or more different values of $distinct in the window.
SELECT $keys_e,
       COUNT(DISTINCT $distinct_e) AS $accounts,
       MIN(e.$t) AS $first_at,
       MAX(e.$t) AS $last_at
FROM {{ table('$table') }} e
WHERE {{ in_window('e.$t') }}
  AND $keys_there
?match   AND $conditions
GROUP BY $keys_e
HAVING COUNT(DISTINCT $distinct_e) >= :least
