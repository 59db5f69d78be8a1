?match -- One row per row of $table that meets the condition; the YAML counts them.
?!match -- One row per row of $table; the YAML counts them.
SELECT $select
FROM {{ table('$table') }} e
?time WHERE {{ in_window('e.$t') }}
?time+match   AND $conditions
?!time+match $where
