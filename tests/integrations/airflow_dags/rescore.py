"""What the real Airflow of the tests has: run by its own Python, in .venv-airflow."""

from __future__ import annotations

import time

import pendulum
from airflow.sdk import DAG, Param, task

SELLER = Param("s_0", type="string", **{"not": {"const": "no such seller"}})

with DAG(
    "rescore",
    schedule="0 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    is_paused_upon_creation=False,
    params={"seller_id": SELLER},
):

    @task
    def score(**context) -> None:
        seller = context["params"]["seller_id"]
        print("working on", seller)
        if seller == "nobody":
            raise ValueError("no such seller")
        if seller == "slow":
            time.sleep(60)

    score()
