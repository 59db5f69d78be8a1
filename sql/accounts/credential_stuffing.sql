-- One row per failed sign-in, with how many accounts the same address has got into in the hour before.
SELECT e.event_id,
       e.ip,
       e.account_id,
       COUNT(DISTINCT k.account_id) AS got_in,
       e.happened_at
FROM {{ table('core.account_events') }} e
LEFT JOIN {{ table('core.account_events') }} k
  ON k.ip = e.ip
 AND k.kind = 'login'
 AND k.happened_at <= e.happened_at
 AND k.happened_at > DATEADD('hour', -1, e.happened_at)
WHERE {{ in_window('e.happened_at') }}
  AND e.kind = 'login_failed'
  AND e.ip IS NOT NULL
GROUP BY e.event_id, e.ip, e.account_id, e.happened_at
