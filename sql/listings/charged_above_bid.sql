-- One row per order that costs more than a tenth above the buyer's own highest bid on that listing.
SELECT o.order_id,
       o.seller_id,
       COALESCE(s.display_name, o.seller_id) AS seller_name,
       o.buyer_id,
       o.listing_id,
       o.amount,
       MAX(b.amount) AS highest_bid,
       ROUND(100 * (o.amount / NULLIF(MAX(b.amount), 0) - 1), 0) AS percent_above,
       o.created_at
FROM {{ table('core.orders') }} o
JOIN {{ table('core.bids') }} b
  ON b.listing_id = o.listing_id
 AND b.bidder_id = o.buyer_id
 AND b.placed_at <= o.created_at
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = o.seller_id
WHERE {{ in_window('o.created_at') }}
  AND o.status <> 'declined'
GROUP BY o.order_id, o.seller_id, s.display_name, o.buyer_id, o.listing_id, o.amount, o.created_at
HAVING o.amount > 1.1 * MAX(b.amount)
