-- One row per live show whose host has an expired verification.
SELECT w.show_id, w.seller_id, s.display_name AS seller_name, w.title AS show_title, w.started_at
FROM {{ table('core.shows') }} w
JOIN {{ table('core.sellers') }} s ON s.seller_id = w.seller_id
WHERE w.status = 'live'
  AND s.verification = 'expired'
