{# Texts brought to a form in which those that a reader takes for the same are the same. #}
{% macro look_alike(name) -%}
TRANSLATE(REGEXP_REPLACE(LOWER({{ name }}), '[^a-z0-9]', ''), '01345', 'oleas')
{%- endmacro %}

{% macro plain_text(text) -%}
TRIM(REGEXP_REPLACE(LOWER({{ text }}), '[^a-z]+', ' '))
{%- endmacro %}
