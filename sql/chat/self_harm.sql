-- One row per message in which somebody says that they may harm themselves.
SELECT m.message_id,
       m.author_id,
       COALESCE(b.display_name, s.display_name, m.author_id) AS author_name,
       m.show_id,
       m.body,
       m.sent_at
FROM {{ table('core.chat_messages') }} m
LEFT JOIN {{ table('core.buyers') }} b ON b.buyer_id = m.author_id
LEFT JOIN {{ table('core.sellers') }} s ON s.seller_id = m.author_id
WHERE {{ in_window('m.sent_at') }}
  AND {{ mentions_self_harm('m.body') }}
