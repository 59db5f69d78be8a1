"""Which SQL functions a policy may call: those that only compute on the rows they are given."""

from __future__ import annotations

# Functions that reach outside the rows, answer anew each time, or reveal the session.
REFUSED = {
    "reads files": "READ_CSV READ_PARQUET TO_FILE",
    "calls a model or service": """
        AI_AGG AI_CLASSIFY AI_EMBED AI_GENERATE AI_SIMILARITY AI_SUMMARIZE_AGG AI_COMPLETE A_I_FORECAST
        M_L_FORECAST M_L_TRANSLATE PREDICT GENERATE_BOOL GENERATE_DOUBLE GENERATE_EMBEDDING GENERATE_INT
        GENERATE_TABLE GENERATE_TEXT FEATURES_AT_TIME VECTOR_SEARCH""",
    "gives another answer each time": """
        RAND RANDN RANDOM RANDSTR UNIFORM NORMAL ZIPF SHUFFLE UUID UUID_STRING GENERATE_UUID GEN_RANDOM_UUID
        NEXT_VALUE_FOR NEXTVAL SEQ1 SEQ2 SEQ4 SEQ8""",
    "depends on the clock; write :window_end, the time of the look": """
        CURRENT_DATE CURRENT_DATETIME CURRENT_TIME CURRENT_TIMESTAMP CURRENT_TIMESTAMP_L_T_Z LOCALTIME
        LOCALTIMESTAMP SYSTIMESTAMP UTC_DATE UTC_TIME UTC_TIMESTAMP GETDATE SYSDATE NOW TODAY
        GET_CURRENT_TIMESTAMP GET_CURRENT_TIME TRANSACTION_TIMESTAMP""",
    "asks about the session": """
        CURRENT_ACCOUNT CURRENT_ACCOUNT_NAME CURRENT_AVAILABLE_ROLES CURRENT_CATALOG CURRENT_CLIENT
        CURRENT_DATABASE CURRENT_IP_ADDRESS CURRENT_ORGANIZATION_NAME CURRENT_ORGANIZATION_USER
        CURRENT_REGION CURRENT_ROLE CURRENT_ROLE_TYPE CURRENT_SCHEMA CURRENT_SCHEMAS
        CURRENT_SECONDARY_ROLES CURRENT_SESSION CURRENT_STATEMENT CURRENT_TIMEZONE CURRENT_TRANSACTION
        CURRENT_USER CURRENT_USER_ID CURRENT_VERSION CURRENT_WAREHOUSE SESSION_USER OBJECT_ID
        CURRENT_SETTING VERSION LAST_QUERY_ID GETVARIABLE""",
    "handles secrets": "ENCRYPT ENCRYPT_RAW DECRYPT DECRYPT_RAW SECRET",
    "reaches outside the tables": "GLOB SNIFF_CSV GETENV QUERY QUERY_TABLE RESULT_SCAN DBLINK WHICH_SECRET",
}
WHY_NOT = {name.replace("_", ""): why for why, names in REFUSED.items() for name in names.split()}
OUTSIDE = ("read_", "pg_", "scan_", "parquet_", "sqlite_", "postgres_", "mysql_", "duckdb_", "pragma_", "lo_")

# Not known to sqlglot by a class of its own in every dialect; these compute only on what they are given.
COMPUTING = """
    to_timestamp to_timestamp_ntz to_timestamp_ltz to_timestamp_tz try_to_timestamp try_to_timestamp_ntz
    to_date try_to_date to_time try_to_time to_varchar to_char to_decimal to_numeric to_number try_to_number
    try_to_decimal try_to_numeric try_to_double try_to_boolean to_double to_boolean to_binary to_json
    to_object to_array to_variant as_integer as_varchar as_array as_object
    date_part datediff dateadd timeadd timediff timestampadd timestampdiff dayname monthname last_day next_day
    previous_day add_months epoch epoch_ms epoch_us to_seconds strftime strptime date_trunc time_bucket age
    year month day hour minute second quarter week dayofweek dayofyear weekiso dayofweekiso yearofweek
    hash hash_agg ratio_to_report conditional_true_event conditional_change_event first_value last_value
    nth_value zeroifnull nullifzero div0 div0null iff nvl nvl2 ifnull equal_null decode greatest_ignore_nulls
    least_ignore_nulls square cbrt truncate trunc mod bitand bitor bitxor bitnot bitshiftleft bitshiftright
    haversine width_bucket factorial degrees radians
    contains startswith endswith charindex position editdistance jaccard levenshtein damerau_levenshtein
    hamming jaro_similarity jaro_winkler_similarity jarowinkler_similarity soundex lpad rpad ltrim rtrim
    replace reverse space strtok split_part split translate initcap regexp_matches regexp_extract
    regexp_extract_all regexp_full_match regexp_substr_all regexp_count regexp_instr regexp_like rlike
    md5_hex md5_number_lower64 md5_number_upper64 sha1_hex sha2_hex sha256 base64_encode
    base64_decode_string hex_encode hex_decode_string url_encode url_decode parse_ip parse_url strip_accents
    unaccent chr ascii unicode len
    array_size array_contains array_construct array_construct_compact array_to_string array_slice
    array_flatten array_position array_cat array_append array_prepend array_insert array_distinct
    array_except array_intersection arrays_overlap array_sort array_min array_max array_compact
    array_generate_range array_unique_agg list_contains list_distinct list_value list_sort list_filter
    list_transform list_aggregate
    object_construct object_construct_keep_null object_keys object_agg object_pick object_delete
    object_insert get get_path parse_json try_parse_json check_json json_extract_path_text
    json_array_length json_extract_string json_keys json_valid typeof is_null_value is_array is_object
    is_integer is_varchar is_boolean is_decimal
    count_if countif booland_agg boolor_agg boolxor_agg bitand_agg bitor_agg approx_count_distinct
    approx_percentile approx_top_k hll hll_estimate median mode kurtosis skew skewness stddev stddev_samp
    stddev_pop variance var_samp var_pop covar_pop covar_samp corr regr_slope regr_intercept regr_r2
    regr_count any_value arg_max arg_min max_by min_by listagg string_agg group_concat array_agg
    percentile_cont percentile_disc quantile_cont quantile_disc mad entropy geomean product histogram
    cume_dist percent_rank ntile dense_rank rank row_number lag lead
    st_distance st_makepoint st_point st_dwithin st_x st_y h3_latlng_to_cell
    flatten unnest table generate_series range generator split_to_table strtok_split_to_table
"""
KNOWN = frozenset(COMPUTING.split())
CALL = "is not a function that policies may call"

# What may stand in FROM beside tables: these unfold values that the query already has.
UNFOLDING = """
    flatten unnest explode posexplode generate_series range split_to_table strtok_split_to_table generator
    values
"""
TABLE_FUNCTIONS = frozenset(name.replace("_", "") for name in UNFOLDING.split())


def refusal(name: str, by_class: bool) -> str | None:
    """Why a function may not be called, or None. `by_class`: sqlglot knows it by a class of its own."""
    plain = name.lower()
    if why := WHY_NOT.get(plain.replace("_", "").upper()):
        return f"{plain} may not be called: it {why}"
    if plain.startswith("system$"):
        return f"{plain} may not be called: it commands the warehouse"
    if plain.startswith(OUTSIDE):
        return f"{plain} may not be called: it reaches outside the tables"
    if by_class or plain in KNOWN:
        return None
    return f"{plain} {CALL}"


def unfolds(name: str) -> bool:
    """Whether a function may stand in FROM."""
    return name.lower().replace("_", "") in TABLE_FUNCTIONS
