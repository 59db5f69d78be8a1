-- One row per seller who joined less than a week before and sold for 1,500 or more in the window.
SELECT o.seller_id,
       MAX(s.display_name) AS seller_name,
       DATEDIFF('hour', MAX(s.joined_at), MAX(o.created_at)) AS age_hours,
       COUNT(*) AS orders,
       COUNT(DISTINCT o.buyer_id) AS buyers,
       SUM(o.amount)::NUMBER(12, 2) AS revenue,
       MAX(o.created_at) AS created_at
FROM {{ table('core.orders') }} o
JOIN {{ table('core.sellers') }} s ON s.seller_id = o.seller_id
WHERE {{ in_window('o.created_at') }}
  AND o.status <> 'declined'
  AND s.joined_at > DATEADD('day', -7, o.created_at)
GROUP BY o.seller_id
HAVING SUM(o.amount) >= 1500
