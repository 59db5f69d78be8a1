-- One row per parcel that has a label, no scan, and a promise that is over.
SELECT p.shipment_id,
       p.seller_id,
       COALESCE(s.display_name, p.seller_id) AS seller_name,
       p.order_id,
       p.label_at,
       p.ships_by
FROM {{ table('core.shipments') }} p
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = p.seller_id
WHERE p.first_scan_at IS NULL
  AND p.ships_by < :window_end
