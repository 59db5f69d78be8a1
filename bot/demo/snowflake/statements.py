"""Runs statements through fakesnow, each with its tag and timeout, beside those of its session."""

from __future__ import annotations

import re
import threading
from typing import Any

from fakesnow.conn import FakeSnowflakeConnection

from bot.demo.snowflake import altered, wire
from bot.demo.snowflake.binds import bound
from bot.demo.snowflake.executions import Answer, Execution, Executions
from bot.demo.snowflake.history import with_history
from bot.demo.snowflake.holds import Holds
from bot.demo.snowflake.refusals import CANCELLED
from bot.demo.snowflake.roles import may_compute
from bot.demo.snowflake.sessions import USER, Session, Sessions


class Statements:
    def __init__(self, sessions: Sessions, executions: Executions, holds: Holds) -> None:
        self.sessions = sessions
        self.executions = executions
        self.holds = holds

    def begin(self, session: Session, body: dict[str, Any]) -> Execution:
        """The statement of a query request, begun in a thread of its own. Raises Refusal for its binds."""
        said = {**session.parameters, **{k.upper(): v for k, v in (body.get("parameters") or {}).items()}}
        sql = str(body["sqlText"])
        named, values = bound(sql, body.get("bindings"))
        one = Execution(sql, str(said.get("QUERY_TAG") or ""), USER, session.role, session.schema)
        self.executions.add(one)
        seconds = float(said.get("STATEMENT_TIMEOUT_IN_SECONDS") or 0)
        connection = self.sessions.connection(session)

        def work() -> Answer:
            self.holds.wait(one)
            if one.stopping:
                raise CANCELLED
            cursor = connection.cursor()
            one.warehouse = may_compute(sql, session.warehouse)
            known = self.sessions.roles.instead(named) or self._known(connection, session, named)
            altered.show(connection._duck_conn, sql)
            cursor.execute(known, binding_params=values, server=True)
            altered.note_of(connection, cursor._last_transformed)
            session.database, session.schema = connection.database or "", connection.schema or ""
            return wire.answer(cursor)

        def run() -> None:
            try:
                one.run(work, connection._duck_conn.interrupt, seconds)
            finally:
                connection.close()

        threading.Thread(target=run, name=f"statement {one.id}", daemon=True).start()
        return one

    def _known(self, connection: FakeSnowflakeConnection, session: Session, sql: str) -> str:
        """The statement with what fakesnow does not know put in."""
        said = re.sub(r"\bCURRENT_(\w+)\(\s*\)", session.current, sql)
        marked = altered.marked(connection._duck_conn, said, session.database, session.schema)
        return with_history(connection._duck_conn, marked, self.executions)
