-- One row per message with a link whose host is a bare number, is written in escapes, or stands behind an @.
SELECT m.message_id, m.sender, m.subject, m.sent_at
FROM {{ table('main.messages') }} m
WHERE {{ in_window('m.sent_at') }}
  AND REGEXP_LIKE(LOWER(m.body),
    '.*https?://([0-9]{1,3}([.][0-9]{1,3}){3}([^0-9a-z.]|$)|[0-9]{8,10}([^0-9a-z.]|$)|[^/ ]*%[0-9a-f]{2}|[^/ ]*@).*', 's')
