"""What Postgres calls otherwise than sqlglot believes, or gives another value for: changed in the tree."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from sensors.warehouse.spelled import Untranslatable

# Words that Postgres takes for its own wherever a column may stand.
RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
    default deferrable desc distinct do else end except false fetch for foreign from grant group having in
    initially intersect into lateral leading limit localtime not null offset on only or order placing primary
    references returning select session_user some symmetric table then to trailing true union unique user
    using variadic when where window with current_role system_user
    """.split()  # noqa: SIM905 - a list of so many words is no easier to read
)
Rewrite = Callable[[exp.Expr], exp.Expr | None]


def for_postgres(tree: exp.Expr) -> None:
    """Raises Untranslatable for what has no equal."""
    for node in list(tree.walk(bfs=False))[::-1]:  # the innermost first
        change = CHANGES.get(type(node))
        if change is not None and (other := change(node)) is not None and other is not node:
            node.replace(other)


def _call(name: str, *given: exp.Expr | str) -> exp.Expr:
    said = [exp.Literal.string(one) if isinstance(one, str) else one for one in given]
    return exp.Anonymous(this=name, expressions=said)


def _part(name: str) -> Rewrite:
    return lambda node: exp.Cast(
        this=exp.Extract(this=exp.Var(this=name), expression=node.this), to=exp.DataType.build("int")
    )


def _column(node: exp.Expr) -> None:
    """Snowflake has columns called `user`; unquoted that is a question about the session here."""
    if isinstance(node.this, exp.Identifier) and node.name.lower() in RESERVED and not node.this.quoted:
        node.set("this", exp.to_identifier(node.name.lower(), quoted=True))


def _whole(node: exp.Expr) -> None:
    """In Snowflake the whole text must match."""
    if node.args.get("full_match"):
        node.set("expression", _joined("^(?:", node.expression, ")$"))
        _lines(node)


def _lines(node: exp.Expr) -> None:
    """A dot matches no line break in Snowflake unless `s` is said; here it does unless `p` is."""
    flag = node.args.get("flag") or node.args.get("modifiers") or node.args.get("parameters")
    said = flag.name if isinstance(flag, exp.Literal) else ""
    breaks = {(False, False): "p", (True, False): "s", (False, True): "n", (True, True): "w"}
    options = breaks["s" in said, "m" in said] + ("i" if "i" in said else "")
    node.set("expression", _joined(f"(?{options})", node.expression, ""))
    node.set("flag", None)


def _joined(before: str, pattern: exp.Expr, after: str) -> exp.Expr:
    if isinstance(pattern, exp.Literal):
        return exp.Literal.string(before + pattern.name + after)
    return _call("CONCAT", before, pattern, after)


def _all_known(node: exp.Expr) -> exp.Expr | None:
    """GREATEST and LEAST are null where one of the values is; Postgres passes over nulls."""
    if node.args.get("ignore_nulls") is not False:
        return None
    values = [node.this, *node.expressions]
    unknown = exp.or_(*(exp.Is(this=value.copy(), expression=exp.null()) for value in values))
    return exp.Case(ifs=[exp.If(this=unknown, true=exp.null())], default=node.copy())


def _weeks(node: exp.Expr) -> exp.Expr | None:
    """Between Mondays, whose number Snowflake counts."""
    if str(node.args.get("unit") or "").upper() != "WEEK":
        return None
    monday = [
        exp.Cast(this=_call("DATE_TRUNC", "week", _time(side)), to=exp.DataType.build("date"))
        for side in (node.this, node.expression)
    ]
    return exp.Paren(
        this=_call(
            "DIV", exp.Paren(this=exp.Sub(this=monday[0], expression=monday[1])), exp.Literal.number(7)
        )
    )


def _time(node: exp.Expr) -> exp.Expr:
    return exp.Cast(this=node.copy(), to=exp.DataType.build("timestamp"))


def _round(node: exp.Expr) -> None:
    """Half goes up, away from zero; a double's goes to the even one here."""
    node.set("this", exp.Cast(this=node.this, to=exp.DataType.build("decimal", dialect="postgres")))


def _position(node: exp.Expr) -> exp.Expr | None:
    if not node.args.get("zero_based"):
        return None
    node.set("zero_based", None)
    return exp.Paren(this=exp.Sub(this=node.copy(), expression=exp.Literal.number(1)))


def _ordered(node: exp.Expr) -> exp.Expr | None:
    """ARRAY_AGG(x) WITHIN GROUP (ORDER BY …): the order stands within the brackets here."""
    found = node.this
    if not isinstance(found, exp.ArrayAgg):
        return None
    node.expression.set("this", found.this)
    found.set("this", node.expression)
    return found


def _best(descending: bool) -> Rewrite:
    """MAX_BY and MIN_BY: the first by the other's order."""

    def change(node: exp.Expr) -> exp.Expr:
        by = exp.Ordered(this=node.expression, desc=descending, nulls_first=False)
        ordered = exp.Order(this=node.this, expressions=[by])
        known = exp.Not(this=exp.Is(this=node.expression.copy(), expression=exp.null()))
        kept = exp.Filter(this=exp.ArrayAgg(this=ordered), expression=exp.Where(this=known))
        return exp.Bracket(this=exp.Paren(this=kept), expressions=[exp.Literal.number(1)], offset=1)

    return change


def _path(node: exp.Expr) -> exp.Expr | None:
    """`#>` and `#>>` take json and jsonb alike."""
    path = node.expression
    keys = [part.this for part in path.expressions[1:]] if isinstance(path, exp.JSONPath) else []
    if not keys or not all(isinstance(key, str | int) for key in keys):
        return None
    said = ",".join('"' + str(key).replace("\\", "\\\\").replace('"', '\\"') + '"' for key in keys)
    text = isinstance(node, exp.JSONExtractScalar) or isinstance(node.parent, exp.Cast)
    kind = exp.JSONBExtractScalar if text else exp.JSONBExtract
    return exp.Paren(this=kind(this=node.this, expression=exp.Literal.string("{" + said + "}")))


def _substring(node: exp.Expr) -> exp.Expr:
    """REGEXP_SUBSTR; its flags stand in the pattern."""
    more = [node.args.get(name) or exp.Literal.number(1) for name in ("position", "occurrence")]
    group = node.args.get("group") or exp.Literal.number(0)
    _lines(node)
    return _call("REGEXP_SUBSTR", node.this, node.expression, *more, "", group)


def _replaced(node: exp.Expr) -> None:
    if not node.args.get("modifiers"):
        _lines(node)


def _slice(node: exp.Expr) -> exp.Expr | None:
    unit = str(node.args.get("unit") or "").lower()
    if unit not in ("second", "minute", "hour", "day") or node.args.get("kind"):
        return None
    every = exp.Literal.string(f"{node.expression.name} {unit}")
    since = exp.Literal.string("1970-01-01")
    return _call("DATE_BIN", exp.cast(every, "interval"), _time(node.this), exp.cast(since, "timestamp"))


def _any_of(node: exp.Expr) -> None:
    """LIKE ANY (a, b): an array here."""
    options = node.expression
    if isinstance(options, exp.Any | exp.All) and isinstance(options.this, exp.Tuple | exp.Paren):
        values = options.this.expressions or [options.this.this]
        options.set("this", exp.Paren(this=exp.Array(expressions=values)))


NAMED = {"TryCast": "TRY_CAST (and TRY_TO_…)", "Explode": "FLATTEN", "Typeof": "TYPEOF"}


def _no(node: exp.Expr) -> exp.Expr:
    name = type(node).__name__
    raise Untranslatable(f"{NAMED[name]} has no equal in postgres; write a .postgres.sql beside it", name)


def _not_from_snowflake(node: exp.Expr) -> exp.Expr | None:
    return _no(node) if isinstance(node.parent, exp.Lateral | exp.TableFromRows) else None


def _bare(node: exp.Expr) -> exp.Expr | None:
    """A cast to VARIANT says nothing here."""
    return node.this if isinstance(node, exp.Cast) and node.to.is_type(exp.DType.VARIANT) else None


def _second(node: exp.Expr) -> None:
    if node.name.upper() == "EPOCH_SECOND":
        node.set("this", exp.Var(this="EPOCH"))


CHANGES: dict[type[exp.Expr], Rewrite] = {
    exp.Column: _column,
    exp.RegexpLike: _whole,
    exp.Greatest: _all_known,
    exp.Least: _all_known,
    exp.DateDiff: _weeks,
    exp.Round: _round,
    exp.ArrayPosition: _position,
    exp.WithinGroup: _ordered,
    exp.ArgMax: _best(descending=True),
    exp.ArgMin: _best(descending=False),
    exp.JSONExtract: _path,
    exp.JSONExtractScalar: _path,
    exp.Like: _any_of,
    exp.ILike: _any_of,
    exp.TryCast: _no,
    exp.Typeof: _no,
    exp.Explode: _not_from_snowflake,
    exp.Cast: _bare,
    exp.Extract: _second,
    exp.ArraySize: lambda node: _call("CARDINALITY", node.this),
    exp.EqualNull: lambda node: exp.NullSafeEQ(this=node.this, expression=node.expression),
    exp.Contains: lambda node: exp.Paren(
        this=exp.GT(this=_call("STRPOS", node.this, node.expression), expression=exp.Literal.number(0))
    ),
    exp.EndsWith: lambda node: exp.EQ(
        this=_call("RIGHT", node.this, _call("LENGTH", node.expression)), expression=node.expression.copy()
    ),
    exp.RegexpExtract: _substring,
    exp.RegexpReplace: _replaced,
    exp.Mode: lambda node: exp.WithinGroup(
        this=exp.Anonymous(this="MODE"), expression=exp.Order(expressions=[exp.Ordered(this=node.this)])
    ),
    exp.ApproxDistinct: lambda node: exp.Count(this=exp.Distinct(expressions=[node.this])),
    exp.Split: lambda node: exp.Paren(this=_call("STRING_TO_ARRAY", node.this, node.expression)),
    exp.TimeSlice: _slice,
    exp.Dayname: lambda node: _call("TO_CHAR", node.this, "Dy"),
    exp.DayOfWeek: _part("DOW"),
    exp.DayOfWeekIso: _part("ISODOW"),
    exp.DayOfYear: _part("DOY"),
    exp.Week: _part("WEEK"),
    exp.WeekOfYear: _part("WEEK"),
    exp.Hour: _part("HOUR"),
    exp.Minute: _part("MINUTE"),
    exp.Second: _part("SECOND"),
    exp.SHA2: lambda node: (
        _call("ENCODE", _call("SHA256", _call("CONVERT_TO", node.this, "UTF8")), "hex")
        if node.args.get("length") is None or node.args["length"].name == "256"
        else None
    ),
}
