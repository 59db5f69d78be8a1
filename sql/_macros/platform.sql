{# How many rows a table has brought in the last quarter of an hour, and in an average one of the two hours before. #}
{% macro recent_volume(stream, name, column) -%}
SELECT '{{ stream }}' AS stream,
       COUNT_IF(t.{{ column }} >= DATEADD('minute', -15, :window_end)) AS lately,
       COUNT_IF(t.{{ column }} < DATEADD('minute', -15, :window_end)) / 8.0 AS usual
FROM {{ table(name) }} t
WHERE t.{{ column }} >= DATEADD('minute', -135, :window_end)
  AND t.{{ column }} < :window_end
{%- endmacro %}
