-- One row per message with an address or a text that is known to be bait.
SELECT m.message_id, m.author_id, m.show_id, m.body, m.sent_at
FROM {{ table('core.chat_messages') }} m
WHERE {{ in_window('m.sent_at') }}
  AND {{ mentions_bait('m.body') }}
