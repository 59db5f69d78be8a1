-- One row per domain from which ten senders or more have written.
SELECT m.sender_domain, COUNT(DISTINCT m.sender) AS names, COUNT(*) AS messages, MAX(m.subject) AS some_subject
FROM {{ table('main.messages') }} m
WHERE {{ in_window('m.sent_at') }}
GROUP BY m.sender_domain
HAVING COUNT(DISTINCT m.sender) >= 10
