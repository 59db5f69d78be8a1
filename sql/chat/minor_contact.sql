-- One row per message that asks for a contact elsewhere, by somebody who asks for an age in the same show within an hour.
SELECT m.message_id,
       m.author_id,
       COALESCE(b.display_name, m.author_id) AS author_name,
       m.show_id,
       a.body AS asked,
       m.body,
       m.sent_at
FROM {{ table('core.chat_messages') }} m
JOIN {{ table('core.chat_messages') }} a
  ON a.author_id = m.author_id
 AND a.show_id = m.show_id
 AND a.sent_at >= DATEADD('hour', -1, m.sent_at)
 AND a.sent_at <= DATEADD('hour', 1, m.sent_at)
 AND {{ asks_for_age('a.body') }}
LEFT JOIN {{ table('core.buyers') }} b ON b.buyer_id = m.author_id
WHERE {{ in_window('m.sent_at') }}
  AND {{ asks_for_contact('m.body') }}
QUALIFY ROW_NUMBER() OVER (PARTITION BY m.message_id ORDER BY a.sent_at, a.message_id) = 1
