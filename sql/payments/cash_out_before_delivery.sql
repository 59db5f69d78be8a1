-- One row per new seller who was paid out most of what was sold in the window while hardly anything was shipped.
WITH paid AS (
    SELECT p.seller_id, SUM(p.amount)::NUMBER(12, 2) AS paid_out, MAX(p.paid_at) AS paid_at
    FROM {{ table('core.payouts') }} p
    WHERE {{ in_window('p.paid_at') }}
    GROUP BY p.seller_id
),
sold AS (
    SELECT o.seller_id,
           COUNT(*) AS orders,
           COUNT_IF(o.status = 'paid') AS unshipped,
           SUM(o.amount)::NUMBER(12, 2) AS sold
    FROM {{ table('core.orders') }} o
    WHERE {{ in_window('o.created_at') }}
      AND o.status <> 'declined'
    GROUP BY o.seller_id
)
SELECT p.seller_id, s.display_name AS seller_name, n.orders, n.unshipped, n.sold, p.paid_out, s.joined_at, p.paid_at
FROM paid p
JOIN sold n ON n.seller_id = p.seller_id
JOIN {{ table('core.sellers') }} s ON s.seller_id = p.seller_id
WHERE s.joined_at > DATEADD('day', -14, :window_end)
  AND p.paid_out >= 300
  AND p.paid_out >= 0.6 * n.sold
  AND n.unshipped >= 0.8 * n.orders
