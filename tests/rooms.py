"""The plan of the house: each room and whom it may import, and each outside library's one home."""

from __future__ import annotations

from collections.abc import Mapping

# Each room, and which rooms it may import. What a room is not named for is closed to it.
PURE = "sensors.model bot.core"
WATCH = "bot.watch.trouble bot.watch.circuit bot.watch.silence bot.watch.auditor"
LEAVES = "bot.errors bot.killpoint bot.log bot.metrics bot.unrecorded bot.watch.clockwatch"
ROOMS: Mapping[str, str] = {
    "sensors.model": "",
    "sensors": "sensors.model",
    "bot.core": "sensors.model",
    "bot.errors": "",
    "bot.frugal": "",
    "bot.killpoint": "",
    "bot.log": "bot.errors bot.frugal",
    "bot.metrics": "sensors.model",
    "bot.watch": "",
    "bot.watch.probe": "",
    "bot.watch.clockwatch": "bot.errors bot.log",
    "bot.unrecorded": "bot.errors bot.log",
    "bot.opening": "bot.store bot.errors bot.log",
    "bot.settings": "sensors.model bot.errors bot.settings_bundles bot.settings_words",
    "bot.settings_words": "bot.settings_bundles",
    "bot.settings_bundles": "sensors.model",
    "bot.watch.heartbeat": "bot.errors bot.log",
    "bot.web": "bot.errors bot.log bot.metrics",
    "bot.store": f"{PURE} bot.errors",
    "bot.slack": f"{PURE} bot.errors",
    "bot.jobs": f"{PURE} bot.errors",
    "bot.bundles": f"{PURE} sensors bot.store {LEAVES}",
    "bot.project": f"{PURE} sensors bot.store bot.bundles {LEAVES}",
    "bot.watch.trouble": f"{PURE} bot.store {LEAVES}",
    "bot.watch.circuit": f"{PURE} sensors bot.project bot.watch.trouble {LEAVES}",
    "bot.watch.silence": f"{PURE} bot.store bot.project bot.watch.trouble bot.watch.circuit {LEAVES}",
    "bot.watch.auditor": f"{PURE} bot.store bot.project bot.watch.trouble {LEAVES}",
    "bot.trust": f"{PURE} bot.store {LEAVES}",
    "bot.watch.worth": f"{PURE} bot.engine bot.trust bot.watch.trouble {LEAVES}",
    "bot.renaming": f"{PURE} bot.store {LEAVES}",
    "bot.due": f"{PURE} bot.store {LEAVES}",
    "bot.new": "sensors sensors.model bot.trial bot.errors",
    "bot.one_look": f"{PURE} sensors",
    "bot.trial": f"{PURE} sensors bot.one_look bot.errors",
    "bot.errands": f"{PURE} sensors bot.store {LEAVES}",
    "bot.runs": f"{PURE} sensors bot.store bot.errands bot.project bot.watch.trouble bot.watch.circuit"
    f" {LEAVES}",
    "bot.orders": f"{PURE} bot.store bot.project {LEAVES}",
    "bot.snoozes": f"{PURE} bot.store bot.project {LEAVES}",
    "bot.engine": f"{PURE} sensors bot.store bot.project {WATCH} bot.renaming bot.runs bot.orders bot.snoozes"
    f" bot.trust {LEAVES}",
    "bot.rounds": f"{PURE} bot.store bot.due bot.runs bot.engine {LEAVES}",
    "bot.watch.late": f"{PURE} sensors bot.store bot.engine bot.watch.trouble {LEAVES}",
    "bot.backfill": f"{PURE} sensors bot.store bot.runs bot.engine {LEAVES}",
    "bot.replay": f"{PURE} sensors",
    "bot.score": f"{PURE} sensors bot.replay",
    "bot.drafting": f"{PURE} sensors bot.one_look",
    "bot.hindsight": f"{PURE} sensors bot.store bot.one_look {LEAVES}",
    "bot.mending": f"{PURE} bot.store bot.engine bot.hindsight {LEAVES}",
    "bot.preview": f"{PURE} sensors bot.slack {LEAVES}",
    "bot.view": f"{PURE} bot.store bot.project bot.engine {LEAVES}",
    "bot.starting": f"{PURE} bot.store bot.jobs bot.project bot.runs bot.engine bot.view {LEAVES}",
    "bot.shifts": f"{PURE} bot.store bot.slack bot.jobs bot.project bot.engine bot.view {LEAVES}",
    "bot.deliver": f"{PURE} bot.store bot.slack bot.project bot.watch.trouble bot.engine bot.view {LEAVES}",
    "bot.acting": f"{PURE} bot.store bot.engine bot.view {LEAVES}",
    "bot.revealing": f"{PURE} sensors bot.store bot.engine bot.view bot.acting {LEAVES}",
    "bot.waiting": f"{PURE} bot.store bot.engine {LEAVES}",
    "bot.approving": f"{PURE} bot.store bot.engine bot.acting bot.starting bot.waiting {LEAVES}",
    "bot.digests": f"{PURE} bot.store bot.view {LEAVES}",
    "bot.asking": f"{PURE} bot.store bot.project bot.engine bot.view bot.acting {LEAVES}",
    "bot.why": f"{PURE} bot.store bot.project bot.engine bot.view {LEAVES}",
    "bot.policy_page": f"{PURE} bot.store bot.engine bot.view {LEAVES}",
    "bot.desk": f"{PURE} bot.store bot.project bot.engine bot.view bot.starting bot.shifts bot.digests"
    f" bot.acting bot.approving bot.revealing bot.asking bot.why bot.policy_page {LEAVES}",
    "bot.schedule": f"{PURE} bot.store bot.due bot.engine bot.rounds bot.view bot.starting bot.waiting"
    f" bot.deliver bot.watch.late bot.watch.worth bot.mending {LEAVES}",
    "bot.sandbox": "",
    "bot.demo": "",
    "bot": "",
}
SHELL = " ".join(r for r in ROOMS if r.startswith("bot.") and r not in ("bot.sandbox", "bot.demo"))
ROOMS = {
    **ROOMS,
    "bot.app": f"sensors sensors.model {SHELL}",
    "bot.cli": f"sensors sensors.model bot.app bot.sandbox bot.demo {SHELL}",
    "bot.__main__": "bot.cli bot.errors sensors.model",
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
    "snowflake": "sensors.warehouse.snowflake bot.demo.snowflake",
    "fakesnow": "bot.demo.snowflake",
    "jwt": "bot.demo.snowflake",
    "pyarrow": "bot.demo.snowflake",
    "sqlglot": "sensors.sql sensors.warehouse.dialect sensors.warehouse.column_type",
    "jinja2": "sensors.sql.template sensors.title",
    "pydantic": "bot.settings bot.jobs.config sensors.file",
    "pydantic_core": "sensors.file",
    "yaml": "bot.settings bot.sandbox sensors.yaml_",
    "structlog": "bot.log",
    "prometheus_client": "bot.metrics bot.web",
    "starlette": "bot.web bot.sandbox bot.demo",
    "uvicorn": "bot.web bot.sandbox bot.demo",
    "websockets": "bot.sandbox",
    "httpx": "bot.jobs bot.watch.heartbeat bot.sandbox",
    "pytest": "bot.cli.collect",
    "click": "bot.cli",
    "rich": "bot.cli",
}
