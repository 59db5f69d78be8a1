"""The plan of the house: each room and whom it may import, and each outside library's one home."""

from __future__ import annotations

from collections.abc import Mapping

# Each room, and which rooms it may import. What a room is not named for is closed to it.
PURE = "sensors.model bot.core"
PROCESS = "bot.process bot.process.errors bot.watch.clockwatch"
WATCH = "bot.watch.trouble bot.watch.circuit bot.watch.silence bot.watch.auditor"
ROOMS: Mapping[str, str] = {
    "sensors.model": "",
    "sensors": "sensors.model",
    "bot.core": "sensors.model",
    "bot.process.errors": "",
    "bot.process": "sensors.model bot.process.errors",
    "bot.process.opening": "bot.store bot.process bot.process.errors",
    "bot.watch": "",
    "bot.watch.probe": "",
    "bot.watch.clockwatch": "bot.process bot.process.errors",
    "bot.watch.glance": "sensors bot.process bot.process.errors",
    "bot.watch.heartbeat": "bot.process bot.process.errors",
    "bot.store": f"{PURE} bot.process.errors",
    "bot.slack": f"{PURE} bot.process.errors",
    "bot.jobs": f"{PURE} bot.process.errors",
    "bot.bundles": f"{PURE} sensors bot.store {PROCESS}",
    "bot.project": f"{PURE} sensors bot.store bot.bundles {PROCESS}",
    "bot.watch.trouble": f"{PURE} bot.store {PROCESS}",
    "bot.watch.circuit": f"{PURE} sensors bot.project bot.watch.trouble {PROCESS}",
    "bot.watch.silence": f"{PURE} bot.store bot.project bot.watch.trouble bot.watch.circuit {PROCESS}",
    "bot.watch.auditor": f"{PURE} bot.store bot.project bot.watch.trouble {PROCESS}",
    "bot.engine": f"{PURE} sensors bot.store bot.project {WATCH} {PROCESS}",
    "bot.watch.worth": f"{PURE} bot.engine bot.watch.trouble {PROCESS}",
    "bot.watch.budget": f"{PURE} bot.engine bot.watch.trouble {PROCESS}",
    "bot.watch.late": f"{PURE} sensors bot.store bot.engine bot.watch.trouble {PROCESS}",
    "bot.watch.stale": f"{PURE} bot.engine bot.watch.trouble bot.watch.tables {PROCESS}",
    "bot.watch.tables": f"{PURE} sensors bot.engine {PROCESS}",
    "bot.watch.upstreams": f"{PURE} sensors bot.store bot.engine bot.watch.stale bot.watch.tables {PROCESS}",
    "bot.workbench": f"{PURE} sensors {PROCESS}",
    "bot.workbench.hindsight": f"{PURE} sensors bot.store bot.workbench {PROCESS}",
    "bot.workbench.preview": f"{PURE} sensors bot.slack {PROCESS}",
    "bot.new": "sensors sensors.model bot.workbench bot.process.errors",
    "bot.mending": f"{PURE} bot.store bot.engine bot.workbench.hindsight {PROCESS}",
    "bot.lateness": f"{PURE} bot.store {PROCESS}",
    "bot.view": f"{PURE} bot.store bot.project bot.engine bot.lateness {PROCESS}",
    "bot.starting": f"{PURE} bot.store bot.jobs bot.project bot.engine bot.view {PROCESS}",
    "bot.steering": f"{PURE} sensors bot.store bot.engine bot.starting bot.watch.trouble {PROCESS}",
    "bot.shifts": f"{PURE} bot.store bot.slack bot.jobs bot.project bot.engine bot.view {PROCESS}",
    "bot.deliver": f"{PURE} bot.store bot.slack bot.project bot.watch.trouble bot.engine bot.view {PROCESS}",
    "bot.desk": f"{PURE} sensors bot.store bot.project bot.engine bot.lateness bot.view bot.starting"
    f" bot.shifts bot.desk.waiting {PROCESS}",
    "bot.schedule": f"{PURE} bot.store bot.engine bot.view bot.starting bot.desk.waiting bot.deliver"
    f" bot.watch.late bot.watch.worth bot.watch.budget bot.watch.upstreams"
    f" bot.watch.glance bot.mending {PROCESS}",
    "bot.desk.waiting": f"{PURE} bot.store bot.engine {PROCESS}",
    "bot.sandbox": "",
    "bot.demo": "",
    "bot": "",
}
SHELL = " ".join(r for r in ROOMS if r.startswith("bot.") and r not in ("bot.sandbox", "bot.demo"))
ROOMS = {
    **ROOMS,
    "bot.app": f"sensors sensors.model {SHELL}",
    "bot.cli": f"sensors sensors.model bot.app bot.sandbox bot.demo {SHELL}",
    "bot.dagster": f"{PURE} bot.app bot.cli bot.workbench sensors {PROCESS}",
    "bot.__main__": "bot.cli bot.process.errors sensors.model",
}

# Each outside library has one home: the modules whose names begin so.
HOMES: Mapping[str, str] = {
    "sqlalchemy": "bot.store bot.jobs.sql sensors.warehouse.alchemy",
    "alembic": "bot.store",
    "psycopg": "bot.store sensors.warehouse.alchemy",
    "slack_bolt": "bot.slack bot.app",
    "slack_sdk": "bot.slack bot.app",
    "websocket": "bot.slack",
    "apscheduler": "bot.schedule",
    "cronsim": "bot.core.plan sensors.file_policy",
    "duckdb": "sensors.warehouse bot.demo",
    "botocore": "bot.jobs.sagemaker",
    "snowflake": "sensors.warehouse.snowflake bot.demo.snowflake",
    "fakesnow": "bot.demo.snowflake",
    "jwt": "bot.demo.snowflake",
    "pyarrow": "bot.demo.snowflake",
    "sqlglot": "sensors.sql sensors.warehouse.dialect sensors.warehouse.column_type bot.demo.snowflake",
    "jinja2": "sensors.sql.template sensors.title",
    "pydantic": "bot.process.settings bot.jobs.config sensors.file",
    "pydantic_core": "sensors.file",
    "yaml": "bot.process.settings bot.sandbox sensors.yaml_",
    "structlog": "bot.process.log",
    "prometheus_client": "bot.process.metrics bot.process.web",
    "starlette": "bot.process.web bot.sandbox bot.demo",
    "uvicorn": "bot.process.web bot.sandbox bot.demo",
    "websockets": "bot.sandbox",
    "httpx": "bot.jobs bot.watch.heartbeat bot.sandbox",
    "pytest": "bot.cli.collect",
    "click": "bot.cli",
    "PIL": "bot.deliver.drawing",
    "rich": "bot.cli",
    "dagster": "bot.dagster",
}
