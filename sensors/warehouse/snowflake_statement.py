"""One statement: submitted, or taken up again; polled, aborted by its id when it must end; its rows read."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sensors.model.run import Submitted
from sensors.warehouse import QueryTimeout, Result, WarehouseError
from sensors.warehouse.capped import capped, named_once
from sensors.warehouse.errand import Errand
from sensors.warehouse.snowflake_errors import lost, plainly
from sensors.warehouse.snowflake_sessions import Lent

FIRST_S, LONGEST_S = 0.02, 1.0  # between two looks at a query's status
AT_ONCE = 1000  # rows fetched in one go
FOUND = "TABLE(INFORMATION_SCHEMA.QUERY_HISTORY_BY_USER(RESULT_LIMIT => 10000))"
TAKEN_UP = (
    f"SELECT query_id FROM {FOUND} WHERE query_tag = ? AND UPPER(execution_status) NOT LIKE 'FAILED%'"
    " ORDER BY start_time DESC LIMIT 1"
)


Fetched = tuple[tuple[str, ...], tuple[Any, ...], bool, int]  # names, rows that fit, more of them, bytes
TAKEN = "the query was stopped: another process has this run"


class LeftToOther(WarehouseError):
    """Another process has taken up the query and reads its result: nothing is to be done."""


@dataclass(frozen=True)
class Statement:
    """What is asked, with its values in order. `tag` is what its caller calls it."""

    sql: str
    values: Sequence[Any]
    limit: int
    timeout: timedelta
    tag: str = ""

    @property
    def asks(self) -> str:
        """A mark that is the same for the same SQL with the same values, and for no other."""
        return hashlib.sha256(repr((self.sql, list(self.values))).encode()).hexdigest()[:16]


def ask(session: Lent, what: Statement, errand: Errand, closing: threading.Event) -> Result:
    """Its rows. Raises WarehouseError, or QueryTimeout once the statement has been aborted."""
    began = time.monotonic()
    seconds = what.timeout.total_seconds()
    try:
        query_id = _taken_up(session, what, errand) or _submit(session, what, errand)
        try:
            columns, rows, more, held = _outcome(session, query_id, what, errand, closing)
        except Exception as error:
            if not lost(error):
                raise
            session.drop()  # the query is the user's, not the session's: it runs on
            columns, rows, more, held = _outcome(session, query_id, what, errand, closing)
    except WarehouseError:
        raise
    except Exception as error:  # the driver's, whose classes are not imported here
        if lost(error):
            session.drop()
        raise plainly(error, seconds) from None
    return Result(columns, rows, more, query_id, time.monotonic() - began, held)


def _taken_up(session: Lent, what: Statement, errand: Errand) -> str | None:
    """The id of the same query, submitted before for the same run, that runs still or has ended well."""
    before = errand.before
    if (before is None or before.asks != what.asks) and errand.again:
        before = _by_tag(session, what, errand)
    if before is None or before.asks != what.asks:
        return None
    with suppress(Exception):  # Snowflake no longer knows it: it is asked anew
        status = session.connection.get_query_status(before.query_id)
        known = status.name != "NO_DATA" and not session.connection.is_an_error(status)
        if known and errand.submitted(before):
            return before.query_id
    return None


def _by_tag(session: Lent, what: Statement, errand: Errand) -> Submitted | None:
    """What a process submitted that ended before it could record it."""
    with suppress(Exception):
        cursor = session.connection.cursor()
        cursor.execute(TAKEN_UP, [errand.tag(what.tag, what.asks)])
        if row := cursor.fetchone():
            return Submitted(str(row[0]), what.asks)
    return None


def _submit(session: Lent, what: Statement, errand: Errand) -> str:
    """Its id, recorded. A session that is over is replaced, once."""
    try:
        query_id = _submitted(session.connection, what, errand)
    except Exception as error:
        why = _why(session.connection, what, error)
        if not lost(why):
            raise why from None
        session.drop()
        query_id = _submitted(session.connection, what, errand)
    if not errand.submitted(Submitted(query_id, what.asks)):
        _abort(session.connection, query_id)
        raise WarehouseError(TAKEN, transient=True)
    return query_id


def _why(connection: Any, what: Statement, error: Exception) -> Exception:
    """What Snowflake has against a statement; where the driver lost that, asked again without running it."""
    if "did not report a queryId" not in str(error):
        return error
    try:
        connection.cursor().describe(what.sql, what.values or None)
    except Exception as reason:
        return reason
    return WarehouseError(
        "Snowflake did not take the query: most often no warehouse is chosen, or the role may not use it, so"
        " write ?warehouse=NAME in the URL or `session:` in the policy, and GRANT the role USAGE on it"
    )


def _submitted(connection: Any, what: Statement, errand: Errand) -> str:
    cursor = connection.cursor()
    cursor.set_statement_parameter("QUERY_TAG", errand.tag(what.tag, what.asks))
    seconds = max(1, math.ceil(what.timeout.total_seconds()))
    cursor.set_statement_parameter("STATEMENT_TIMEOUT_IN_SECONDS", seconds)
    return str(cursor.execute_async(what.sql, what.values or None)["queryId"])


def _outcome(
    session: Lent, query_id: str, what: Statement, errand: Errand, closing: threading.Event
) -> Fetched:
    _wait(session.connection, query_id, what.timeout.total_seconds(), errand, closing)
    return _read(session.connection, query_id, what.limit)


def _wait(connection: Any, query_id: str, seconds: float, errand: Errand, closing: threading.Event) -> None:
    """Returns when the query has ended, well or not; however else this ends, it is aborted, unless another
    session or process goes on with it."""
    until, pause = time.monotonic() + seconds, FIRST_S
    try:
        while connection.is_still_running(connection.get_query_status(query_id)):
            left = until - time.monotonic()
            if left <= 0:
                raise QueryTimeout(f"the query took longer than {seconds:g} s and was stopped")
            if errand.lost():
                raise LeftToOther(TAKEN)
            if why := errand.unwanted():
                raise WarehouseError(f"the query was stopped: {why}", transient=True)
            if closing.wait(min(pause, left)):
                raise WarehouseError("the query was stopped: Patrol is ending", transient=True)
            pause = min(pause * 1.5, LONGEST_S)
    except BaseException as error:
        if not isinstance(error, LeftToOther) and not lost(error):
            _abort(connection, query_id)
        raise


def _abort(connection: Any, query_id: str) -> None:
    with suppress(Exception):  # its own STATEMENT_TIMEOUT_IN_SECONDS ends it at the latest
        connection.cursor().abort_query(query_id)


def _read(connection: Any, query_id: str, limit: int) -> Fetched:
    """See `Fetched`."""
    cursor = connection.cursor()
    try:
        cursor.query_result(query_id)
        columns = named_once(column[0] for column in cursor.description or ())
        rows, more, held = capped(iter(lambda: cursor.fetchmany(AT_ONCE), []), limit)
        return columns, tuple(tuple(map(_plain, row)) for row in rows), more, held
    finally:
        cursor.close()


def _plain(cell: Any) -> Any:
    return bytes(cell) if isinstance(cell, bytearray) else cell
