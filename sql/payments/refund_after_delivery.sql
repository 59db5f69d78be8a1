-- One row per refund for "not received" of an order that was delivered.
SELECT r.refund_id,
       r.order_id,
       r.buyer_id,
       COALESCE(b.display_name, r.buyer_id) AS buyer_name,
       r.seller_id,
       r.amount,
       o.created_at AS bought_at,
       DATEDIFF('hour', o.created_at, r.refunded_at) AS hours_after,
       r.refunded_at
FROM {{ table('core.refunds') }} r
JOIN {{ table('core.orders') }} o ON o.order_id = r.order_id
LEFT JOIN {{ table('core.buyers') }} b ON b.buyer_id = r.buyer_id
WHERE {{ in_window('r.refunded_at') }}
  AND r.reason = 'not received'
  AND o.status = 'delivered'
