-- One row per new buyer whose name reads like that of a shop: at most one letter off, look-alike digits taken for letters.
WITH newcomers AS (
    SELECT b.buyer_id, b.display_name, {{ look_alike('b.display_name') }} AS reads, b.joined_at
    FROM {{ table('core.buyers') }} b
    WHERE {{ in_window('b.joined_at') }}
),
shops AS (
    SELECT s.seller_id, s.display_name, {{ look_alike('s.display_name') }} AS reads
    FROM {{ table('core.sellers') }} s
)
SELECT n.buyer_id,
       n.display_name AS buyer_name,
       s.seller_id,
       s.display_name AS seller_name,
       EDITDISTANCE(n.reads, s.reads) AS letters_off,
       n.joined_at
FROM newcomers n
JOIN shops s ON EDITDISTANCE(n.reads, s.reads) <= 1
WHERE LENGTH(n.reads) >= 6
QUALIFY ROW_NUMBER() OVER (PARTITION BY n.buyer_id ORDER BY EDITDISTANCE(n.reads, s.reads), s.seller_id) = 1
