{# A listing's own words, as conditions. #}
{% macro prohibited_words(text) -%}
REGEXP_LIKE(LOWER({{ text }}), '.*(switchblade|brass knuckles|pepper spray|disposable vape|painkillers|(real|genuine|elephant|walrus|antique|carved|raw) ivory|ivory (carving|tusk|netsuke)).*', 's')
{%- endmacro %}

{% macro counterfeit_words(text) -%}
REGEXP_LIKE(LOWER({{ text }}), '.*(1:1 replica|aaa replica|super clone|mirror quality|unauthorized authentic).*', 's')
{%- endmacro %}
