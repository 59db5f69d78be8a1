-- One row per campaign that, at the pace of the window, would be spent four times over by its end.
WITH lately AS (
    SELECT r.campaign_id, SUM(r.amount) AS an_hour, COUNT(*) AS redemptions, MAX(r.redeemed_at) AS redeemed_at
    FROM {{ table('core.redemptions') }} r
    WHERE {{ in_window('r.redeemed_at') }}
    GROUP BY r.campaign_id
),
ever AS (
    SELECT r.campaign_id, SUM(r.amount) AS spent
    FROM {{ table('core.redemptions') }} r
    WHERE r.redeemed_at < :window_end
    GROUP BY r.campaign_id
),
pace AS (
    SELECT c.campaign_id,
           c.title,
           c.budget,
           e.spent,
           n.an_hour,
           n.redemptions,
           n.redeemed_at,
           GREATEST(DATEDIFF('hour', n.redeemed_at, c.ends_at), 1) AS hours_to_go,
           GREATEST(c.budget - e.spent, 1) AS left_over
    FROM lately n
    JOIN ever e ON e.campaign_id = n.campaign_id
    JOIN {{ table('core.campaigns') }} c ON c.campaign_id = n.campaign_id
)
SELECT p.campaign_id,
       p.title,
       p.budget,
       ROUND(p.spent, 2) AS spent,
       ROUND(p.an_hour, 2) AS an_hour,
       p.redemptions,
       ROUND(p.left_over / NULLIF(p.an_hour, 0), 1) AS hours_left,
       p.hours_to_go,
       ROUND(p.an_hour * p.hours_to_go / p.left_over, 1) AS times_over,
       p.redeemed_at
FROM pace p
WHERE p.redemptions >= 10
  AND p.an_hour * p.hours_to_go >= 4 * p.left_over
