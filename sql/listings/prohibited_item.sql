-- One row per new listing whose words name a thing that may not be sold.
SELECT l.listing_id, l.seller_id, COALESCE(s.display_name, l.seller_id) AS seller_name, l.title, l.description, l.price, l.listed_at
FROM {{ table('core.listings') }} l
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = l.seller_id
WHERE {{ in_window('l.listed_at') }}
  AND {{ prohibited_words("COALESCE(l.title, '') || ' ' || COALESCE(l.description, '')") }}
