{# What people write, as conditions on a column. REGEXP_LIKE matches the whole text; 's' lets a dot match a line break. #}
{% macro mentions_payment_handle(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*(venmo|cash ?app|zelle|paypal|western union|wire me|off the app|outside the app).*', 's')
{%- endmacro %}

{% macro mentions_abuse(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*(worthless|you are trash|get lost|where you live|will find you|nobody wants you).*', 's')
{%- endmacro %}

{% macro mentions_bait(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*(claim-prize|secure-verify|verify your card|sign in again).*', 's')
{%- endmacro %}
