-- One row per model that gives three quarters of its latest subjects the same score, and did not do so before.
WITH lately AS (
    SELECT c.model,
           c.score,
           COUNT(*) AS same,
           SUM(COUNT(*)) OVER (PARTITION BY c.model) AS scores,
           MAX(c.scored_at) AS scored_at
    FROM {{ table('core.scores') }} c
    WHERE {{ in_window('c.scored_at') }}
    GROUP BY c.model, c.score
),
before AS (
    SELECT c.model, COUNT(DISTINCT c.score) AS different, COUNT(*) AS scores
    FROM {{ table('core.scores') }} c
    WHERE {{ in_baseline('c.scored_at') }}
    GROUP BY c.model
)
SELECT n.model, n.score, n.same, n.scores, b.different AS different_before, n.scored_at
FROM lately n
JOIN before b ON b.model = n.model
WHERE n.scores >= 10
  AND 4 * n.same >= 3 * n.scores
  AND (2 * b.different >= b.scores OR b.different >= 10) -- a model of few values, such as a rule, is not stuck
