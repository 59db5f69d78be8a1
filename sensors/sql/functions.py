"""Why a function may not be called: it is refused for a reason, or stands in no list of those that may."""

from __future__ import annotations

from collections.abc import Collection

from sensors.near import near
from sensors.sql.allowed import ABOUT, EVERYWHERE, IN_FROM, OF_DIALECT, OWN, plain

# Functions that reach outside the rows, answer anew each time, or reveal the session.
REFUSED = {
    "reads files": "READ_CSV READ_PARQUET TO_FILE",
    "calls a model or service": """
        AI_AGG AI_CLASSIFY AI_EMBED AI_GENERATE AI_SIMILARITY AI_SUMMARIZE_AGG AI_COMPLETE A_I_FORECAST
        M_L_FORECAST M_L_TRANSLATE PREDICT GENERATE_BOOL GENERATE_DOUBLE GENERATE_EMBEDDING GENERATE_INT
        GENERATE_TABLE GENERATE_TEXT FEATURES_AT_TIME VECTOR_SEARCH""",
    "gives another answer each time": """
        RAND RANDN RANDOM RANDSTR UNIFORM NORMAL ZIPF SHUFFLE UUID UUID_STRING GENERATE_UUID GEN_RANDOM_UUID
        NEXT_VALUE_FOR NEXTVAL CURRVAL LASTVAL SETSEED RESERVOIR_QUANTILE""",
    "leaves numbers out; write ROW_NUMBER() OVER (ORDER BY NULL) - 1": "SEQ1 SEQ2 SEQ4 SEQ8",
    "depends on the clock; write :window_end, the time of the look": """
        CURRENT_DATE CURRENT_DATETIME CURRENT_TIME CURRENT_TIMESTAMP CURRENT_TIMESTAMP_L_T_Z LOCALTIME
        LOCALTIMESTAMP SYSTIMESTAMP UTC_DATE UTC_TIME UTC_TIMESTAMP GETDATE SYSDATE NOW TODAY
        GET_CURRENT_TIMESTAMP GET_CURRENT_TIME TRANSACTION_TIMESTAMP
        CLOCK_TIMESTAMP STATEMENT_TIMESTAMP TIMEOFDAY""",
    "asks about the session": """
        CURRENT_ACCOUNT CURRENT_ACCOUNT_NAME CURRENT_AVAILABLE_ROLES CURRENT_CATALOG CURRENT_CLIENT
        CURRENT_DATABASE CURRENT_IP_ADDRESS CURRENT_ORGANIZATION_NAME CURRENT_ORGANIZATION_USER
        CURRENT_REGION CURRENT_ROLE CURRENT_ROLE_TYPE CURRENT_SCHEMA CURRENT_SCHEMAS
        CURRENT_SECONDARY_ROLES CURRENT_SESSION CURRENT_STATEMENT CURRENT_TIMEZONE CURRENT_TRANSACTION
        CURRENT_USER CURRENT_USER_ID CURRENT_VERSION CURRENT_WAREHOUSE SESSION_USER OBJECT_ID
        CURRENT_SETTING CURRENT_QUERY TXID_CURRENT INET_SERVER_ADDR INET_CLIENT_ADDR COLLATION
        VERSION LAST_QUERY_ID GETVARIABLE""",
    "writes": "SET_CONFIG LO_CREATE LO_UNLINK SETVAL WRITE_LOG",
    "waits": "PG_SLEEP SLEEP BENCHMARK",
    "runs SQL that nobody has read": """
        QUERY QUERY_TABLE QUERY_TO_XML TABLE_TO_XML CURSOR_TO_XML CROSSTAB TS_STAT
        JSON_EXECUTE_SERIALIZED_SQL""",
    "names a table by a text": "DYNAMIC_IDENTIFIER IDENTIFIER",
    "handles secrets": "ENCRYPT ENCRYPT_RAW DECRYPT DECRYPT_RAW SECRET",
    "reaches outside the tables": """
        GLOB SNIFF_CSV GETENV RESULT_SCAN DBLINK DBLINK_EXEC WHICH_SECRET URL FILE REMOTE S3 HDFS
        EXTERNAL_QUERY OPENROWSET OPENQUERY LOAD_FILE XP_CMDSHELL TO_REGCLASS TO_REGPROC
        OBJ_DESCRIPTION HAS_TABLE_PRIVILEGE""",
}
WHY_NOT = {plain(name): why for why, names in REFUSED.items() for name in names.split()}
OUTSIDE = ("read_", "pg_", "scan_", "parquet_", "sqlite_", "postgres_", "mysql_", "duckdb_", "pragma_", "lo_")

CALL = "is not a function that policies may call"


def refusal(name: str, dialect: str, extra: Collection[str] = ()) -> str | None:
    """Why a function may not be called, or None. `extra`: those that patrol.yml lets them call besides."""
    said = name.lower()
    if why := WHY_NOT.get(plain(name)):
        return f"{said} may not be called: it {why}"
    if said.startswith("system$"):
        return f"{said} may not be called: it commands the warehouse"
    if said.startswith(OUTSIDE):
        return f"{said} may not be called: it reaches outside the tables"
    if plain(name) in EVERYWHERE or plain(name) in OF_DIALECT.get(dialect, ()) or said in extra:
        return None
    known = [word for text in (*ABOUT.values(), OWN.get(dialect, "")) for word in text.split()]
    return f"{said} {CALL}{near(name, [*known, *extra], 0.8)}"


def owned(name: str, extra: Collection[str]) -> str | None:
    """Why a function of somebody's own, `schema.name`, may not be called, or None."""
    if name.lower() in extra:
        return None
    return f"{name.lower()} is a function of your own; if it only computes, name it in patrol.yml: functions"


def unfolds(name: str, dialect: str) -> bool:
    """Whether a function may stand in FROM."""
    return plain(name) in IN_FROM[""] or plain(name) in IN_FROM.get(dialect, ())
