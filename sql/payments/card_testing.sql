-- One row per order of less than two dollars. Six of one buyer within half an hour are no shopping.
SELECT o.order_id, o.buyer_id, COALESCE(b.display_name, o.buyer_id) AS buyer_name, o.seller_id, o.amount, o.status, o.created_at
FROM {{ table('core.orders') }} o
LEFT JOIN {{ table('core.buyers') }} b ON b.buyer_id = o.buyer_id
WHERE {{ in_window('o.created_at') }}
  AND o.amount < 2
  AND o.amount > 0 -- what is given away tries no card
