-- One row per parcel that has a label, no scan, and a promise that was over within thirty days.
SELECT p.shipment_id,
       p.seller_id,
       COALESCE(s.display_name, p.seller_id) AS seller_name,
       p.order_id,
       p.label_at,
       p.ships_by
FROM {{ table('core.shipments') }} p
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = p.seller_id
WHERE p.first_scan_at IS NULL
  AND p.label_at IS NOT NULL
  AND p.ships_by >= DATEADD('day', -30, :window_end) -- what is older was settled, or never will be
  AND p.ships_by < :window_end
