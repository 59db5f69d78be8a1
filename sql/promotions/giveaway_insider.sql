-- One row per host and winner who won three giveaways of that host or more in the window, and at least a third of all.
WITH draws AS (
    SELECT g.seller_id,
           g.winner_id,
           COUNT(*) AS wins,
           SUM(g.prize_value)::NUMBER(12, 2) AS worth,
           SUM(COUNT(*)) OVER (PARTITION BY g.seller_id) AS giveaways,
           MAX(g.drawn_at) AS drawn_at
    FROM {{ table('core.giveaways') }} g
    WHERE {{ in_window('g.drawn_at') }}
    GROUP BY g.seller_id, g.winner_id
)
SELECT d.seller_id,
       COALESCE(s.display_name, d.seller_id) AS seller_name,
       d.winner_id,
       COALESCE(b.display_name, d.winner_id) AS winner_name,
       d.wins,
       d.giveaways,
       d.worth,
       d.drawn_at
FROM draws d
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = d.seller_id
LEFT JOIN {{ table('core.buyers') }} b ON b.buyer_id = d.winner_id
WHERE d.winner_id IS NOT NULL -- drawn, and nobody came forward
  AND d.wins >= 3
  AND 3 * d.wins >= d.giveaways
