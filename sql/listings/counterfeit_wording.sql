-- One row per active listing whose own words say that it is a copy.
SELECT l.listing_id, l.seller_id, COALESCE(s.display_name, l.seller_id) AS seller_name, l.title, l.description, l.price
FROM {{ table('core.listings') }} l
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = l.seller_id
WHERE l.status = 'active'
  AND {{ counterfeit_words("COALESCE(l.title, '') || ' ' || COALESCE(l.description, '')") }}
