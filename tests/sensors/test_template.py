"""Shaping SQL: what the functions write, what they note, and that values are never pasted in."""

from __future__ import annotations

from sensors.sql.template import Macros, Shaped, shape


def shaped(text: str, macros: str = "", params: tuple[str, ...] = ()) -> Shaped:
    texts = {"sql/_macros/m.sql": macros} if macros else {}
    return shape("sql/p.sql", text, params, Macros.load(texts))


def said(one: Shaped) -> list[str]:
    return [str(problem) for problem in one.problems]


def test_windows_are_written_half_open_over_binds() -> None:
    one = shaped("WHERE {{ in_window('m.sent_at') }} OR {{ in_baseline('m.sent_at') }}")
    assert one.sql == (
        "WHERE (m.sent_at >= :window_start AND m.sent_at < :window_end)"
        " OR (m.sent_at >= :baseline_start AND m.sent_at < :window_start)"
    )
    assert (one.window, one.baseline) == (["m.sent_at"], ["m.sent_at"])


def test_tables_and_parameters_are_written_by_name() -> None:
    one = shaped("SELECT * FROM {{ table('Core.Orders') }} WHERE n > {{ param('least') }}", params=("least",))
    assert one.sql == "SELECT * FROM Core.Orders WHERE n > :least"
    assert one.tables == ["core.orders"]


def test_macros_are_there_by_name_and_may_use_each_other_and_the_functions() -> None:
    macros = (
        "{% macro live(c) %}{{ inner(c) }} AND {{ in_window(c) }}{% endmacro %}"
        "{% macro inner(c) %}{{ c }} IS NOT NULL{% endmacro %}"
    )
    one = shaped("{{ live('t.x') }}", macros)
    assert one.sql == "t.x IS NOT NULL AND (t.x >= :window_start AND t.x < :window_end)"
    assert one.window == ["t.x"]
    assert one.macros == {"sql/_macros/m.sql"}


def test_macros_of_several_files_may_use_each_other() -> None:
    texts = {
        "sql/_macros/a.sql": "{% macro outer_one(c) %}({{ inner_one(c) }}){% endmacro %}",
        "sql/_macros/b.sql": "{% macro inner_one(c) %}{{ c }} > 0{% endmacro %}",
        "sql/_macros/c.sql": "{% macro other() %}1{% endmacro %}",
    }
    one = shape("sql/p.sql", "{{ outer_one('x') }}", (), Macros.load(texts))
    assert one.sql == "(x > 0)"
    assert one.macros == {"sql/_macros/a.sql", "sql/_macros/b.sql"}


def test_a_parameter_as_a_template_value_is_refused_with_what_to_write() -> None:
    assert said(shaped("SELECT\n  {{ least }}", params=("least",))) == [
        "sql/p.sql:2:6 a parameter is written :least (a value is bound, never pasted into the SQL)"
    ]


def test_an_unknown_parameter_or_macro_is_named_with_a_suggestion() -> None:
    assert said(shaped("{{ param('leest') }}", params=("least",))) == [
        'sql/p.sql:1:1 no parameter "leest" in params; did you mean "least"?'
    ]
    assert said(shaped("a\n {{ tabel('x') }}")) == [
        'sql/p.sql:2:5 "tabel" is not a function or macro; did you mean "table"?'
    ]


def test_wrong_calls_are_named_at_their_line() -> None:
    assert said(shaped("a\n\nb {{ in_window('1; DROP') }}")) == [
        'sql/p.sql:3:3 in_window cannot take the name "1; DROP": it holds only letters a to z, digits, _'
        " and $, in parts with . between"
    ]
    assert said(shaped("{{ table(7) }}")) == [
        "sql/p.sql:1:1 table takes a name in quotes, such as table('core.orders')"
    ]
    assert said(shaped("a\n{{ in_window() }}")) == [
        "sql/p.sql:2:1 a function or macro is called with the wrong arguments"
    ]


def test_the_template_cannot_reach_into_python() -> None:
    one = shaped("{{ table.__globals__ }}")
    assert one.sql == ""
    assert one.problems
    assert shaped("{{ ''.__class__.__mro__[1].__subclasses__() }}").problems
    assert shaped("{% include '/etc/passwd' %}").problems[0].what.startswith("nothing needs importing")


def test_the_names_of_the_functions_cannot_be_taken_by_a_macro() -> None:
    problems = Macros.load({"sql/_macros/m.sql": "{% macro table(x) %}{% endmacro %}"}).problems
    assert [str(p) for p in problems] == ['sql/_macros/m.sql:1:10 there is another macro or function "table"']
