-- One row per message that says how to be removed, or that it is no spam, and wants the reader to click, call or order.
SELECT m.message_id, m.sender, m.subject, m.sent_at
FROM {{ table('main.messages') }} m
WHERE {{ in_window('m.sent_at') }}
  AND REGEXP_LIKE(LOWER(m.body),
    '.*(to be removed|remove (me|you|your)|removed from (our|this|the|future)|removal instructions|opt[- ]?out|not spam|never intended to spam|one[- ]time (mailing|message)).*', 's')
  AND REGEXP_LIKE(LOWER(m.body), '.*(click (here|below|on)|call (now|us|today|toll)|order (now|today|here)|toll[- ]free|visit our).*', 's')
