-- One row per stream of events that brought under a fifth of its usual rows in the last quarter of an hour.
WITH counted AS (
    {{ recent_volume('chat', 'core.chat_messages', 'sent_at') }}
    UNION ALL
    {{ recent_volume('orders', 'core.orders', 'created_at') }}
    UNION ALL
    {{ recent_volume('bids', 'core.bids', 'placed_at') }}
    UNION ALL
    {{ recent_volume('account events', 'core.account_events', 'happened_at') }}
)
SELECT c.stream, c.lately, ROUND(c.usual, 0) AS usual
FROM counted c
WHERE c.usual >= :least_usual
  AND 5 * c.lately < c.usual
