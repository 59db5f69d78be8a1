{# How many rows a table has brought in the last quarter of an hour, and in an average one of the two hours before its newest
   row, or before that quarter: a stream that has been dry for a day is dry still. #}
{% macro recent_volume(stream, name, column) -%}
SELECT '{{ stream }}' AS stream,
       COUNT_IF(t.{{ column }} >= DATEADD('minute', -15, :window_end)) AS lately,
       COUNT_IF(t.{{ column }} < DATEADD('minute', -15, :window_end)) / 8.0 AS usual
FROM {{ table(name) }} t
JOIN (
    SELECT LEAST(MAX(l.{{ column }}), DATEADD('minute', -15, :window_end)) AS ends
    FROM {{ table(name) }} l
    WHERE l.{{ column }} >= DATEADD('day', -3, :window_end)
      AND l.{{ column }} < :window_end
) n ON t.{{ column }} >= DATEADD('minute', -120, n.ends)
WHERE t.{{ column }} < :window_end
{%- endmacro %}
