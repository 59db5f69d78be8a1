-- One row per order whose buyer and seller have signed in from the same device in the month before.
WITH devices AS (
    SELECT DISTINCT e.account_id, e.device_id
    FROM {{ table('core.account_events') }} e
    WHERE e.kind = 'login'
      AND e.happened_at >= DATEADD('day', -30, :window_start)
      AND e.happened_at < :window_end
)
SELECT o.order_id,
       o.seller_id,
       COALESCE(s.display_name, o.seller_id) AS seller_name,
       o.buyer_id,
       h.device_id,
       o.amount,
       o.created_at
FROM {{ table('core.orders') }} o
JOIN devices h ON h.account_id = o.seller_id
JOIN devices b ON b.account_id = o.buyer_id AND b.device_id = h.device_id
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = o.seller_id
WHERE {{ in_window('o.created_at') }}
  AND o.status <> 'declined'
QUALIFY ROW_NUMBER() OVER (PARTITION BY o.order_id ORDER BY h.device_id) = 1
