-- One row per show and text that at least six accounts have written in the window. Short cheers do not count.
WITH said AS (
    SELECT m.show_id,
           m.body,
           COUNT(*) AS messages,
           COUNT(DISTINCT m.author_id) AS authors,
           MAX(m.sent_at) AS sent_at
    FROM {{ table('core.chat_messages') }} m
    WHERE {{ in_window('m.sent_at') }}
      AND LENGTH(m.body) >= 30
    GROUP BY m.show_id, m.body
)
SELECT a.show_id, w.seller_id, COALESCE(w.title, a.show_id) AS show_title, a.body, a.messages, a.authors, a.sent_at
FROM said a
LEFT JOIN {{ table('core.shows') }} w ON w.show_id = a.show_id
WHERE a.authors >= 6
QUALIFY ROW_NUMBER() OVER (PARTITION BY a.show_id ORDER BY a.authors DESC, a.body) = 1
