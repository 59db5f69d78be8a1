"""Files at Slack that are ours: which of them outlive what they show, and are to be deleted there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

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

    def outlived(self, pictures_before: datetime | None) -> list[str]:
        """Files of rows that are forgotten here, by age or by `patrol erase`; pictures from before then."""
        rowless = alerts.c.id.not_in(select(evidence.c.alert_id))
        of_rows = (
            select(messages.c.file_id)
            .join_from(messages, alerts, alerts.c.id == messages.c.alert_id)
            .where(messages.c.file_id.is_not(None), alerts.c.work == Work.resolved.value, rowless)
        )
        with self._database.read() as c:
            found = list(c.execute(of_rows.limit(AT_ONCE)).scalars())
            if pictures_before:
                older = select(pictures.c.file_id).where(pictures.c.at < pictures_before)
                found += c.execute(older.order_by(pictures.c.at).limit(AT_ONCE)).scalars()
        return [str(file_id) for file_id in found]

    def gone(self, file_id: str) -> None:
        """It is no longer at Slack."""
        with self._database.write() as c:
            c.execute(update(messages).where(messages.c.file_id == file_id).values(file_id=None))
            c.execute(delete(pictures).where(pictures.c.file_id == file_id))
