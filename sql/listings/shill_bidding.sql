-- One row per seller and bidder who bids nearly only there, on many listings, and never wins.
WITH pairs AS (
    SELECT b.seller_id,
           b.bidder_id,
           COUNT(*) AS bids,
           COUNT(DISTINCT b.listing_id) AS listings,
           MAX(b.placed_at) AS placed_at
    FROM {{ table('core.bids') }} b
    WHERE {{ in_window('b.placed_at') }}
    GROUP BY b.seller_id, b.bidder_id
),
loyal AS (
    SELECT p.*, ROUND(100.0 * p.bids / SUM(p.bids) OVER (PARTITION BY p.bidder_id), 0) AS percent_here
    FROM pairs p
)
SELECT y.seller_id,
       COALESCE(s.display_name, y.seller_id) AS seller_name,
       y.bidder_id,
       y.bids,
       y.listings,
       y.percent_here,
       y.placed_at
FROM loyal y
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = y.seller_id
WHERE y.bids >= 12
  AND y.listings >= 5
  AND y.percent_here >= 80
  AND NOT EXISTS (
      SELECT 1
      FROM {{ table('core.orders') }} o
      WHERE o.seller_id = y.seller_id
        AND o.buyer_id = y.bidder_id
        AND o.status <> 'declined'
        AND {{ in_window('o.created_at') }}
  )
