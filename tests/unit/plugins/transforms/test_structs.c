/* The cleaning transforms on structs: values and the schemas they get. */
#include "tests/unit/plugins/transforms/chains.h"

struct field {
    const char *name;
    enum sluice_type type;
    bool optional;
    const char *json; /* its value */
};

static struct sluice_record *struct_record(struct sluice_batch *batch, const struct field *fields,
                                           size_t count)
{
    const char *names[8];
    const struct sluice_schema *schemas[8];
    for (size_t i = 0; i < count; i++) {
        names[i] = fields[i].name;
        schemas[i] = data_api.schema_plain(fields[i].type, fields[i].optional);
    }
    struct sluice_schema_spec spec = {.size = sizeof(spec),
                                      .type = SLUICE_STRUCT,
                                      .name = "row",
                                      .field_count = count,
                                      .field_names = names,
                                      .field_schemas = schemas};
    char message[200] = "";
    const struct sluice_schema *schema = data_api.schema_new(&spec, message, sizeof(message));
    assert_non_null(schema);
    struct sluice_value *value = data_api.new_struct(batch, schema);
    for (size_t i = 0; i < count; i++) {
        data_api.set_at(batch, value, i, value_of(batch, fields[i].json));
    }
    struct sluice_record *record = sink_record(batch, "topic", "null");
    records_api.set_value(record, schema, value);
    data_api.schema_release(schema);
    return record;
}

/* Fields as name:TYPE? and the value's JSON. */
static void check(const char *properties, const struct field *fields, size_t count,
                  const char *expected_schema, const char *expected_json)
{
    struct error error = {0};
    struct chain *chain = make_chain(properties, &error);
    if (!chain) {
        fail_msg("%s: %s", properties, error.message);
    }
    for (int round = 0; round < 20; round++) { /* more than the cache of schemas holds */
        struct sluice_batch *batch = batch_new(NULL);
        struct sluice_record *record = struct_record(batch, fields, count);
        enum sluice_result result = chain_apply(chain, record, NULL);
        if (result != SLUICE_OK) {
            struct plugin_failure failure;
            chain_failure_take(chain, result, &failure);
            fail_msg("%s: %s", properties, failure.error.message);
        }
        const struct sluice_schema *schema = records_api.value_schema(record);
        assert_ptr_equal(schema, data_api.struct_schema(records_api.value(record)));
        char text[500] = "";
        for (size_t i = 0; i < data_api.schema_field_count(schema); i++) {
            static const char *const types[] = {
                [SLUICE_INT32] = "INT32",     [SLUICE_INT64] = "INT64",
                [SLUICE_BOOLEAN] = "BOOLEAN", [SLUICE_STRING] = "STRING",
                [SLUICE_FLOAT64] = "FLOAT64", [SLUICE_ARRAY] = "ARRAY"};
            const struct sluice_schema *field = data_api.schema_field(schema, i);
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s:%s%s", i ? "," : "",
                     (int)data_api.name_text(data_api.schema_field_name(schema, i)).size,
                     data_api.name_text(data_api.schema_field_name(schema, i)).data,
                     types[data_api.schema_type(field)],
                     data_api.schema_optional(field) ? "?" : "");
        }
        assert_string_equal(text, expected_schema);
        assert_string_equal(data_api.schema_name(schema), "row");
        struct sluice_span json = data_api.to_json(batch, records_api.value(record));
        char *got = strndup(json.data, json.size);
        assert_string_equal(got, expected_json);
        free(got);
        records_api.release(batch);
    }
    chain_destroy(chain);
}

static const struct field pin[] = {
    {"index", SLUICE_INT32, false, "7"},
    {"title", SLUICE_STRING, false, "\"Untitled\""},
    {"followers", SLUICE_STRING, false, "\"1.5k\""},
    {"when", SLUICE_STRING, true, "\"2020-01-02 03:04:05\""},
};

#define T(name) "transforms=x\ntransforms.x.type=" name "$Value\n"
#define O(key, value) "transforms.x." key "=" value "\n"

static void test_structs(void **state)
{
    (void)state;
    check(T("NullValues") O("values", "Untitled"), pin, 4,
          "index:INT32,title:STRING?,followers:STRING?,when:STRING?",
          "{\"index\":7,\"title\":null,\"followers\":\"1.5k\",\"when\":\"2020-01-02 03:04:05\"}");
    check(T("TrimText"), pin, 4, "index:INT32,title:STRING,followers:STRING,when:STRING?",
          "{\"index\":7,\"title\":\"Untitled\",\"followers\":\"1.5k\",\"when\":\"2020-01-02 "
          "03:04:05\"}");
    check(
        T("ExpandSuffix") O("fields", "followers"), pin, 4,
        "index:INT32,title:STRING,followers:INT64,when:STRING?",
        "{\"index\":7,\"title\":\"Untitled\",\"followers\":1500,\"when\":\"2020-01-02 03:04:05\"}");
    check(T("ConvertFields") O("spec", "index:string,title:boolean") O("on.error", "null"), pin, 2,
          "index:STRING?,title:BOOLEAN?", "{\"index\":\"7\",\"title\":null}");
    check(T("ParseTime") O("fields", "when") O("formats", "yyyy-MM-dd HH:mm:ss")
              O("target.format", "yyyy"),
          pin, 4, "index:INT32,title:STRING,followers:STRING,when:STRING?",
          "{\"index\":7,\"title\":\"Untitled\",\"followers\":\"1.5k\",\"when\":\"2020\"}");
    check(T("ConcatFields") O("fields", "title,index") O("target", "name"), pin, 2, "name:STRING?",
          "{\"name\":\"Untitled 7\"}");
    check(T("ArrayFromFields") O("fields", "title,followers") O("target", "both"), pin, 3,
          "index:INT32,both:ARRAY?", "{\"index\":7,\"both\":[\"Untitled\",\"1.5k\"]}");
    check(T("OrderFields") O("fields", "when,none,index") O("rest", "drop") O("missing", "null"),
          pin, 4, "when:STRING?,none:STRING?,index:INT32",
          "{\"when\":\"2020-01-02 03:04:05\",\"none\":null,\"index\":7}");
    check(T("ReplaceField") O("renames", "index:ind") O("exclude", "title"), pin, 2, "ind:INT32",
          "{\"ind\":7}");
}

/* A record of those fields is bad, with a message that has this in it. */
static void check_fails(const char *properties, const struct field *fields, size_t count,
                        const char *message)
{
    struct error error = {0};
    struct chain *chain = make_chain(properties, &error);
    assert_non_null(chain);
    for (int round = 0; round < 2; round++) { /* what the first one left in caches */
        struct sluice_batch *batch = batch_new(NULL);
        enum sluice_result result = chain_apply(chain, struct_record(batch, fields, count), NULL);
        assert_int_equal(result, SLUICE_BAD_RECORD);
        struct plugin_failure failure;
        chain_failure_take(chain, result, &failure);
        if (!strstr(failure.error.message, message)) {
            fail_msg("%s: %s", properties, failure.error.message);
        }
        error_clear(&failure.error);
        records_api.release(batch);
    }
    chain_destroy(chain);
}

/* Struct.put of Java's takes no null for a field that needs a value, whichever transform copies it. */
static void test_null_in_a_required_field(void **state)
{
    (void)state;
    static const struct field fields[] = {{"a", SLUICE_INT64, false, "null"}, {"b", SLUICE_STRING, true, "null"}};
    static const char *const steps[] = {
        T("HeaderFrom") O("fields", "none") O("headers", "h") O("operation", "move"),
        T("ReplaceField") O("renames", "b:c"),
        T("InsertField") O("topic.field", "t"),
        T("SetSchemaMetadata") O("schema.name", "n"),
        T("Cast") O("spec", "b:string"),
        T("MaskField") O("fields", "b"),
        T("Flatten"),
        "transforms=x\ntransforms.x.type=ValueToKey\n" O("fields", "a")};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        check_fails(steps[i], fields, 2,
                    "Invalid value: null used for required field: \"a\", schema type: INT64");
    }
}

static void test_array_needs_one_schema(void **state)
{
    (void)state;
    check_fails(T("ArrayFromFields") O("fields", "index,title") O("target", "both"), pin, 2,
                "Field title has another schema");
}

/* Fields are looked up by their former names, in their order; the first that is wrong is told. */
static void test_renames_that_meet(void **state)
{
    (void)state;
    static const struct field fields[] = {{"b", SLUICE_INT64, false, "1"},
                                          {"d", SLUICE_STRING, false, "\"z\""},
                                          {"c", SLUICE_INT64, false, "2"}};
    check_fails(T("ReplaceField") O("renames", "map:c"), fields, 3, "map is not a valid field name");
    check_fails(T("ReplaceField") O("exclude", "b") O("renames", "map:c,b:d"), fields, 3,
                "Invalid Java object for schema with type STRING: class java.lang.Long for field: \"d\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structs),
        cmocka_unit_test(test_array_needs_one_schema),
        cmocka_unit_test(test_null_in_a_required_field),
        cmocka_unit_test(test_renames_that_meet),
    };
    return cmocka_run_group_tests(tests, load_plugins, unload_plugins);
}
