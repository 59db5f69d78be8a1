SELECT id, seller_id, amount
FROM {{ ref('payments') }}
WHERE amount >= {{ var('least') }}
