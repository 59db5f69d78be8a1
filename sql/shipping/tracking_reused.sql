-- One row per parcel with a tracking number that already stands on a parcel to another buyer.
SELECT p.shipment_id,
       p.seller_id,
       COALESCE(s.display_name, p.seller_id) AS seller_name,
       p.order_id,
       p.buyer_id,
       p.tracking_number,
       f.order_id AS first_order,
       p.updated_at
FROM {{ table('core.shipments') }} p
JOIN {{ table('core.shipments') }} f
  ON f.tracking_number = p.tracking_number
 AND f.label_at >= DATEADD('day', -90, p.label_at) -- carriers give a number again after months
 AND f.buyer_id <> p.buyer_id
 AND (f.label_at < p.label_at OR f.label_at = p.label_at AND f.shipment_id < p.shipment_id)
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = p.seller_id
WHERE {{ in_window('p.updated_at') }}
  AND p.tracking_number <> ''
QUALIFY ROW_NUMBER() OVER (PARTITION BY p.shipment_id ORDER BY f.label_at, f.shipment_id) = 1
