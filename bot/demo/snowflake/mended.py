"""What fakesnow reads or answers otherwise than Snowflake does, put right before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from fakesnow import arrow, transforms
from fakesnow.instance import FakeSnow


def mend() -> None:
    _try_cast()
    _no_time()


def seal(fake: FakeSnow, folder: Path | None) -> None:
    """From now on no statement reaches a file, but those in the folder."""
    run = fake.duck_conn.execute
    if folder:
        run(f"SET GLOBAL allowed_directories = ['{folder.resolve()}/']")
    run("SET GLOBAL enable_external_access = false")


def _try_cast() -> None:
    """TRY_CAST to a time gives NULL for a text that is none; fakesnow makes a plain cast of it."""
    plain = transforms.to_timestamp

    def to_timestamp(expression: Any) -> Any:
        return expression if type(expression).__name__ == "TryCast" else plain(expression)

    transforms.to_timestamp = to_timestamp


def _no_time() -> None:
    """A time that is NULL goes out as one; fakesnow's parts of it are NULL, which the connector refuses."""
    plain = arrow.timestamp_to_sf_struct

    def timestamp_to_sf_struct(times: Any) -> Any:
        whole = times.combine_chunks() if isinstance(times, pa.ChunkedArray) else times
        struct = plain(pc.fill_null(whole, pa.scalar(0, type=whole.type)))
        return pa.StructArray.from_arrays(struct.flatten(), fields=list(struct.type), mask=pc.is_null(whole))

    arrow.timestamp_to_sf_struct = timestamp_to_sf_struct
