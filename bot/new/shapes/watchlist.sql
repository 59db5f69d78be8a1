-- One row per row of $table whose $on_key stands in $watchlist.
SELECT $select$list_columns
FROM {{ table('$table') }} e
JOIN {{ table('$watchlist') }} w ON $on_w = $on_e
?time WHERE {{ in_window('e.$t') }}
?time+match   AND $conditions
?!time+match $where
