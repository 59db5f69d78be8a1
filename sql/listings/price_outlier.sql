-- One row per active listing that costs ten times more, or less, than is usual in its category.
WITH normal AS (
    SELECT l.category, MEDIAN(l.price) AS usual, COUNT(*) AS listings
    FROM {{ table('core.listings') }} l
    WHERE {{ in_baseline('l.listed_at') }}
    GROUP BY l.category
)
SELECT l.listing_id,
       l.seller_id,
       COALESCE(s.display_name, l.seller_id) AS seller_name,
       l.title,
       l.category,
       l.price,
       ROUND(n.usual, 2) AS usual,
       ROUND(IFF(l.price > n.usual, l.price / NULLIF(n.usual, 0), n.usual / GREATEST(l.price, 0.01)), 0) AS times_off,
       l.listed_at
FROM {{ table('core.listings') }} l
JOIN normal n ON n.category = l.category
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = l.seller_id
WHERE {{ in_window('l.listed_at') }}
  AND l.status = 'active'
  AND n.listings >= 20
  AND n.usual > 0
  AND (l.price > 10 * n.usual OR l.price * 10 < n.usual)
