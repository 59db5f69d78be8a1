"""The functions that a policy may call, by what they are about: they only compute on the rows they are given.

Names as sqlglot calls them or as they are written; underscores do not count. What is in no list is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

ABOUT = {
    "json": """
    as_array as_integer as_object as_varchar check_json check_xml from_json get get_extract
    get_ignore_case get_path is_array is_boolean is_decimal is_integer is_null_value is_object
    is_varchar json_array json_array_agg json_array_append json_array_contains json_array_insert
    json_array_length json_cast json_exists json_extract json_extract_array json_extract_path_text
    json_extract_scalar json_extract_string json_format json_keys json_keys_at_depth json_object
    json_object_agg json_remove json_set json_strip_nulls json_table json_type json_valid
    json_value_array jsonb_contains jsonb_contains_all_top_keys jsonb_contains_any_top_keys
    jsonb_contains_top_key jsonb_delete_at_path jsonb_exists jsonb_extract jsonb_extract_scalar
    jsonb_object_agg jsonb_path_exists jsonbool lax_bool lax_float64 lax_int64 lax_string object_agg
    object_construct object_construct_keep_null object_delete object_insert object_keys object_pick
    object_transform parse_json strip_null_value struct struct_extract to_json to_object to_variant
    try_parse_json typeof xmlelement xmlget""",
    "arrays": """
    apply array array_all array_any array_append array_cat array_compact array_concat
    array_construct array_construct_compact array_contained_by array_contains array_contains_all
    array_distinct array_except array_first array_flatten array_generate_range array_insert
    array_intersect array_intersection array_last array_max array_min array_overlaps array_position
    array_prepend array_remove array_remove_at array_reverse array_size array_slice array_sort
    array_sum array_to_string arrays_overlap arrays_zip explode explode_outer
    exploding_generate_series filter flatten generate_date_array generate_series
    generate_timestamp_array generator inline list list_aggregate list_contains list_distinct
    list_filter list_sort list_transform list_value map map_cat map_contains_key map_delete
    map_from_entries map_insert map_keys map_pick map_size posexplode posexplode_outer range range_n
    reduce split_to_table stack star_map str_to_map string_to_array strtok_split_to_table
    strtok_to_array table to_array to_map transform unnest var_map""",
    "times": """
    add_months age convert_timezone date date_add date_bin date_from_parts date_from_unix_date
    date_part date_str_to_date date_sub date_to_date_str date_to_di date_trunc datediff datetime
    datetime_add datetime_diff datetime_sub datetime_trunc day day_of_month day_of_week day_of_year
    dayname dayofweek_iso di_to_date epoch epoch_ms epoch_us extract from_iso8601_date
    from_iso8601_timestamp from_iso8601_timestamp_nanos hour justify_days justify_hours
    justify_interval last_day make_interval minute month monthname months_between next_day
    parse_datetime parse_time previous_day quarter second str_to_date str_to_time str_to_unix
    strftime strptime time time_add time_bucket time_diff time_from_parts time_slice
    time_str_to_date time_str_to_time time_str_to_unix time_sub time_to_str time_to_time_str
    time_to_unix time_trunc timestamp timestamp_add timestamp_from_parts timestamp_ltz_from_parts
    timestamp_sub timestamp_trunc timestamp_tz_from_parts timestampdiff to_date to_days to_seconds
    to_time to_timestamp to_timestamp_ltz to_timestamp_ntz to_timestamp_tz try_to_date try_to_time
    try_to_timestamp try_to_timestamp_ntz ts_or_di_to_di ts_or_ds_add ts_or_ds_diff ts_or_ds_to_date
    ts_or_ds_to_date_str ts_or_ds_to_datetime ts_or_ds_to_time ts_or_ds_to_timestamp unix_date
    unix_micros unix_millis unix_seconds unix_to_str unix_to_time unix_to_time_str week week_of_year
    week_start weekiso year year_of_week year_of_week_iso""",
    "aggregates": """
    any_value approx_count_distinct approx_distinct approx_percentile approx_percentile_accumulate
    approx_percentile_combine approx_percentile_estimate approx_quantile approx_quantiles
    approx_top_k approx_top_k_accumulate approx_top_k_combine approx_top_k_estimate approx_top_sum
    approximate_similarity arg_max arg_min array_agg array_concat_agg array_union_agg
    array_unique_agg avg bitand_agg bitmap_bit_position bitmap_bucket_number bitmap_construct_agg
    bitmap_count bitmap_or_agg bitor_agg bitwise_and_agg bitwise_or_agg bitwise_xor_agg booland_agg
    boolor_agg boolxor_agg conditional_change_event conditional_true_event corr count count_if
    covar_pop covar_samp cume_dist dense_rank entropy first first_value geomean group_concat
    grouping grouping_id hash_agg histogram hll hll_estimate kurtosis lag last last_value lead
    listagg logical_and logical_or mad max max_by median min min_by minhash minhash_combine mode
    nth_value ntile percent_rank percentile_cont percentile_disc product quantile quantile_cont
    quantile_disc rank ratio_to_report regr_avgx regr_avgy regr_count regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy regr_valx regr_valy row_number skew skewness stddev
    stddev_pop stddev_samp string_agg sum var_pop var_samp variance variance_pop""",
    "text": """
    ascii base64_decode_binary base64_decode_string base64_encode bit_length byte_length
    cast_to_str_type charindex chr city_hash64 code_points_to_bytes code_points_to_string collate
    compress concat concat_ws contains convert convert_to_charset damerau_levenshtein decode
    decode_case decompress_binary decompress_string editdistance elt encode ends_with
    farm_fingerprint format from_base from_base32 from_base64 hamming hash hex hex_decode_string
    hex_encode host initcap is_ascii jaccard jaro_similarity jarowinkler_similarity left len length
    levenshtein lower lower_hex lpad ltrim match_against md5 md5_digest md5_hex md5_number_lower64
    md5_number_upper64 net_func normalize number_to_str overlay pad parse_ip parse_url position
    reg_domain regexp_count regexp_extract regexp_extract_all regexp_full_match regexp_ilike
    regexp_instr regexp_like regexp_matches regexp_replace regexp_split regexp_substr
    regexp_substr_all repeat replace reverse right rlike rpad rtrim rtrimmed_length
    safe_convert_bytes_to_string search search_ip sha sha1_digest sha1_hex sha2 sha256 sha2_digest
    sha2_hex soundex soundex_p123 space split split_part standard_hash starts_with str_position
    string strip_accents strtok stuff substring substring_index to_base32 to_base64 to_char
    to_code_points to_varchar translate trim try_base64_decode_binary try_base64_decode_string
    try_hex_decode_binary try_hex_decode_string unaccent unhex unicode upper url_decode url_encode
    weight_string""",
    "numbers and choices": """
    abs acos acosh and asin asinh atan atan2 atanh bitand bitnot bitor bitshiftleft bitshiftright
    bitwise_count bitxor booland boolnot boolor case cast cbrt ceil coalesce columns connect_by_root
    cos cosh cosine_distance cot coth csc csch degrees div0 div0null dot_product equal_null
    euclidean_distance exists exp factorial float64 floor getbit greatest greatest_ignore_nulls
    h3_latlng_to_cell haversine if iff ifnull int64 is_inf is_nan least least_ignore_nulls ln log
    manhattan_distance mod nanvl negative nullif nullifzero nvl nvl2 or parse_bignumeric
    parse_numeric pi power radians range_bucket rint round safe_add safe_divide safe_func
    safe_multiply safe_negate safe_subtract sec sech sign sin sinh sqrt square st_distance
    st_dwithin st_makepoint st_point st_x st_y tan tanh to_binary to_boolean to_decfloat to_decimal
    to_double to_number to_numeric trunc truncate try try_cast try_to_boolean try_to_decfloat
    try_to_decimal try_to_double try_to_number try_to_numeric width_bucket xor zeroifnull""",
}
# Of one dialect alone.
OWN = {
    "snowflake": """
    array_any_match arrays_to_object as_bigint as_binary as_boolean as_char as_date as_decimal as_double
    as_number as_real as_time as_timestamp_ltz as_timestamp_ntz as_timestamp_tz datasketches_hll
    datasketches_hll_accumulate datasketches_hll_combine datasketches_hll_estimate h3_cell_to_boundary
    h3_cell_to_children h3_cell_to_children_string h3_cell_to_parent h3_cell_to_point h3_compact_cells
    h3_coverage h3_coverage_strings h3_get_resolution h3_grid_disk h3_grid_distance h3_grid_path
    h3_int_to_string h3_is_pentagon h3_is_valid_cell h3_latlng_to_cell_string h3_point_to_cell
    h3_point_to_cell_string h3_polygon_to_cells h3_polygon_to_cells_strings h3_string_to_int
    h3_uncompact_cells hll_accumulate hll_combine hll_export hll_import is_binary is_char is_date
    is_date_value is_double is_real is_time is_timestamp_ltz is_timestamp_ntz is_timestamp_tz md5_number
    parse_xml st_area st_asewkt st_asgeojson st_astext st_aswkb st_aswkt st_azimuth st_buffer
    st_centroid st_collect st_contains st_coveredby st_covers st_difference st_dimension st_disjoint
    st_endpoint st_envelope st_geogfromgeohash st_geogfromtext st_geogfromwkb st_geogfromwkt
    st_geogpointfromgeohash st_geographyfromtext st_geographyfromwkb st_geographyfromwkt st_geohash
    st_geometryfromtext st_geomfromtext st_geomfromwkb st_geomfromwkt st_hausdorffdistance
    st_intersection st_intersects st_isvalid st_length st_makegeompoint st_makeline st_makepolygon
    st_npoints st_numpoints st_perimeter st_pointn st_polygon st_setsrid st_simplify st_srid
    st_startpoint st_symdifference st_transform st_union st_within st_xmax st_xmin st_ymax st_ymin
    sys_connect_by_path to_xml try_to_geography try_to_geometry try_to_timestamp_ltz try_to_timestamp_tz""",
    "postgres": """
    array_lower array_ndims array_replace array_to_json array_upper bit_and bit_or bool_and bool_or
    broadcast btrim cardinality convert_from convert_to div every family gcd get_byte hostmask
    inet_merge inet_same_family isfinite json_agg json_array_elements json_array_elements_text
    json_build_array json_build_object json_each json_each_text json_extract_path json_object_keys
    json_to_record json_to_recordset json_typeof jsonb_agg jsonb_array_elements
    jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each
    jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_object_keys jsonb_path_query
    jsonb_path_query_array jsonb_path_query_first jsonb_strip_nulls jsonb_to_record
    jsonb_to_recordset jsonb_typeof lcm make_date make_time make_timestamp make_timestamptz masklen
    network num_nonnulls num_nulls octet_length phraseto_tsquery plainto_tsquery
    regexp_split_to_array regexp_split_to_table row_to_json scale sha224 sha384 sha512 similarity
    string_to_table to_hex to_jsonb to_tsquery to_tsvector trim_scale ts_rank websearch_to_tsquery
    word_similarity""",
    "duckdb": """
    any_value arbitrary array_filter array_has array_has_all array_has_any array_length
    array_transform array_unique array_value bar bit_and bit_count bit_or bit_xor bool_and bool_or
    cardinality ceiling century datepart datesub datetrunc decade element_at epoch_ns era even favg
    fsum gamma instr isfinite isinf isnan isodow isoyear json_array json_contains json_each
    json_merge_patch json_object json_structure json_tree json_type lgamma list_append list_avg
    list_concat list_has_all list_has_any list_max list_min list_position list_prepend list_reduce
    list_reverse list_slice list_sum list_unique list_zip make_date make_time make_timestamp
    map_entries map_extract map_values microsecond millisecond nfc_normalize prefix printf
    regexp_escape regexp_split_to_array sem sha1 str_split str_split_regex string_split
    string_split_regex struct_insert struct_pack substr suffix to_days to_hours to_microseconds
    to_milliseconds to_minutes to_months to_weeks to_years trim union_extract union_tag""",
}
# What may stand in FROM beside tables: these unfold values that the query already has.
UNFOLDING = {
    "": """
    flatten unnest explode posexplode exploding_generate_series generate_series range split_to_table
    strtok_split_to_table generator values""",
    "postgres": """
    jsonb_array_elements jsonb_array_elements_text json_array_elements json_array_elements_text jsonb_each
    jsonb_each_text json_each json_each_text jsonb_object_keys json_object_keys jsonb_path_query
    jsonb_to_recordset json_to_recordset jsonb_to_record json_to_record regexp_split_to_table string_to_table
    regexp_matches""",
    "duckdb": "json_each json_tree",
}


def plain(name: str) -> str:
    """A name as it is compared."""
    return name.lower().replace("_", "")


def _plain(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(plain(name) for text in texts for name in text.split())


EVERYWHERE = _plain(ABOUT.values())
OF_DIALECT = {dialect: _plain([text]) for dialect, text in OWN.items()}
IN_FROM = {dialect: _plain([text]) for dialect, text in UNFOLDING.items()}
