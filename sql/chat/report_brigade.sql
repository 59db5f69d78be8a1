-- One row per person whom six accounts or more reported in the window, two thirds of them less than a day old.
SELECT r.target_id,
       COUNT(DISTINCT r.reporter_id) AS reporters,
       COUNT(DISTINCT u.account_id) AS new_accounts,
       MODE(r.reason) AS main_reason,
       MAX(r.reported_at) AS reported_at
FROM {{ table('core.reports') }} r
LEFT JOIN {{ table('core.signups') }} u
  ON u.account_id = r.reporter_id
 AND u.signed_up_at > DATEADD('day', -1, r.reported_at)
WHERE {{ in_window('r.reported_at') }}
GROUP BY r.target_id
HAVING COUNT(DISTINCT r.reporter_id) >= 6
   AND 3 * COUNT(DISTINCT u.account_id) >= 2 * COUNT(DISTINCT r.reporter_id)
