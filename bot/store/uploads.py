"""Files at Slack that are ours: which of them outlive what they show, and are to be deleted there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select, union, update

from bot.core.alert import Work
from bot.store.database import Database
from bot.store.tables import alerts, evidence, messages, pictures

AT_ONCE = 50


class Uploads:
    def __init__(self, database: Database) -> None:
        self._database = database

    def drawn(self, file_id: str, at: datetime) -> None:
        """A picture was uploaded then."""
        with self._database.write() as c:
            new = self._database.insert(pictures).values(file_id=file_id, at=at)
            c.execute(new.on_conflict_do_nothing())

    def outlived(self, pictures_before: datetime | None, after: str = "") -> list[str]:
        """Files of rows that are forgotten here, by age or by `patrol erase`; pictures from before then. By
        their ids, the first few that come after that one."""
        of_rows = (
            select(messages.c.file_id)
            .join_from(messages, alerts, alerts.c.id == messages.c.alert_id)
            .where(messages.c.file_id.is_not(None), alerts.c.work == Work.resolved.value)
            .where(~exists().where(evidence.c.alert_id == alerts.c.id))
        )
        older = [select(pictures.c.file_id).where(pictures.c.at < pictures_before)] if pictures_before else []
        ids = union(of_rows, *older).subquery().c.file_id
        with self._database.read() as c:
            return list(c.execute(select(ids).where(ids > after).order_by(ids).limit(AT_ONCE)).scalars())

    def gone(self, file_id: str) -> None:
        """It is no longer at Slack."""
        with self._database.write() as c:
            c.execute(update(messages).where(messages.c.file_id == file_id).values(file_id=None))
            c.execute(delete(pictures).where(pictures.c.file_id == file_id))
