SELECT seller_id, count(*) AS orders
FROM {{ ref('orders') }}
GROUP BY seller_id
