-- One row per device that opened at least five accounts in the window.
SELECT u.device_id,
       COUNT(DISTINCT u.account_id) AS accounts,
       COUNT(DISTINCT u.ip) AS addresses,
       1 + DATEDIFF('minute', MIN(u.signed_up_at), MAX(u.signed_up_at)) AS minutes,
       MIN_BY(u.email, u.signed_up_at) AS first_email,
       MAX(u.signed_up_at) AS signed_up_at
FROM {{ table('core.signups') }} u
WHERE {{ in_window('u.signed_up_at') }}
  AND u.device_id IS NOT NULL -- a browser may say none
GROUP BY u.device_id
HAVING COUNT(DISTINCT u.account_id) >= 5
