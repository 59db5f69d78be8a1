{# What people write, as conditions on a column. REGEXP_LIKE matches the whole text; 's' lets a dot match a line break. #}
{% macro mentions_payment_handle(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*(venmo|cash ?app|(^|[^a-z])zelle|paypal|western union|wire me([^a-z]|$)|off the app|outside the app).*', 's')
{%- endmacro %}

{% macro mentions_abuse(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*(worthless|you are trash|get lost|where you live|will find you|nobody wants you).*', 's')
{%- endmacro %}

{% macro mentions_bait(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*(claim-prize|secure-verify|verify your card|sign in again).*', 's')
{%- endmacro %}

{# Sensitive ones. Starting points in English, narrow on purpose: extend them with those who handle what they find. #}
{% macro asks_for_age(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*(how old (are|r) (you|u)|what grade (are|r) (you|u)|what.?s your age|(are|r) (you|u) still in school).*', 's')
{%- endmacro %}

{% macro asks_for_contact(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*(add me on|text me at|message me on|dm me on|what.?s your (snap|number|insta)|talk (to me )?(alone|in private)).*', 's')
{%- endmacro %}

{% macro mentions_self_harm(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*(want to die|end my life|end it all|kill(ing)? myself|hurt(ing)? myself|no reason to live|better off without me).*', 's')
{%- endmacro %}

{# Of somebody else: who gives away only an own number is not meant. #}
{% macro tells_of_another(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*((he|she|they|host|seller|guy) (lives?|works?|stays?) at|(his|her|their) (home|house|address|number|phone)|real name is|(find|visit|call) (him|her|them) (at|on)).*', 's')
{%- endmacro %}

{% macro has_phone(column) -%}
REGEXP_LIKE({{ column }}, '.*([0-9]{3}[ .-][0-9]{4}).*', 's')
{%- endmacro %}

{% macro has_street(column) -%}
REGEXP_LIKE(LOWER({{ column }}), '.*[0-9]+ [a-z]+ (street|avenue|road|lane|drive|boulevard|court).*', 's')
{%- endmacro %}
