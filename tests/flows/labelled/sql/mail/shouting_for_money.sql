-- One row per message whose subject shouts (all capitals, or marks of exclamation) and speaks of money or of what is free.
SELECT m.message_id, m.sender, m.subject, m.sent_at
FROM {{ table('main.messages') }} m
WHERE {{ in_window('m.sent_at') }}
  AND REGEXP_LIKE(LOWER(m.subject),
    '.*(free|cash|money|credit|debt|loan|mortgage|rates?|earn|income|profit|save|cheap|price|million|winner|guarantee|[$][0-9]).*', 's')
  AND ((m.subject = UPPER(m.subject) AND LENGTH(m.subject) >= 10) OR m.subject LIKE '%!%')
