-- One row per reason with reports that have waited longer than promised, where twenty or more wait in all.
SELECT r.reason,
       COUNT(*) AS waiting,
       SUM(COUNT(*)) OVER () AS waiting_in_all,
       MAX(DATEDIFF('minute', r.reported_at, :window_end)) AS oldest_minutes
FROM {{ table('core.reports') }} r
WHERE r.status = 'open'
  AND r.reported_at < :window_end
  AND DATEDIFF('minute', r.reported_at, :window_end) > :promised_minutes
GROUP BY r.reason
QUALIFY SUM(COUNT(*)) OVER () >= :least_waiting
