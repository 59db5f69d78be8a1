-- One row per active listing of the window whose description, of sixty letters or more, stands on two others too.
WITH texts AS (
    SELECT l.listing_id, l.seller_id, l.title, l.price, {{ plain_text('l.description') }} AS words, l.listed_at
    FROM {{ table('core.listings') }} l
    WHERE {{ in_window('l.listed_at') }}
      AND l.status = 'active'
)
SELECT MD5(t.words) AS ring,
       t.listing_id,
       t.seller_id,
       COALESCE(s.display_name, t.seller_id) AS seller_name,
       t.title,
       t.price,
       t.words,
       t.listed_at
FROM texts t
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = t.seller_id
WHERE LENGTH(t.words) >= 60
QUALIFY COUNT(*) OVER (PARTITION BY t.words) >= 3
