/*
 * Runs recorded cases of Connect's converters (converters.jsonl) against converters.so, loaded as a
 * host loads it.
 *
 *     vectors_converters [-v] FILE.jsonl...
 *
 * Prints failed cases (-v: all), passed and failed by group, and closes with `N passed, N failed`;
 * exit 1 where any failed. The cases are read with core/data itself, because they hold what other
 * readers refuse (lone surrogates, NUL). Maps are compared without order, as Java prints them in the
 * order of their hashes; exceptions of java.lang by class only. One thread.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config/properties.h"
#include "core/data/batch.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"

#define JSON_CONVERTER "org.apache.kafka.connect.json.JsonConverter"
#define TOPIC "topic"
#define HEADER "h"

static const struct sluice_data *const api = &data_api;

static struct registry *registry;
static struct plugin_environment environment;
static bool verbose;

struct group {
    char name[64];
    int passed, failed;
};
static struct group groups[128];
static size_t group_count;

/* One case while it runs. */
struct run {
    struct sluice_batch *batch;
    const struct sluice_value *test;
    const char *id;
    char why[2048];
    const char *stage;             /* of the failure below */
    struct plugin_failure failure; /* error.code ERROR_NONE: none */
};

/* -- reading cases -- */

static const struct sluice_value *member(const struct sluice_value *map, const char *name)
{
    return api->find(map, api->intern(name, strlen(name)));
}

static bool present(const struct sluice_value *value)
{
    return value && api->type(value) != SLUICE_NULL;
}

/* NUL-terminated copy in the batch; NULL where absent or null. */
static const char *text(struct run *run, const struct sluice_value *value)
{
    if (!present(value)) {
        return NULL;
    }
    struct sluice_span span = api->text(value);
    char *copy = arena_alloc(batch_arena(run->batch), span.size + 1);
    memcpy(copy, span.data, span.size);
    copy[span.size] = '\0';
    return copy;
}

static struct sluice_span base64_decoded(struct run *run, const struct sluice_value *value)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!present(value)) {
        return (struct sluice_span){NULL, 0};
    }
    struct sluice_span span = api->text(value);
    char *out = arena_alloc(batch_arena(run->batch), span.size + 1);
    size_t size = 0;
    unsigned bits = 0, count = 0;
    for (size_t i = 0; i < span.size && span.data[i] != '='; i++) {
        bits = bits << 6 | (unsigned)(strchr(alphabet, span.data[i]) - alphabet);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[size++] = (char)(bits >> count);
        }
    }
    return (struct sluice_span){out, size};
}

static bool same(struct sluice_span a, struct sluice_span b)
{
    return (a.data == NULL) == (b.data == NULL) && a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static const struct sluice_value *parsed(struct run *run, const char *json, size_t size)
{
    struct sluice_value *value = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    return api->from_json(run->batch, json, size, SLUICE_JSON_CONNECT, &value, &error) == SLUICE_OK
               ? value
               : NULL;
}

/* -- comparing -- */

static bool text_is(struct run *run, const struct sluice_value *value, const struct sluice_value *expected)
{
    return same(api->to_text(run->batch, value), api->to_text(run->batch, expected));
}

static bool matches(struct run *run, const struct sluice_value *expected,
                    const struct sluice_value *value);

static bool map_matches(struct run *run, const struct sluice_value *pairs,
                        const struct sluice_value *map)
{
    size_t count = api->count(pairs);
    if (api->count(map) != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sluice_value *pair = api->at(pairs, i);
        bool found = false;
        for (size_t j = 0; j < count && !found; j++) {
            found = matches(run, api->at(pair, 0), api->key_at(map, j)) &&
                    matches(run, api->at(pair, 1), api->at(map, j));
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool list_matches(struct run *run, const struct sluice_value *expected,
                         const struct sluice_value *value, bool fields)
{
    size_t count = api->count(expected);
    if (api->count(value) != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sluice_value *element = api->at(expected, i);
        if (fields && !api->equal(api->at(element, 0), api->key_at(value, i))) {
            return false;
        }
        if (!matches(run, fields ? api->at(element, 1) : element, api->at(value, i))) {
            return false;
        }
    }
    return true;
}

static bool depth_is(const struct sluice_value *value, int64_t depth)
{
    while (api->type(value) == SLUICE_ARRAY && depth > 0) {
        depth--;
        value = api->count(value) > 0 ? api->at(value, 0) : NULL;
    }
    return depth == 0;
}

/* expected: a typed value as README.md of the vectors has it. */
static bool matches(struct run *run, const struct sluice_value *expected,
                    const struct sluice_value *value)
{
    enum sluice_type type = api->type(value);
    if (!present(expected)) {
        return type == SLUICE_NULL;
    }
    struct sluice_span key = api->text(api->key_at(expected, 0));
    const struct sluice_value *inner = api->at(expected, 0);
    static const struct {
        const char *name;
        enum sluice_type type;
    } names[] = {
        {"int8", SLUICE_INT8},       {"int16", SLUICE_INT16},     {"int32", SLUICE_INT32},
        {"int64", SLUICE_INT64},     {"float32", SLUICE_FLOAT32}, {"float64", SLUICE_FLOAT64},
        {"boolean", SLUICE_BOOLEAN}, {"string", SLUICE_STRING},   {"bytes", SLUICE_BYTES},
        {"decimal", SLUICE_DECIMAL}, {"date", SLUICE_DATE},       {"array", SLUICE_ARRAY},
        {"map", SLUICE_MAP},         {"struct", SLUICE_STRUCT},   {"nested_arrays", SLUICE_ARRAY},
    };
    size_t i = 0;
    while (i < sizeof(names) / sizeof(names[0]) &&
           !(strlen(names[i].name) == key.size && memcmp(names[i].name, key.data, key.size) == 0)) {
        i++;
    }
    if (i == sizeof(names) / sizeof(names[0]) || names[i].type != type) {
        return false;
    }
    switch (type) {
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
    case SLUICE_DECIMAL:
        return text_is(run, value, inner);
    case SLUICE_BYTES:
        return same(api->text(value), base64_decoded(run, inner));
    case SLUICE_BOOLEAN:
    case SLUICE_STRING:
        return api->equal(value, inner);
    case SLUICE_ARRAY:
        return strcmp(names[i].name, "array") == 0 ? list_matches(run, inner, value, false)
                                                   : depth_is(value, api->integer(inner));
    case SLUICE_MAP:
        return map_matches(run, inner, value);
    case SLUICE_STRUCT:
        return list_matches(run, inner, value, true);
    default:
        return api->integer(value) == api->integer(inner);
    }
}

/* The text, or the same JSON with members in another order. */
static bool output_matches(struct run *run, struct sluice_span expected, struct sluice_span found)
{
    if (same(expected, found)) {
        return true;
    }
    if (!expected.data || !found.data) {
        return false;
    }
    const struct sluice_value *a = parsed(run, expected.data, expected.size);
    const struct sluice_value *b = parsed(run, found.data, found.size);
    return a && b && expected.size == found.size && api->equal(a, b);
}

/* -- running -- */

static bool failed(struct run *run, struct plugin_instance *instance, enum sluice_result result,
                   const char *stage)
{
    if (result == SLUICE_OK) {
        return false;
    }
    run->stage = stage;
    plugin_failure_take(&run->failure, result, instance, stage);
    return true;
}

/* config: a map of texts; pairs: further ones, closed by NULL. NULL: run->failure says why. */
static struct plugin_instance *make(struct run *run, const char *class_name,
                                    enum sluice_converter_role role,
                                    const struct sluice_value *config, const char *const *pairs)
{
    static const char *const roles[] = {"key", "value", "header"};
    struct properties properties = {0};
    for (size_t i = 0; i < api->count(config); i++) {
        const char *value = text(run, api->at(config, i));
        if (value) {
            properties_set(&properties, text(run, api->key_at(config, i)), value);
        }
    }
    for (size_t i = 0; pairs && pairs[i]; i += 2) {
        properties_set(&properties, pairs[i], pairs[i + 1]);
    }
    properties_set(&properties, "converter.type", roles[role]);
    struct plugin_instance *instance = NULL;
    struct error error = {0};
    const char *kind = strstr(class_name, "SimpleHeader") ? SLUICE_HEADER_CONVERTER : SLUICE_CONVERTER;
    int made = plugin_instance_create(&environment, kind, class_name, &instance, &error);
    if (made == 0) {
        made = plugin_instance_configure(instance, &properties, &error);
    }
    properties_finish(&properties);
    if (made != 0) {
        run->stage = "configure";
        run->failure.error = error;
        plugin_instance_destroy(instance);
        return NULL;
    }
    plugin_failure_reset();
    const struct sluice_converter *converter = instance->descriptor->vtable;
    if (failed(run, instance,
               converter->configure(instance->self, class_name, instance->config, role), "configure")) {
        plugin_instance_destroy(instance);
        return NULL;
    }
    return instance;
}

/* Schema and value out of an envelope, read with the converter under test's own JsonConverter. */
static bool read_envelope(struct run *run, struct sluice_span json, const struct sluice_schema **ret_schema,
                          const struct sluice_value **ret_value)
{
    static const char *const pairs[] = {"schemas.enable", "true", "replace.null.with.default", "false",
                                        NULL};
    struct plugin_instance *instance = make(run, JSON_CONVERTER, SLUICE_CONVERT_VALUE, NULL, pairs);
    if (!instance) {
        return false;
    }
    const struct sluice_converter *converter = instance->descriptor->vtable;
    plugin_failure_reset();
    bool good = !failed(run, instance,
                        converter->to_connect(instance->self, run->batch, TOPIC, NULL, json, ret_schema,
                                              ret_value),
                        "reading the case");
    if (good && *ret_schema) {
        /* a record keeps the schema alive, as it does in a host */
        struct sluice_record *record = records_api.add(run->batch, TOPIC);
        records_api.set_value(record, *ret_schema, *ret_value);
    }
    plugin_instance_destroy(instance);
    return good;
}

static struct sluice_span envelope_around(struct run *run, const char *before,
                                          const struct sluice_value *schema, const char *after)
{
    struct sluice_span json = api->text(schema);
    size_t size = strlen(before) + json.size + strlen(after);
    char *out = arena_alloc(batch_arena(run->batch), size + 1);
    int length = snprintf(out, size + 1, "%s%.*s%s", before, (int)json.size, json.data, after);
    return (struct sluice_span){out, (size_t)length};
}

/* The schema a case overrides the data's with; "null": none. */
static bool read_schema(struct run *run, const struct sluice_value *json,
                        const struct sluice_schema **ret_schema)
{
    const struct sluice_value *ignored;
    if (strcmp(text(run, json), "null") == 0) {
        *ret_schema = NULL;
        return true;
    }
    struct sluice_span envelope = envelope_around(run, "{\"schema\":{\"type\":\"array\",\"items\":", json,
                                                  "},\"payload\":[]}");
    if (!read_envelope(run, envelope, ret_schema, &ignored)) {
        return false;
    }
    *ret_schema = api->schema_value(*ret_schema);
    return true;
}

static bool schema_is(struct run *run, const struct sluice_value *expected,
                      const struct sluice_schema *schema);

static bool text_matches(struct run *run, const struct sluice_value *expected, const char *found)
{
    const char *wanted = text(run, expected);
    return wanted && found ? strcmp(wanted, found) == 0 : !wanted && !found;
}

static bool parameters_match(struct run *run, const struct sluice_value *expected,
                             const struct sluice_schema *schema)
{
    if (api->schema_parameter_count(schema) != api->count(expected)) {
        return false;
    }
    for (size_t i = 0; i < api->count(expected); i++) {
        const char *key, *value;
        api->schema_parameter(schema, i, &key, &value);
        if (!text_matches(run, api->key_at(expected, i), key) ||
            !text_matches(run, api->at(expected, i), value)) {
            return false;
        }
    }
    return true;
}

static bool fields_match(struct run *run, const struct sluice_value *expected,
                         const struct sluice_schema *schema)
{
    if (api->schema_field_count(schema) != api->count(expected)) {
        return false;
    }
    for (size_t i = 0; i < api->count(expected); i++) {
        const struct sluice_value *field = api->at(expected, i);
        if (!same(api->text(member(field, "field")), api->name_text(api->schema_field_name(schema, i))) ||
            !schema_is(run, field, api->schema_field(schema, i))) {
            return false;
        }
    }
    return true;
}

/* expected: a schema as JsonConverter writes it; null: none. */
static bool schema_is(struct run *run, const struct sluice_value *expected,
                      const struct sluice_schema *schema)
{
    static const char *const types[] = {
        [SLUICE_INT8] = "int8",       [SLUICE_INT16] = "int16",   [SLUICE_INT32] = "int32",
        [SLUICE_INT64] = "int64",     [SLUICE_FLOAT32] = "float", [SLUICE_FLOAT64] = "double",
        [SLUICE_BOOLEAN] = "boolean", [SLUICE_STRING] = "string", [SLUICE_BYTES] = "bytes",
        [SLUICE_ARRAY] = "array",     [SLUICE_MAP] = "map",       [SLUICE_STRUCT] = "struct",
    };
    if (!present(expected) || !schema) {
        return !present(expected) && !schema;
    }
    enum sluice_type type = api->schema_type(schema);
    int32_t version;
    bool has_version = api->schema_version(schema, &version);
    const struct sluice_value *wanted_version = member(expected, "version");
    const struct sluice_value *wanted_default = member(expected, "default");
    const struct sluice_value *found_default = api->schema_default(schema);
    if (!text_matches(run, member(expected, "type"), types[type]) ||
        api->schema_optional(schema) != api->boolean(member(expected, "optional")) ||
        !text_matches(run, member(expected, "name"), api->schema_name(schema)) ||
        !text_matches(run, member(expected, "doc"), api->schema_doc(schema)) ||
        has_version != present(wanted_version) ||
        (has_version && version != api->integer(wanted_version)) ||
        present(wanted_default) != present(found_default) ||
        !parameters_match(run, member(expected, "parameters"), schema)) {
        return false;
    }
    if (present(found_default) && api->type(found_default) != SLUICE_DATE &&
        !same(api->to_json(run->batch, found_default), api->to_json(run->batch, wanted_default)) &&
        !text_is(run, found_default, wanted_default)) {
        return false;
    }
    switch (type) {
    case SLUICE_ARRAY:
        return schema_is(run, member(expected, "items"), api->schema_value(schema));
    case SLUICE_MAP:
        return schema_is(run, member(expected, "keys"), api->schema_key(schema)) &&
               schema_is(run, member(expected, "values"), api->schema_value(schema));
    case SLUICE_STRUCT:
        return fields_match(run, member(expected, "fields"), schema);
    default:
        return true;
    }
}

static bool schema_matches(struct run *run, const struct sluice_value *expected,
                           const struct sluice_schema *schema)
{
    if (!present(expected)) {
        return !schema;
    }
    struct sluice_span json = api->text(expected);
    return schema_is(run, parsed(run, json.data, json.size), schema);
}

static bool error_matches(struct run *run, const struct sluice_value *expected)
{
    struct error *error = &run->failure.error;
    if (!present(expected)) {
        if (error->code != ERROR_NONE) {
            (void)snprintf(run->why, sizeof(run->why), "failed: %s: %s", run->stage,
                           error->message ? error->message : "");
            return false;
        }
        return true;
    }
    const char *stage = text(run, member(expected, "stage"));
    const char *class_name = text(run, member(expected, "class"));
    const char *message = text(run, member(expected, "message"));
    if (error->code == ERROR_NONE) {
        (void)snprintf(run->why, sizeof(run->why), "did not fail with %s: %s", class_name,
                       message ? message : "null");
        return false;
    }
    const char *found_class = error->java_class ? error->java_class : SLUICE_CONNECT_EXCEPTION;
    if (strcmp(run->stage, stage) != 0 || strcmp(found_class, class_name) != 0 ||
        (strncmp(class_name, "java.lang.", 10) != 0 && message && error->message &&
         strcmp(error->message, message) != 0)) {
        (void)snprintf(run->why, sizeof(run->why), "failed otherwise: %s %s: %s", run->stage, found_class,
                       error->message ? error->message : "null");
        return false;
    }
    return true;
}

static bool fail_output(struct run *run, struct sluice_span expected, struct sluice_span found)
{
    (void)snprintf(run->why, sizeof(run->why), "bytes differ: expected %.*s found %.*s",
                   expected.data ? (int)expected.size : 4, expected.data ? expected.data : "null",
                   found.data ? (int)found.size : 4, found.data ? found.data : "null");
    return false;
}

static bool run_bytes(struct run *run, struct plugin_instance *instance)
{
    const struct sluice_converter *converter = instance->descriptor->vtable;
    const struct sluice_value *expected_error = member(run->test, "error");
    const struct sluice_schema *schema = NULL;
    const struct sluice_value *value = NULL;
    plugin_failure_reset();
    if (failed(run, instance,
               converter->to_connect(instance->self, run->batch, TOPIC, HEADER,
                                     base64_decoded(run, member(run->test, "in_b64")), &schema, &value),
               "to_connect")) {
        return error_matches(run, expected_error);
    }
    if (present(expected_error) &&
        strcmp(text(run, member(expected_error, "stage")), "to_connect") == 0) {
        return error_matches(run, expected_error);
    }
    if (!schema_matches(run, member(run->test, "schema_out"), schema)) {
        (void)snprintf(run->why, sizeof(run->why), "schema differs");
        return false;
    }
    if (!matches(run, member(run->test, "value"), value)) {
        struct sluice_span json = api->to_json(run->batch, value);
        (void)snprintf(run->why, sizeof(run->why), "value differs: %d %.*s", (int)api->type(value),
                       (int)json.size, json.data);
        return false;
    }
    struct sluice_span out = {NULL, 0};
    plugin_failure_reset();
    if (failed(run, instance,
               converter->from_connect(instance->self, run->batch, TOPIC, HEADER, schema, value, &out),
               "from_connect") ||
        present(expected_error)) {
        return error_matches(run, expected_error);
    }
    struct sluice_span expected = base64_decoded(run, member(run->test, "out_b64"));
    return output_matches(run, expected, out) || fail_output(run, expected, out);
}

static bool run_data(struct run *run, struct plugin_instance *instance)
{
    const struct sluice_converter *converter = instance->descriptor->vtable;
    const struct sluice_schema *schema = NULL;
    const struct sluice_value *value = NULL;
    const struct sluice_value *override = member(run->test, "schema");
    struct sluice_span out = {NULL, 0};
    if (!read_envelope(run, api->text(member(run->test, "data")), &schema, &value) ||
        (present(override) && !read_schema(run, override, &schema))) {
        return error_matches(run, NULL);
    }
    plugin_failure_reset();
    if (failed(run, instance,
               converter->from_connect(instance->self, run->batch, TOPIC, HEADER, schema, value, &out),
               "from_connect") ||
        present(member(run->test, "error"))) {
        return error_matches(run, member(run->test, "error"));
    }
    struct sluice_span expected = base64_decoded(run, member(run->test, "out_b64"));
    return output_matches(run, expected, out) || fail_output(run, expected, out);
}

static bool run_case(struct run *run)
{
    const char *kind = text(run, member(run->test, "kind"));
    enum sluice_converter_role role = strcmp(kind, "key") == 0     ? SLUICE_CONVERT_KEY
                                      : strcmp(kind, "value") == 0 ? SLUICE_CONVERT_VALUE
                                                                   : SLUICE_CONVERT_HEADER;
    struct plugin_instance *instance = make(run, text(run, member(run->test, "class")), role,
                                            member(run->test, "config"), NULL);
    if (!instance) {
        return error_matches(run, member(run->test, "error"));
    }
    bool good = strcmp(text(run, member(run->test, "mode")), "bytes") == 0 ? run_bytes(run, instance)
                                                                           : run_data(run, instance);
    plugin_instance_destroy(instance);
    return good;
}

static struct group *group_of(const char *name)
{
    for (size_t i = 0; i < group_count; i++) {
        if (strcmp(groups[i].name, name) == 0) {
            return &groups[i];
        }
    }
    struct group *group = &groups[group_count < 127 ? group_count++ : 127];
    (void)snprintf(group->name, sizeof(group->name), "%s", name);
    return group;
}

static int run_line(const char *line, size_t size)
{
    struct run run = {.batch = batch_new(NULL)};
    run.test = parsed(&run, line, size);
    if (!run.test) {
        fprintf(stderr, "A line is no JSON: %.60s\n", line);
        records_api.release(run.batch);
        return -1;
    }
    if (!present(member(run.test, "mode"))) { /* of another suite */
        records_api.release(run.batch);
        return 0;
    }
    run.id = text(&run, member(run.test, "id"));
    struct group *group = group_of(text(&run, member(run.test, "group")));
    bool good = run_case(&run);
    group->passed += good;
    group->failed += !good;
    if (!good || verbose) {
        printf("%s %s%s%s\n", good ? "ok" : "FAILED", run.id, good ? "" : ": ", run.why);
    }
    error_clear(&run.failure.error);
    records_api.release(run.batch);
    return 0;
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return -1;
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int result = 0;
    while (result == 0 && (size = getline(&line, &room, file)) > 0) {
        result = run_line(line, (size_t)size);
    }
    free(line);
    (void)fclose(file);
    return result;
}

/* <build>/plugins/converters.so, from <build>/tests/vectors_converters */
static int load_plugin(void)
{
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (size < 0) {
        perror("/proc/self/exe");
        return -1;
    }
    path[size] = '\0';
    char plugin[4200];
    (void)snprintf(plugin, sizeof(plugin), "%s/plugins/converters.so", dirname(dirname(path)));
    struct error error = {0};
    if (registry_load(registry, plugin, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        error_clear(&error);
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "-v") == 0) {
        verbose = true;
        first++;
    }
    registry = registry_create();
    environment.registry = registry;
    environment.log_context = "";
    if (load_plugin() != 0) {
        return 3;
    }
    for (int i = first; i < argc; i++) {
        if (run_file(argv[i]) != 0) {
            return 3;
        }
    }
    int passed = 0, all_failed = 0;
    for (size_t i = 0; i < group_count; i++) {
        printf("%-32s %3d passed, %3d failed\n", groups[i].name, groups[i].passed, groups[i].failed);
        passed += groups[i].passed;
        all_failed += groups[i].failed;
    }
    printf("%d passed, %d failed\n", passed, all_failed);
    registry_destroy(registry);
    return all_failed > 0;
}
