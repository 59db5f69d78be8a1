-- One row per change of a payout account within two hours of a new device, with the password or email changed between.
SELECT p.event_id,
       p.account_id AS seller_id,
       COALESCE(s.display_name, p.account_id) AS seller_name,
       p.ip,
       MIN(n.happened_at) AS began_at,
       DATEDIFF('minute', MIN(n.happened_at), p.happened_at) AS minutes,
       MAX(c.kind) AS also_changed,
       p.happened_at
FROM {{ table('core.account_events') }} p
JOIN {{ table('core.account_events') }} n
  ON n.account_id = p.account_id
 AND n.kind = 'new_device'
 AND n.happened_at >= DATEADD('hour', -2, p.happened_at)
JOIN {{ table('core.account_events') }} c
  ON c.account_id = p.account_id
 AND c.kind IN ('password_changed', 'email_changed')
 AND c.happened_at >= n.happened_at
 AND c.happened_at <= p.happened_at
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = p.account_id
WHERE {{ in_window('p.happened_at') }}
  AND p.kind = 'payout_account_changed'
GROUP BY p.event_id, p.account_id, s.display_name, p.ip, p.happened_at
