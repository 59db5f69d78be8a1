-- One row per message in which the host of a show offers a way to pay outside.
SELECT m.message_id, m.seller_id, COALESCE(s.display_name, m.seller_id) AS seller_name, m.show_id, m.body, m.sent_at
FROM {{ table('core.chat_messages') }} m
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = m.seller_id
WHERE {{ in_window('m.sent_at') }}
  AND m.author_id = m.seller_id
  AND {{ mentions_payment_handle('m.body') }}
