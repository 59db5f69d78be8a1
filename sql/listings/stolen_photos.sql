-- One row per new listing with a picture that another seller had shown before.
SELECT l.listing_id,
       l.seller_id,
       COALESCE(s.display_name, l.seller_id) AS seller_name,
       o.seller_id AS owner_id,
       COALESCE(w.display_name, o.seller_id) AS owner_name,
       l.title,
       l.price,
       l.image_hash,
       l.listed_at
FROM {{ table('core.listings') }} l
JOIN {{ table('core.listings') }} o
  ON o.image_hash = l.image_hash AND o.seller_id <> l.seller_id AND o.listed_at < l.listed_at
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = l.seller_id
LEFT JOIN {{ table('core.sellers') }} w ON w.seller_id = o.seller_id
WHERE {{ in_window('l.listed_at') }}
QUALIFY ROW_NUMBER() OVER (PARTITION BY l.listing_id ORDER BY o.listed_at, o.listing_id) = 1
