{# As many rows as there is time for, where somebody asks for it. #}
{{ config(enabled=var('nap') | int > 0) }}
SELECT count(*) AS n
FROM range({{ var('nap') }}) AS a, range({{ var('nap') }}) AS b
WHERE hash(a.range, b.range) = 0
