-- One row per redeemed coupon that another account had redeemed on the same device in the month before.
SELECT r.redemption_id, r.coupon, r.device_id, r.buyer_id, r.amount, r.redeemed_at
FROM {{ table('core.redemptions') }} r
WHERE {{ in_window('r.redeemed_at') }}
  AND EXISTS (
      SELECT 1
      FROM {{ table('core.redemptions') }} x
      WHERE x.coupon = r.coupon
        AND x.device_id = r.device_id
        AND x.buyer_id <> r.buyer_id
        AND (x.redeemed_at < r.redeemed_at OR x.redeemed_at = r.redeemed_at AND x.redemption_id < r.redemption_id)
        AND x.redeemed_at >= DATEADD('day', -30, r.redeemed_at)
  )
