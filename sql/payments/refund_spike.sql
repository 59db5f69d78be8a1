-- One row per seller who refunded at least seven orders in the window and four times as many as usual.
WITH recent AS (
    SELECT r.seller_id,
           COUNT(*) AS refunds,
           SUM(r.amount) AS refunded,
           MODE(r.reason) AS main_reason,
           MAX(r.refunded_at) AS refunded_at
    FROM {{ table('core.refunds') }} r
    WHERE {{ in_window('r.refunded_at') }}
    GROUP BY r.seller_id
),
before AS (
    SELECT r.seller_id, COUNT(*) AS refunds_before
    FROM {{ table('core.refunds') }} r
    WHERE {{ in_baseline('r.refunded_at') }}
    GROUP BY r.seller_id
)
SELECT n.seller_id,
       COALESCE(s.display_name, n.seller_id) AS seller_name,
       n.refunds,
       n.refunded,
       COALESCE(b.refunds_before, 0) AS refunds_before,
       n.main_reason,
       n.refunded_at
FROM recent n
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = n.seller_id
LEFT JOIN before b ON b.seller_id = n.seller_id
WHERE n.refunds >= 7
  AND n.refunds >= 4 * COALESCE(b.refunds_before, 0) / 36.0 -- three days hold 36 stretches of two hours
