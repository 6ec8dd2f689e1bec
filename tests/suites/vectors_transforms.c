/*
 * Runs recorded cases of transforms and predicates (transforms.jsonl, predicates.jsonl) through the
 * plugin interface: transforms.so, predicates.so and converters.so are loaded as a task would, and
 * the chain is the task's own.
 *
 *     vectors_transforms [--plugins DIR] FILE.jsonl...
 *
 * Prints a line per case, a score per transform, and closes with `N passed, N failed`; exit 1 where
 * any failed. Cases of other kinds belong to other runners and are left out.
 */
#include <jansson.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sluice/converter.h>

#include "core/data/batch.h"
#include "core/host/chain.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"

#define JSON_CONVERTER "org.apache.kafka.connect.json.JsonConverter"
#define MOST_GROUPS 64

struct converter {
    struct plugin_instance *instance;
    const struct sluice_converter *vtable;
};

struct group {
    char name[64];
    int passed, failed;
};

static struct plugin_environment environment;
static struct converter converters[2][3]; /* [schemas.enable][role] */
static struct group groups[MOST_GROUPS];
static size_t group_count;
static char why[4096]; /* of the case that runs */

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* -- making -- */

static bool make_converter(struct converter *converter, bool schemas,
                           enum sluice_converter_role role)
{
    struct error error = {0};
    struct properties properties = {0};
    static const char *const roles[] = {"key", "value", "header"};
    properties_set(&properties, "schemas.enable", schemas ? "true" : "false");
    properties_set(&properties, "replace.null.with.default", "false");
    properties_set(&properties, "converter.type", roles[role]);
    int result = plugin_instance_create(&environment, SLUICE_CONVERTER, JSON_CONVERTER,
                                        &converter->instance, &error);
    if (result == 0) {
        result = plugin_instance_configure(converter->instance, &properties, &error);
    }
    properties_finish(&properties);
    if (result == 0) {
        converter->vtable = converter->instance->descriptor->vtable;
        if (converter->vtable->configure(converter->instance->self, JSON_CONVERTER,
                                         converter->instance->config, role) == SLUICE_OK) {
            return true;
        }
    }
    fprintf(stderr, "vectors_transforms: no JsonConverter: %s\n",
            error.message ? error.message : "configure() failed");
    error_clear(&error);
    return false;
}

static void set_config(struct properties *properties, const char *prefix, json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach(config, key, value)
    {
        char name[300];
        snprintf(name, sizeof(name), "%s.%s", prefix, key);
        if (json_is_string(value)) {
            properties_set(properties, name, json_string_value(value));
        }
    }
}

/* One step of the chain as connector properties. */
static void set_step(struct properties *properties, size_t i, json_t *step)
{
    char prefix[64], key[128], alias[32];
    snprintf(prefix, sizeof(prefix), "transforms.t%zu", i);
    snprintf(key, sizeof(key), "%s.type", prefix);
    properties_set(properties, key, text_of(step, "class"));
    set_config(properties, prefix, json_object_get(step, "config"));
    json_t *predicate = json_object_get(step, "predicate");
    if (!json_is_object(predicate)) {
        return;
    }
    snprintf(alias, sizeof(alias), "p%zu", i);
    snprintf(key, sizeof(key), "%s.predicate", prefix);
    properties_set(properties, key, alias);
    snprintf(key, sizeof(key), "%s.negate", prefix);
    properties_set(properties, key,
                   json_is_true(json_object_get(predicate, "negate")) ? "true" : "false");
    snprintf(prefix, sizeof(prefix), "predicates.p%zu", i);
    snprintf(key, sizeof(key), "%s.type", prefix);
    properties_set(properties, key, text_of(predicate, "class"));
    set_config(properties, prefix, json_object_get(predicate, "config"));
    const char *before = properties_get(properties, "predicates");
    char list[256];
    snprintf(list, sizeof(list), "%s%s%s", before ? before : "", before ? "," : "", alias);
    properties_set(properties, "predicates", list);
}

static void set_chain(struct properties *properties, json_t *test)
{
    json_t *steps = json_object_get(test, "chain");
    char list[256] = "t0";
    if (!json_is_array(steps)) {
        set_step(properties, 0, test);
    }
    for (size_t i = 0; i < json_array_size(steps); i++) {
        set_step(properties, i, json_array_get(steps, i));
        if (i > 0) {
            snprintf(list + strlen(list), sizeof(list) - strlen(list), ",t%zu", i);
        }
    }
    properties_set(properties, "transforms", list);
}

static bool read_side(struct sluice_batch *batch, bool schemas, enum sluice_converter_role role,
                      const char *topic, const char *header, const char *text,
                      const struct sluice_schema **ret_schema,
                      const struct sluice_value **ret_value)
{
    *ret_schema = NULL;
    *ret_value = NULL;
    if (!text) {
        return true;
    }
    struct converter *converter = &converters[schemas][role];
    struct sluice_span bytes = {text, strlen(text)};
    enum sluice_result result = converter->vtable->to_connect(
        converter->instance->self, batch, topic, header, bytes, ret_schema, ret_value);
    if (result != SLUICE_OK) {
        struct plugin_failure failure;
        plugin_failure_take(&failure, result, converter->instance, "to_connect()");
        snprintf(why, sizeof(why), "cannot read the input: %s", failure.error.message);
        error_clear(&failure.error);
        return false;
    }
    return true;
}

static struct sluice_record *make_record(struct sluice_batch *batch, json_t *test, json_t *input)
{
    bool schemas = json_is_true(json_object_get(test, "schemas"));
    const char *topic = text_of(input, "topic"); /* null: a source left it out; records need one */
    topic = topic ? topic : "";
    json_t *partition = json_object_get(input, "partition");
    json_t *timestamp = json_object_get(input, "timestamp");
    int32_t number =
        json_is_integer(partition) ? (int32_t)json_integer_value(partition) : SLUICE_NO_PARTITION;
    int64_t time = json_is_integer(timestamp) ? json_integer_value(timestamp) : SLUICE_NO_TIMESTAMP;
    struct sluice_record *record;
    if (strcmp(text_of(test, "kind"), "sink") == 0) {
        record = batch_add_sink(
            batch, topic, number, json_integer_value(json_object_get(input, "offset")), time,
            time == SLUICE_NO_TIMESTAMP ? SLUICE_TIMESTAMP_NONE : SLUICE_TIMESTAMP_CREATE,
            (struct sluice_span){NULL, 0}, (struct sluice_span){NULL, 0});
    } else {
        record = records_api.add(batch, topic);
        records_api.set_partition(record, number);
        records_api.set_timestamp(record, time);
    }
    const struct sluice_schema *schema;
    const struct sluice_value *value;
    if (!read_side(batch, schemas, SLUICE_CONVERT_KEY, topic, NULL, text_of(input, "key"), &schema,
                   &value)) {
        return NULL;
    }
    records_api.set_key(record, schema, value);
    if (!read_side(batch, schemas, SLUICE_CONVERT_VALUE, topic, NULL, text_of(input, "value"),
                   &schema, &value)) {
        return NULL;
    }
    records_api.set_value(record, schema, value);
    size_t i;
    json_t *header;
    json_array_foreach(json_object_get(input, "headers"), i, header)
    {
        const char *name = json_string_value(json_array_get(header, 0));
        if (!read_side(batch, schemas, SLUICE_CONVERT_HEADER, topic, name,
                       json_string_value(json_array_get(header, 1)), &schema, &value)) {
            return NULL;
        }
        records_api.header_add(record, name, schema, value);
    }
    return record;
}

/* -- comparing -- */

static bool same_json(const char *expected, const char *got, size_t size)
{
    json_t *a = json_loads(expected, JSON_DECODE_ANY, NULL);
    json_t *b = json_loadb(got, size, JSON_DECODE_ANY, NULL);
    bool same = a && b ? json_equal(a, b) == 1
                       : strlen(expected) == size && memcmp(expected, got, size) == 0;
    json_decref(a);
    json_decref(b);
    return same;
}

/* A value as the vectors write typed ones; a new reference. */
static json_t *typed(struct sluice_batch *batch, const struct sluice_value *value)
{
    static const char *const names[] = {
        [SLUICE_INT8] = "int8",       [SLUICE_INT16] = "int16",     [SLUICE_INT32] = "int32",
        [SLUICE_INT64] = "int64",     [SLUICE_FLOAT32] = "float32", [SLUICE_FLOAT64] = "float64",
        [SLUICE_DECIMAL] = "decimal", [SLUICE_DATE] = "date"};
    enum sluice_type type = data_api.type(value);
    struct sluice_span text;
    switch (type) {
    case SLUICE_NULL:
        return json_null();
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
    case SLUICE_DATE:
        return json_pack("{sI}", names[type], (json_int_t)data_api.integer(value));
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
    case SLUICE_DECIMAL:
        text = data_api.to_text(batch, value);
        return json_pack("{ss%}", names[type], text.data, text.size);
    case SLUICE_BOOLEAN:
        return json_pack("{sb}", "boolean", data_api.boolean(value));
    case SLUICE_STRING:
        text = data_api.text(value);
        return json_pack("{ss%}", "string", text.data, text.size);
    case SLUICE_BYTES:
        text = data_api.to_json(batch, value); /* base64 in quotes */
        return json_pack("{ss%}", "bytes", text.data + 1, text.size - 2);
    case SLUICE_ARRAY: {
        json_t *list = json_array();
        for (size_t i = 0; i < data_api.count(value); i++) {
            json_array_append_new(list, typed(batch, data_api.at(value, i)));
        }
        return json_pack("{so}", "array", list);
    }
    default: {
        json_t *list = json_array();
        bool map = type == SLUICE_MAP;
        for (size_t i = 0; i < data_api.count(value); i++) {
            const struct sluice_value *key = data_api.key_at(value, i);
            text = data_api.text(key);
            json_array_append_new(
                list,
                json_pack("[oo]", map ? typed(batch, key) : json_stringn(text.data, text.size),
                          typed(batch, data_api.at(value, i))));
        }
        return json_pack("{so}", map ? "map" : "struct", list);
    }
    }
}

/* Equal, where the pairs of a "map" come in any order. */
static bool same_typed(json_t *expected, json_t *got)
{
    json_t *a = json_object_get(expected, "map"), *b = json_object_get(got, "map");
    if (!a || !b) {
        a = json_object_get(expected, "array");
        b = json_object_get(got, "array");
        a = a ? a : json_object_get(expected, "struct");
        b = b ? b : json_object_get(got, "struct");
        if (!a || !b || json_array_size(a) != json_array_size(b)) {
            return json_equal(expected, got) == 1;
        }
        for (size_t i = 0; i < json_array_size(a); i++) {
            json_t *x = json_array_get(a, i), *y = json_array_get(b, i);
            bool pair = json_is_array(x);
            if (pair ? !json_equal(json_array_get(x, 0), json_array_get(y, 0)) ||
                           !same_typed(json_array_get(x, 1), json_array_get(y, 1))
                     : !same_typed(x, y)) {
                return false;
            }
        }
        return true;
    }
    bool same = json_array_size(a) == json_array_size(b);
    for (size_t i = 0; same && i < json_array_size(a); i++) {
        json_t *x = json_array_get(a, i);
        bool found = false;
        for (size_t k = 0; !found && k < json_array_size(b); k++) {
            json_t *y = json_array_get(b, k);
            found = json_equal(json_array_get(x, 0), json_array_get(y, 0)) == 1 &&
                    same_typed(json_array_get(x, 1), json_array_get(y, 1));
        }
        same = found;
    }
    return same;
}

static bool compare_typed(struct sluice_batch *batch, const char *name, json_t *expected,
                          const struct sluice_value *value)
{
    if (!expected) {
        return true;
    }
    json_t *got = typed(batch, value);
    bool same = same_typed(expected, got);
    if (!same) {
        char *a = json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT);
        char *b = json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT);
        snprintf(why, sizeof(why), "%s: expected %.1500s, got %.1500s", name, a, b ? b : "?");
        free(a);
        free(b);
    }
    json_decref(got);
    return same;
}

static bool compare_side(struct sluice_batch *batch, bool schemas, enum sluice_converter_role role,
                         const char *topic, const char *header, json_t *expected, bool expect_error,
                         const struct sluice_schema *schema, const struct sluice_value *value)
{
    struct converter *converter = &converters[schemas][role];
    struct sluice_span bytes = {NULL, 0};
    const char *text = json_string_value(expected);
    enum sluice_result result = converter->vtable->from_connect(
        converter->instance->self, batch, topic, header, schema, value, &bytes);
    if (result != SLUICE_OK) {
        struct plugin_failure failure;
        plugin_failure_take(&failure, result, converter->instance, "from_connect()");
        snprintf(why, sizeof(why), "cannot write the output: %s", failure.error.message);
        error_clear(&failure.error);
        return expect_error;
    }
    if (expect_error) {
        snprintf(why, sizeof(why), "the output could be written: %.*s", (int)bytes.size,
                 bytes.data);
        return false;
    }
    if (!text && !schema && data_api.type(value) == SLUICE_NULL) {
        return true;
    }
    bool same = text && bytes.data ? same_json(text, bytes.data, bytes.size) : !text && !bytes.data;
    if (!same) {
        snprintf(why, sizeof(why), "expected %.1500s, got %.*s", text ? text : "null",
                 (int)(bytes.size > 1500 ? 1500 : bytes.size), bytes.data ? bytes.data : "null");
    }
    return same;
}

static bool compare_record(struct sluice_batch *batch, bool schemas, json_t *expected,
                           const struct sluice_record *record)
{
    const char *topic = records_api.topic(record);
    if (strcmp(topic, text_of(expected, "topic")) != 0) {
        snprintf(why, sizeof(why), "topic: expected %s, got %s", text_of(expected, "topic"), topic);
        return false;
    }
    json_t *partition = json_object_get(expected, "partition");
    json_t *timestamp = json_object_get(expected, "timestamp");
    if (records_api.partition(record) !=
            (json_is_null(partition) ? SLUICE_NO_PARTITION : json_integer_value(partition)) ||
        records_api.timestamp(record) !=
            (json_is_null(timestamp) ? SLUICE_NO_TIMESTAMP : json_integer_value(timestamp))) {
        snprintf(why, sizeof(why), "partition or timestamp differ");
        return false;
    }
    if (!compare_side(batch, schemas, SLUICE_CONVERT_KEY, topic, NULL,
                      json_object_get(expected, "key"),
                      json_object_get(expected, "key_error") != NULL,
                      records_api.key_schema(record), records_api.key(record)) ||
        !compare_typed(batch, "key", json_object_get(expected, "key_typed"),
                       records_api.key(record)) ||
        !compare_side(batch, schemas, SLUICE_CONVERT_VALUE, topic, NULL,
                      json_object_get(expected, "value"),
                      json_object_get(expected, "value_error") != NULL,
                      records_api.value_schema(record), records_api.value(record)) ||
        !compare_typed(batch, "value", json_object_get(expected, "value_typed"),
                       records_api.value(record))) {
        return false;
    }
    json_t *headers = json_object_get(expected, "headers");
    if (json_array_size(headers) != records_api.header_count(record)) {
        snprintf(why, sizeof(why), "expected %zu headers, got %zu", json_array_size(headers),
                 records_api.header_count(record));
        return false;
    }
    for (size_t i = 0; i < json_array_size(headers); i++) {
        json_t *header = json_array_get(headers, i);
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        const char *name = records_api.header(record, i, &schema, &value);
        if (strcmp(name, json_string_value(json_array_get(header, 0))) != 0) {
            snprintf(why, sizeof(why), "header %zu is %s", i, name);
            return false;
        }
        if (!compare_side(batch, schemas, SLUICE_CONVERT_HEADER, topic, name,
                          json_array_get(header, 1), json_array_size(header) > 3, schema, value)) {
            return false;
        }
    }
    return true;
}

/* Class and message of an error; messages of java.lang are the JVM's and not compared. */
static bool compare_error(json_t *expected, const char *stage, const struct error *error)
{
    const char *got_class = error->java_class ? error->java_class : SLUICE_CONNECT_EXCEPTION;
    if (!json_is_object(expected)) {
        snprintf(why, sizeof(why), "failed in %s: %s: %s", stage, got_class, error->message);
        return false;
    }
    char message[2048];
    snprintf(message, sizeof(message), "%s", error->message ? error->message : "");
    char *hash = strstr(message, "InsertionSpec@");
    if (hash) {
        strcpy(hash + strlen("InsertionSpec@"), "HASH");
    }
    const char *class_name = text_of(expected, "class"), *text = text_of(expected, "message");
    bool java = strncmp(class_name, "java.lang.", 10) == 0;
    if (strcmp(text_of(expected, "stage"), stage) != 0 || strcmp(class_name, got_class) != 0 ||
        (!java && strcmp(text ? text : "", message) != 0)) {
        snprintf(why, sizeof(why), "expected %s %s: %s, got %s %s: %s", text_of(expected, "stage"),
                 class_name, text ? text : "null", stage, got_class, message);
        return false;
    }
    return true;
}

/* -- cases -- */

static bool run_records(json_t *test, struct chain *chain, struct sluice_batch *batch)
{
    json_t *inputs = json_object_get(test, "records_in");
    json_t *outputs = json_object_get(test, "records_out");
    json_t *expected = json_object_get(test, "error");
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        struct sluice_record *record = make_record(batch, test, json_array_get(inputs, i));
        if (!record) {
            return false;
        }
        enum sluice_result result = chain_apply(chain, record, NULL);
        json_t *output = json_array_get(outputs, i);
        if (result != SLUICE_OK && result != SLUICE_DROP) {
            struct plugin_failure failure;
            chain_failure_take(chain, result, &failure);
            bool same = !output && compare_error(expected, "apply", &failure.error);
            if (output) {
                snprintf(why, sizeof(why), "failed: %s", failure.error.message);
            }
            error_clear(&failure.error);
            return same;
        }
        if (!output) {
            snprintf(why, sizeof(why), "expected %s", text_of(expected, "message"));
            return false;
        }
        if (json_is_null(output) || result == SLUICE_DROP) {
            if (!json_is_null(output) || result != SLUICE_DROP) {
                snprintf(why, sizeof(why), "dropped or not, against expectation");
                return false;
            }
        } else if (!compare_record(batch, json_is_true(json_object_get(test, "schemas")), output,
                                   record)) {
            return false;
        }
    }
    return true;
}

static bool run_transform(json_t *test)
{
    struct properties properties = {0};
    struct error error = {0};
    struct chain *chain = NULL;
    set_chain(&properties, test);
    bool passed;
    if (chain_create(&environment, &properties, &chain, &error) != 0) {
        passed = compare_error(json_object_get(test, "error"), "configure", &error);
    } else {
        struct sluice_batch *batch = batch_new(NULL);
        passed = run_records(test, chain, batch);
        records_api.release(batch);
    }
    chain_destroy(chain);
    error_clear(&error);
    properties_finish(&properties);
    return passed;
}

/* A predicate is seen through the step it guards: Filter runs iff it applies. */
static bool run_predicate(json_t *test)
{
    json_t *step =
        json_pack("{sss{}s{sssOsO}}", "class", "org.apache.kafka.connect.transforms.Filter",
                  "config", "predicate", "class", text_of(test, "class"), "config",
                  json_object_get(test, "config"), "negate", json_object_get(test, "negate"));
    struct properties properties = {0};
    struct error error = {0};
    struct chain *chain = NULL;
    properties_set(&properties, "transforms", "t0");
    set_step(&properties, 0, step);
    bool passed = false;
    if (chain_create(&environment, &properties, &chain, &error) != 0) {
        passed = compare_error(json_object_get(test, "error"), "configure", &error);
    } else if (json_is_object(json_object_get(test, "error"))) {
        snprintf(why, sizeof(why), "expected an error");
    } else {
        struct sluice_batch *batch = batch_new(NULL);
        struct sluice_record *record = make_record(batch, test, json_object_get(test, "record"));
        if (record) {
            bool applies = chain_apply(chain, record, NULL) == SLUICE_DROP;
            passed = applies == json_is_true(json_object_get(test, "applies"));
            snprintf(why, sizeof(why), "applies: got %s", applies ? "true" : "false");
        }
        records_api.release(batch);
    }
    chain_destroy(chain);
    error_clear(&error);
    properties_finish(&properties);
    json_decref(step);
    return passed;
}

/*
 * Why a case cannot be put to us, or NULL: Java's API takes a null option value or topic where
 * properties files and REST have no way to say it.
 */
static const char *out_of_reach(json_t *test)
{
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(test, "config"), key, value)
    {
        if (json_is_null(value)) {
            return "an option whose value is null";
        }
    }
    json_t *record = json_object_get(test, "record");
    return record && json_is_null(json_object_get(record, "topic")) ? "a record without a topic"
                                                                    : NULL;
}

static struct group *group_of(const char *id)
{
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(id, "/"), id);
    for (size_t i = 0; i < group_count; i++) {
        if (strcmp(groups[i].name, name) == 0) {
            return &groups[i];
        }
    }
    struct group *group = &groups[group_count < MOST_GROUPS - 1 ? group_count++ : group_count];
    snprintf(group->name, sizeof(group->name), "%s", name);
    return group;
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "vectors_transforms: cannot read %s\n", path);
        exit(2);
    }
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) > 0) {
        json_t *test = json_loads(line, 0, NULL);
        const char *id = text_of(test, "id");
        bool transform = json_object_get(test, "records_in") != NULL;
        bool predicate =
            json_object_get(test, "applies") || (json_object_get(test, "record") && id);
        if (id && (transform || predicate)) {
            snprintf(why, sizeof(why), "-");
            bool passed = transform ? run_transform(test) : run_predicate(test);
            const char *reason = passed ? NULL : out_of_reach(test);
            if (reason) {
                printf("left out %s: %s\n", id, reason);
                json_decref(test);
                continue;
            }
            printf(passed ? "ok %s\n" : "FAILED %s: %s\n", id, why);
            struct group *group = group_of(id);
            group->passed += passed;
            group->failed += !passed;
        }
        json_decref(test);
    }
    free(line);
    fclose(file);
}

int main(int argc, char **argv)
{
    char self[4096], folder[4200];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[length > 0 ? length : 0] = '\0';
    snprintf(folder, sizeof(folder), "%s/../plugins", dirname(self));
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--plugins") == 0) {
        snprintf(folder, sizeof(folder), "%s", argv[2]);
        first = 3;
    }
    environment.registry = registry_create();
    environment.log_context = "";
    const char *path = folder;
    registry_scan(environment.registry, &path, 1, NULL, NULL, NULL);
    for (int schemas = 0; schemas < 2; schemas++) {
        for (int role = 0; role < 3; role++) {
            if (!make_converter(&converters[schemas][role], schemas, role)) {
                return 2;
            }
        }
    }
    for (int i = first; i < argc; i++) {
        run_file(argv[i]);
    }
    int passed = 0, failed = 0;
    for (size_t i = 0; i < group_count; i++) {
        printf("%-20s %4d of %4d\n", groups[i].name, groups[i].passed,
               groups[i].passed + groups[i].failed);
        passed += groups[i].passed;
        failed += groups[i].failed;
    }
    for (int schemas = 0; schemas < 2; schemas++) {
        for (int role = 0; role < 3; role++) {
            plugin_instance_destroy(converters[schemas][role].instance);
        }
    }
    registry_destroy(environment.registry);
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}
