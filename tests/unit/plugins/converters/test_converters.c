/* Converters as a host uses them: what recorded cases do not show (sharing, caches, limits). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/config/properties.h"
#include "core/data/batch.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"

#define JSON "org.apache.kafka.connect.json.JsonConverter"
#define STRING "org.apache.kafka.connect.storage.StringConverter"
#define HEADER "org.apache.kafka.connect.storage.SimpleHeaderConverter"

static struct registry *registry;
static struct plugin_environment environment;
static struct sluice_batch *batch;
static struct plugin_instance *instance;
static const struct sluice_converter *converter;

static int load(void **state)
{
    (void)state;
    registry = registry_create();
    environment.registry = registry;
    environment.log_context = "";
    struct error error = {0};
    return registry_load(registry, CONVERTERS_SO, &error);
}

static int unload(void **state)
{
    (void)state;
    registry_destroy(registry);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    batch = batch_new(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    plugin_instance_destroy(instance);
    instance = NULL;
    records_api.release(batch);
    return 0;
}

static void use(const char *kind, const char *class_name, const char *key, const char *value)
{
    struct properties properties = {0};
    struct error error = {0};
    properties_set(&properties, "converter.type", "value");
    if (key) {
        properties_set(&properties, key, value);
    }
    plugin_instance_destroy(instance);
    assert_int_equal(plugin_instance_create(&environment, kind, class_name, &instance, &error), 0);
    assert_int_equal(plugin_instance_configure(instance, &properties, &error), 0);
    properties_finish(&properties);
    converter = instance->descriptor->vtable;
    assert_int_equal(converter->configure(instance->self, class_name, instance->config,
                                          SLUICE_CONVERT_VALUE),
                     SLUICE_OK);
}

static const struct sluice_value *to_data(const char *text, size_t size,
                                          const struct sluice_schema **ret_schema)
{
    const struct sluice_value *value;
    struct sluice_span bytes = {text, size};
    assert_int_equal(converter->to_connect(instance->self, batch, "t", "h", bytes, ret_schema, &value),
                     SLUICE_OK);
    return value;
}

static struct sluice_span to_bytes(const struct sluice_schema *schema, const struct sluice_value *value)
{
    struct sluice_span bytes;
    assert_int_equal(converter->from_connect(instance->self, batch, "t", "h", schema, value, &bytes),
                     SLUICE_OK);
    return bytes;
}

static void assert_span(struct sluice_span span, const char *expected)
{
    assert_int_equal(span.size, strlen(expected));
    assert_memory_equal(span.data, expected, span.size);
}

static void untouched_json_is_not_copied(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,2.5,{\"b\":null}],\"c\":\"x\"}";
    const struct sluice_schema *schema;
    use(SLUICE_CONVERTER, JSON, "schemas.enable", "false");
    const struct sluice_value *value = to_data(text, sizeof(text) - 1, &schema);
    assert_null(schema);
    assert_ptr_equal(to_bytes(NULL, value).data, text);
}

static void edited_json_with_a_date_is_refused(void **state)
{
    (void)state;
    const struct sluice_schema *schema;
    use(SLUICE_CONVERTER, JSON, "schemas.enable", "false");
    struct sluice_value *map = data_api.edit(batch, to_data("{\"a\":1}", 7, &schema));
    data_api.put(batch, map, data_api.intern("d", 1), data_api.new_date(batch, 0));
    struct sluice_span bytes;
    assert_int_equal(converter->from_connect(instance->self, batch, "t", NULL, NULL, map, &bytes),
                     SLUICE_BAD_RECORD);
    struct plugin_failure failure = {0};
    plugin_failure_take(&failure, SLUICE_BAD_RECORD, instance, "from_connect");
    assert_string_equal(failure.error.message,
                        "Java class class java.util.Date does not have corresponding schema type.");
    error_clear(&failure.error);
}

/* Maps out of a header's text have another class than those out of JSON; a message tells. */
static void classes_of_maps(void **state)
{
    (void)state;
    use(SLUICE_CONVERTER, JSON, NULL, NULL);
    static const char *const classes[] = {"java.util.HashMap", "java.util.LinkedHashMap"};
    for (size_t i = 0; i < 2; i++) {
        struct sluice_value *map = data_api.new_map(batch, 1);
        data_api.set_map_class(map, classes[i]);
        struct sluice_span bytes;
        assert_int_equal(converter->from_connect(instance->self, batch, "t", NULL,
                                                 data_api.schema_plain(SLUICE_INT8, false), map, &bytes),
                         SLUICE_BAD_RECORD);
        struct plugin_failure failure = {0};
        plugin_failure_take(&failure, SLUICE_BAD_RECORD, instance, "from_connect");
        char expected[100];
        snprintf(expected, sizeof(expected), "Invalid type for INT8: class %s", classes[i]);
        assert_string_equal(failure.error.message, expected);
        error_clear(&failure.error);
    }
}

/* With room for one schema only, schemas that take turns push each other out and live on in records. */
static void schemas_leave_a_small_cache(void **state)
{
    (void)state;
    use(SLUICE_CONVERTER, JSON, "schemas.cache.size", "1");
    for (int i = 0; i < 30; i++) {
        char text[200];
        int size = snprintf(text, sizeof(text),
                            "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":"
                            "false,\"field\":\"f%d\"}],\"optional\":false},\"payload\":{\"f%d\":%d}}",
                            i % 3, i % 3, i);
        char *copy = records_api.alloc(batch, (size_t)size);
        memcpy(copy, text, (size_t)size);
        const struct sluice_schema *schema;
        const struct sluice_value *value = to_data(copy, (size_t)size, &schema);
        struct sluice_record *record = records_api.add(batch, "t");
        records_api.set_value(record, schema, value);
    }
    for (size_t i = 0; i < records_api.count(batch); i++) {
        const struct sluice_record *record = records_api.at(batch, i);
        char text[200];
        (void)snprintf(text, sizeof(text),
                       "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":false,"
                       "\"field\":\"f%d\"}],\"optional\":false},\"payload\":{\"f%d\":%d}}",
                       (int)i % 3, (int)i % 3, (int)i);
        assert_span(to_bytes(records_api.value_schema(record), records_api.value(record)), text);
    }
}

static void half_pairs_become_question_marks(void **state)
{
    (void)state;
    struct sluice_value *value;
    struct sluice_json_error error = {.size = sizeof(error)};
    assert_int_equal(data_api.from_json(batch, "\"a\\ud800b\"", 10, 0, &value, &error), SLUICE_OK);
    use(SLUICE_CONVERTER, STRING, NULL, NULL);
    assert_span(to_bytes(NULL, value), "a?b");
}

/*
 * Java compares a struct with the schema that is only being built: no default of one is ever valid. Nulls, and
 * what becomes null as text out of a number does, are good where their own schema says so.
 */
static void defaults_that_are_none(void **state)
{
    (void)state;
#define STRUCT_OF "\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":true,\"field\":\"a\"}]"
#define MAP_OF(optional)                                                                           \
    "\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"string\",\"optional\":" optional "}"
    static const struct {
        const char *type, *value;
        enum sluice_result result;
    } defaults[] = {
        {STRUCT_OF, "{\"a\":1}", SLUICE_BAD_RECORD}, {STRUCT_OF, "{}", SLUICE_BAD_RECORD},
        {STRUCT_OF, "null", SLUICE_OK},              {MAP_OF("false"), "{\"k\":1}", SLUICE_BAD_RECORD},
        {MAP_OF("false"), "{\"k\":\"1\"}", SLUICE_OK}, {MAP_OF("true"), "{\"k\":1}", SLUICE_OK},
    };
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        char text[300];
        int size = snprintf(text, sizeof(text), "{\"schema\":{%s,\"optional\":true,\"default\":%s},\"payload\":{}}",
                            defaults[i].type, defaults[i].value);
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        struct sluice_span bytes = {text, (size_t)size};
        use(SLUICE_CONVERTER, JSON, NULL, NULL);
        enum sluice_result result =
            converter->to_connect(instance->self, batch, "t", NULL, bytes, &schema, &value);
        assert_int_equal(result, defaults[i].result);
        if (result != SLUICE_OK) {
            struct plugin_failure failure = {0};
            plugin_failure_take(&failure, result, instance, "to_connect");
            assert_string_equal(failure.error.java_class, "org.apache.kafka.connect.errors.SchemaBuilderException");
            assert_string_equal(failure.error.message, "Invalid default value");
            error_clear(&failure.error);
        }
    }
}

/* One U+FFFD for half a pair and the unit behind it, as Java reads. */
static void half_pairs_of_utf_16(void **state)
{
    (void)state;
    const struct sluice_schema *schema;
    use(SLUICE_CONVERTER, STRING, "converter.encoding", "UTF-16");
    assert_span(data_api.text(to_data("\xD8\0\0a\0b", 6, &schema)), "\xEF\xBF\xBD" "b");
    assert_span(data_api.text(to_data("\xFF\xFE\0\xD8" "a\0b\0", 8, &schema)), "\xEF\xBF\xBD" "b");
    assert_span(data_api.text(to_data("\xDC\0\0a", 4, &schema)), "\xEF\xBF\xBD" "a");
    assert_span(data_api.text(to_data("\0a\xD8\0", 4, &schema)), "a\xEF\xBF\xBD");
    use(SLUICE_CONVERTER, STRING, "converter.encoding", "UTF-16LE");
    assert_span(data_api.text(to_data("\0\xD8" "a\0b\0", 6, &schema)), "\xEF\xBF\xBD" "b");
}

/* What String.getBytes() puts for half a pair is the charset's own. */
static void half_pairs_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t size;
    } charsets[] = {
        {"UTF-16", "\xFE\xFF\0a\xFF\xFD\0b", 8},
        {"UTF-16BE", "\0a\xFF\xFD\0b", 6},
        {"UTF-16LE", "a\0\xFD\xFF" "b\0", 6},
        {"UTF-32", "\0\0\0a\0\0\xFF\xFD\0\0\0b", 12},
        {"ISO-8859-1", "a?b", 3},
    };
    for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
        use(SLUICE_CONVERTER, STRING, "converter.encoding", charsets[i].name);
        struct sluice_span bytes = to_bytes(NULL, data_api.new_string(batch, "a\xED\xB0\x80" "b", 5));
        assert_int_equal(bytes.size, charsets[i].size);
        assert_memory_equal(bytes.data, charsets[i].bytes, bytes.size);
    }
}

/* By Java's names, whatever the C library calls them. */
static void names_of_charsets(void **state)
{
    (void)state;
    const struct sluice_schema *schema;
    use(SLUICE_CONVERTER, STRING, "converter.encoding", "Unicode");
    assert_span(data_api.text(to_data("\0a", 2, &schema)), "a");
    use(SLUICE_CONVERTER, STRING, "converter.encoding", "utf16");
    assert_memory_equal(to_bytes(NULL, data_api.new_string(batch, "a", 1)).data, "\xFE\xFF\0a", 4);
    use(SLUICE_CONVERTER, STRING, "converter.encoding", "ISO8859_1");
    assert_span(data_api.text(to_data("\xE9", 1, &schema)), "\xC3\xA9");
    use(SLUICE_CONVERTER, STRING, "converter.encoding", "unicode-1-1-utf-8");
    assert_span(data_api.text(to_data("\xC3\xA9", 2, &schema)), "\xC3\xA9");
}

static void deep_headers_are_given_up(void **state)
{
    (void)state;
    enum { DEPTH = 100000 };
    char *text = malloc(DEPTH);
    memset(text, '[', DEPTH);
    const struct sluice_schema *schema;
    use(SLUICE_HEADER_CONVERTER, HEADER, NULL, NULL);
    const struct sluice_value *value = to_data(text, DEPTH, &schema);
    assert_int_equal(data_api.type(value), SLUICE_BYTES);
    assert_int_equal(data_api.text(value).size, DEPTH);
    /* not nested deeply, but wrong at its end: a string */
    value = to_data("[[1],{\"a\":[2}", 13, &schema);
    assert_int_equal(data_api.type(value), SLUICE_STRING);
    free(text);
}

static void long_numbers_in_headers(void **state)
{
    (void)state;
    char text[400];
    memset(text, '7', sizeof(text));
    const struct sluice_schema *schema;
    use(SLUICE_HEADER_CONVERTER, HEADER, NULL, NULL);
    const struct sluice_value *value = to_data(text, sizeof(text), &schema);
    assert_int_equal(data_api.type(value), SLUICE_DECIMAL);
    assert_memory_equal(to_bytes(schema, value).data, text, sizeof(text));
    text[0] = '-';
    value = to_data(text, sizeof(text), &schema);
    assert_memory_equal(to_bytes(schema, value).data, text, sizeof(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(untouched_json_is_not_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(edited_json_with_a_date_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(classes_of_maps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(schemas_leave_a_small_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_pairs_become_question_marks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_pairs_of_utf_16, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_pairs_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(defaults_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_charsets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deep_headers_are_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_numbers_in_headers, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
