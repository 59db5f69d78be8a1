"""What the real Dagster of the tests has: run by its own Python, in .venv-dagster."""

from __future__ import annotations

import time

import dagster as dg


@dg.op(config_schema={"seller_id": str, "request": dg.Field(str, default_value="")})
def work(context) -> None:
    seller = context.op_config["seller_id"]
    context.log.info(f"working on {seller}")
    if seller == "nobody":
        raise dg.Failure("no such seller")
    for _ in range(600 if seller == "slow" else 0):
        time.sleep(0.1)


@dg.job(executor_def=dg.in_process_executor)
def rescore() -> None:
    work()


@dg.sensor(job=rescore, default_status=dg.DefaultSensorStatus.STOPPED)
def on_file() -> dg.SkipReason:
    return dg.SkipReason("no file")


nightly = dg.ScheduleDefinition(
    name="rescore_nightly", job=rescore, cron_schedule="0 3 * * *", execution_timezone="Europe/Berlin"
)
defs = dg.Definitions(jobs=[rescore], schedules=[nightly], sensors=[on_file])
