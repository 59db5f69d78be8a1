-- One row per message whose text presses the reader to buy, pay or answer at once.
SELECT m.message_id, m.sender, m.subject, m.body, m.sent_at
FROM {{ table('main.messages') }} m
WHERE {{ in_window('m.sent_at') }}
  AND REGEXP_LIKE(LOWER(m.body), '.*(risk free|act now|100% free|no obligation|limited time).*', 's')
