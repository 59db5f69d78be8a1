-- One row per row of $table that meets the condition.
SELECT $select
FROM {{ table('$table') }} e
?time WHERE {{ in_window('e.$t') }}
?time   AND $conditions
?!time $where
