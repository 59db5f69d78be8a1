-- One row per seller with a large payout under way to an account that nobody has verified. Held payouts are safe.
SELECT s.seller_id, s.display_name AS seller_name, s.country, s.payout_due
FROM {{ table('core.sellers') }} s
WHERE s.payout_account = 'changed'
  AND s.payout_state = 'scheduled'
  AND s.payout_due >= 2000
