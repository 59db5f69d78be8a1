-- One row per seller with at least five disputes in the window, and two for every hundred orders.
WITH charged AS (
    SELECT d.seller_id,
           COUNT(DISTINCT COALESCE(d.order_id, d.dispute_id)) AS disputes, -- an order may be disputed twice
           SUM(d.amount)::NUMBER(12, 2) AS disputed,
           MODE(d.reason) AS main_reason,
           MAX(d.opened_at) AS opened_at
    FROM {{ table('core.disputes') }} d
    WHERE {{ in_window('d.opened_at') }}
    GROUP BY d.seller_id
),
sold AS (
    SELECT o.seller_id, COUNT(*) AS orders
    FROM {{ table('core.orders') }} o
    WHERE {{ in_window('o.created_at') }}
      AND o.status <> 'declined'
    GROUP BY o.seller_id
)
SELECT c.seller_id,
       COALESCE(s.display_name, c.seller_id) AS seller_name,
       c.disputes,
       COALESCE(n.orders, 0) AS orders,
       LEAST(ROUND(100.0 * c.disputes / GREATEST(COALESCE(n.orders, 0), 1), 1), 100) AS percent,
       c.disputed,
       c.main_reason,
       c.opened_at
FROM charged c
LEFT JOIN sold n ON n.seller_id = c.seller_id -- who has stopped selling is still charged back
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = c.seller_id
WHERE c.disputes >= :least_disputes
  AND 100.0 * c.disputes >= :least_percent * COALESCE(n.orders, 0)
