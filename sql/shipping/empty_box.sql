-- One row per parcel that weighs less than a third of what the seller declared.
SELECT p.shipment_id,
       p.seller_id,
       COALESCE(s.display_name, p.seller_id) AS seller_name,
       p.order_id,
       o.amount,
       p.declared_grams,
       p.weighed_grams,
       p.updated_at
FROM {{ table('core.shipments') }} p
LEFT JOIN {{ table('core.orders') }} o ON o.order_id = p.order_id
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = p.seller_id
WHERE {{ in_window('p.updated_at') }}
  AND p.declared_grams >= :least_grams
  AND p.weighed_grams < :share * p.declared_grams
