-- One row per bank account and seller that were paid in the window, of accounts that more than one seller uses.
SELECT p.bank_account,
       p.seller_id,
       COALESCE(MAX(s.display_name), p.seller_id) AS seller_name,
       COUNT(*) AS payouts,
       SUM(p.amount)::NUMBER(12, 2) AS received,
       MAX(p.paid_at) AS paid_at
FROM {{ table('core.payouts') }} p
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = p.seller_id
WHERE {{ in_window('p.paid_at') }}
  AND p.bank_account IS NOT NULL
GROUP BY p.bank_account, p.seller_id
QUALIFY COUNT(*) OVER (PARTITION BY p.bank_account) > 1
