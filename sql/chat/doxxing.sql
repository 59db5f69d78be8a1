-- One row per message that says of somebody else where they live or can be called.
SELECT m.message_id,
       m.author_id,
       COALESCE(b.display_name, m.author_id) AS author_name,
       m.show_id,
       IFF({{ has_phone('m.body') }}, 'a phone number', 'a street') AS gives,
       m.body,
       m.sent_at
FROM {{ table('core.chat_messages') }} m
LEFT JOIN {{ table('core.buyers') }} b ON b.buyer_id = m.author_id
WHERE {{ in_window('m.sent_at') }}
  AND {{ tells_of_another('m.body') }}
  AND ({{ has_phone('m.body') }} OR {{ has_street('m.body') }})
