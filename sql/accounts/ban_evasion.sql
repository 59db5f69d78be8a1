-- One row per new account on a device from which another account had been banned before.
SELECT u.account_id,
       u.email,
       u.device_id,
       w.account_id AS banned_account,
       w.reason AS banned_for,
       w.banned_at,
       u.signed_up_at
FROM {{ table('core.signups') }} u
JOIN {{ table('vetted.banned_devices') }} w
  ON w.device_id = u.device_id
 AND w.banned_at < u.signed_up_at
 AND w.account_id <> u.account_id
WHERE {{ in_window('u.signed_up_at') }}
QUALIFY ROW_NUMBER() OVER (PARTITION BY u.account_id ORDER BY w.banned_at DESC, w.account_id) = 1
