/*
 * Cases of transforms and predicates (transforms.jsonl, predicates.jsonl): the chain is the task's
 * own; see vectors.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/properties.h"
#include "core/host/chain.h"
#include "tests/suites/vectors.h"

/* -- making -- */

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
    properties_set(properties, key, vector_text(step, "class"));
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
    properties_set(properties, key, vector_text(predicate, "class"));
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

/* Sides of a record, in the order of roles. */
static const char *const side_names[] = {"key", "value"};

static bool add_headers(struct vector_case *run, bool schemas, const char *topic,
                        struct sluice_record *record, json_t *headers)
{
    size_t i;
    json_t *header;
    struct plugin_failure failure;
    json_array_foreach(headers, i, header)
    {
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        const char *name = json_string_value(json_array_get(header, 0));
        if (!vector_read(run, schemas, SLUICE_CONVERT_HEADER, topic, name,
                         vector_span(json_array_get(header, 1)), &schema, &value, &failure)) {
            vector_wrong(run, "header %zu of the input: %s", i, failure.error.message);
            error_clear(&failure.error);
            return false;
        }
        records_api.header_add(record, name, schema, value);
    }
    return true;
}

/* {p=x}, {o=1} */
static void set_source(struct sluice_batch *batch, struct sluice_record *record)
{
    struct sluice_value *partition = data_api.new_map(batch, 1);
    struct sluice_value *offset = data_api.new_map(batch, 1);
    data_api.put(batch, partition, data_api.intern("p", 1), data_api.new_string(batch, "x", 1));
    data_api.put(batch, offset, data_api.intern("o", 1),
                 data_api.new_integer(batch, SLUICE_INT32, 1));
    records_api.set_source(record, partition, offset);
}

static struct sluice_record *make_record(struct vector_case *run, json_t *input)
{
    bool schemas = json_is_true(json_object_get(run->test, "schemas"));
    const char *topic = vector_text(input, "topic");
    topic = topic ? topic : ""; /* null: a source left it out; records need one */
    json_t *partition = json_object_get(input, "partition");
    json_t *timestamp = json_object_get(input, "timestamp");
    int32_t number =
        json_is_integer(partition) ? (int32_t)json_integer_value(partition) : SLUICE_NO_PARTITION;
    int64_t time = json_is_integer(timestamp) ? json_integer_value(timestamp) : SLUICE_NO_TIMESTAMP;
    struct sluice_record *record;
    if (strcmp(vector_text(run->test, "kind"), "sink") == 0) {
        record = batch_add_sink(
            run->batch, topic, number, json_integer_value(json_object_get(input, "offset")), time,
            time == SLUICE_NO_TIMESTAMP ? SLUICE_TIMESTAMP_NONE : SLUICE_TIMESTAMP_CREATE,
            (struct sluice_span){NULL, 0}, (struct sluice_span){NULL, 0});
    } else {
        record = records_api.add(run->batch, topic);
        records_api.set_partition(record, number);
        records_api.set_timestamp(record, time);
        set_source(run->batch, record);
    }
    for (int role = SLUICE_CONVERT_KEY; role <= SLUICE_CONVERT_VALUE; role++) {
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        struct plugin_failure failure;
        if (!vector_read(run, schemas, role, topic, NULL,
                         vector_span(json_object_get(input, side_names[role])), &schema, &value,
                         &failure)) {
            vector_wrong(run, "%s of the input: %s", side_names[role], failure.error.message);
            error_clear(&failure.error);
            return NULL;
        }
        (role == SLUICE_CONVERT_KEY ? records_api.set_key : records_api.set_value)(record, schema,
                                                                                 value);
    }
    return add_headers(run, schemas, topic, record, json_object_get(input, "headers")) ? record
                                                                                       : NULL;
}

/* -- comparing -- */

/* Written as expected, or failing as expected. error: of the vectors; NULL: none. */
static bool same_written(struct vector_case *run, enum sluice_converter_role role, const char *what,
                         const char *topic, const char *header, json_t *expected, json_t *error,
                         const struct sluice_schema *schema, const struct sluice_value *value)
{
    bool schemas = json_is_true(json_object_get(run->test, "schemas"));
    struct plugin_failure failure = {.record = -1};
    struct sluice_span text;
    if (!vector_write(run, schemas, role, topic, header, schema, value, &text, &failure)) {
        bool same = vector_same_failure(run, error, "writing the output", &failure.error);
        error_clear(&failure.error);
        return same;
    }
    if (json_is_object(error)) {
        vector_wrong(run, "%s: could be written: %.*s", what, (int)(text.size > 3000 ? 3000 : text.size),
                     text.data ? text.data : "");
        return false;
    }
    return vector_same_json(run, what, schemas, vector_span(expected), text);
}

static bool same_side(struct vector_case *run, enum sluice_converter_role role, const char *topic,
                      json_t *expected, const struct sluice_schema *schema,
                      const struct sluice_value *value)
{
    const char *name = side_names[role];
    char member[32];
    snprintf(member, sizeof(member), "%s_error", name);
    if (!same_written(run, role, name, topic, NULL, json_object_get(expected, name),
                      json_object_get(expected, member), schema, value)) {
        return false;
    }
    snprintf(member, sizeof(member), "%s_typed", name);
    json_t *typed = json_object_get(expected, member);
    if (typed && !vector_same_typed(run, member, typed, value)) {
        return false;
    }
    snprintf(member, sizeof(member), "%s_schema", name);
    return !typed || vector_same_schema(run, member, json_object_get(expected, member), schema);
}

static bool same_headers(struct vector_case *run, const char *topic, json_t *expected,
                         const struct sluice_record *record)
{
    size_t i;
    json_t *header;
    if (json_array_size(expected) != records_api.header_count(record)) {
        vector_wrong(run, "expected %zu headers, got %zu", json_array_size(expected),
                     records_api.header_count(record));
        return false;
    }
    json_array_foreach(expected, i, header)
    {
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        char what[64];
        const char *name = records_api.header(record, i, &schema, &value);
        const char *wanted = json_string_value(json_array_get(header, 0));
        json_t *typed = json_array_get(header, 2);
        snprintf(what, sizeof(what), "header %zu", i);
        if (strcmp(name, wanted) != 0) {
            vector_wrong(run, "%s: expected %s, got %s", what, wanted, name);
            return false;
        }
        if (!same_written(run, SLUICE_CONVERT_HEADER, what, topic, name, json_array_get(header, 1),
                          json_array_get(header, 3), schema, value) ||
            (typed && !vector_same_typed(run, what, typed, value))) {
            return false;
        }
    }
    return true;
}

static bool same_number(struct vector_case *run, const char *name, json_t *expected, int64_t none,
                        int64_t got)
{
    json_t *number = json_object_get(expected, name);
    int64_t want = json_is_integer(number) ? json_integer_value(number) : none;
    if (want != got) {
        vector_wrong(run, "%s: expected %lld, got %lld", name, (long long)want, (long long)got);
    }
    return want == got;
}

static bool same_record(struct vector_case *run, json_t *expected,
                        const struct sluice_record *record)
{
    const char *topic = records_api.topic(record), *wanted = vector_text(expected, "topic");
    if (strcmp(topic, wanted ? wanted : "") != 0) {
        vector_wrong(run, "topic: expected %s, got %s", wanted ? wanted : "null", topic);
        return false;
    }
    return same_number(run, "partition", expected, SLUICE_NO_PARTITION,
                       records_api.partition(record)) &&
           same_number(run, "timestamp", expected, SLUICE_NO_TIMESTAMP,
                       records_api.timestamp(record)) &&
           same_number(run, "offset", expected, SLUICE_NO_OFFSET, records_api.offset(record)) &&
           same_side(run, SLUICE_CONVERT_KEY, topic, expected, records_api.key_schema(record),
                     records_api.key(record)) &&
           same_side(run, SLUICE_CONVERT_VALUE, topic, expected, records_api.value_schema(record),
                     records_api.value(record)) &&
           same_headers(run, topic, json_object_get(expected, "headers"), record);
}

/* -- cases -- */

/* false: differs, or the expected failure was met and nothing more is to come. */
static bool run_record(struct vector_case *run, struct chain *chain, size_t i, bool *ret_over)
{
    json_t *expected = json_object_get(run->test, "error");
    json_t *outputs = json_object_get(run->test, "records_out");
    json_t *output = json_array_get(outputs, i);
    struct sluice_record *record =
        make_record(run, json_array_get(json_object_get(run->test, "records_in"), i));
    if (!record) {
        return false;
    }
    enum sluice_result result = chain_apply(chain, record, NULL);
    if (result != SLUICE_OK && result != SLUICE_DROP) {
        struct plugin_failure failure;
        *ret_over = true;
        chain_failure_take(chain, result, &failure);
        bool same = vector_same_failure(run, output ? NULL : expected, "apply", &failure.error);
        error_clear(&failure.error);
        return same;
    }
    if (!output) {
        vector_wrong(run, "did not fail with %s", vector_text(expected, "message"));
        return false;
    }
    if (json_is_null(output) || result == SLUICE_DROP) {
        vector_wrong(run, "record %zu: %s", i,
                     json_is_null(output) ? "was not dropped" : "was dropped");
        return json_is_null(output) && result == SLUICE_DROP;
    }
    return same_record(run, output, record);
}

/* config, a predicate's or a step's: Java's API takes a null value where properties have no way. */
static bool has_null(json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach(config, key, value)
    {
        if (json_is_null(value)) {
            return true;
        }
    }
    return false;
}

static enum outcome outcome_of(struct vector_case *run, bool same)
{
    if (same) {
        return PASSED;
    }
    json_t *record = json_object_get(run->test, "record");
    if (has_null(json_object_get(run->test, "config"))) {
        vector_wrong(run, "an option whose value is null: properties have no way to say so");
        return LEFT_OUT;
    }
    if (record && json_is_null(json_object_get(record, "topic"))) {
        vector_wrong(run, "a record without a topic: there is none here");
        return LEFT_OUT;
    }
    return WRONG;
}

static bool run_chain(struct vector_case *run, struct properties *properties)
{
    struct error error = {0};
    struct chain *chain = NULL;
    json_t *expected = json_object_get(run->test, "error");
    bool same = true, over = false;
    if (chain_create(&vectors_environment, properties, &chain, &error) != 0) {
        same = vector_same_failure(run, expected, "configure", &error);
        over = true;
    }
    size_t count = json_array_size(json_object_get(run->test, "records_in"));
    for (size_t i = 0; same && !over && i < count; i++) {
        same = run_record(run, chain, i, &over);
    }
    if (same && !over && json_is_object(expected)) {
        vector_wrong(run, "did not fail with %s", vector_text(expected, "message"));
        same = false;
    }
    chain_destroy(chain);
    error_clear(&error);
    return same;
}

enum outcome vectors_transform(struct vector_case *run)
{
    struct properties properties = {0};
    set_chain(&properties, run->test);
    bool same = run_chain(run, &properties);
    properties_finish(&properties);
    return outcome_of(run, same);
}

/* A predicate is seen through the step it guards: Filter runs iff it applies. */
enum outcome vectors_predicate(struct vector_case *run)
{
    json_t *test = run->test, *expected = json_object_get(test, "error");
    json_t *negate = json_object_get(test, "negate");
    json_t *step =
        json_pack("{sss{}s{sssOsb}}", "class", "org.apache.kafka.connect.transforms.Filter",
                  "config", "predicate", "class", vector_text(test, "class"), "config",
                  json_object_get(test, "config"), "negate", json_is_true(negate));
    struct properties properties = {0};
    struct error error = {0};
    struct chain *chain = NULL;
    properties_set(&properties, "transforms", "t0");
    set_step(&properties, 0, step);
    bool same = false;
    if (chain_create(&vectors_environment, &properties, &chain, &error) != 0) {
        same = vector_same_failure(run, expected, "configure", &error);
    } else if (json_is_object(expected)) {
        vector_wrong(run, "did not fail with %s", vector_text(expected, "message"));
    } else {
        struct sluice_record *record = make_record(run, json_object_get(test, "record"));
        if (record) {
            bool applies = chain_apply(chain, record, NULL) == SLUICE_DROP;
            same = applies == json_is_true(json_object_get(test, "applies"));
            vector_wrong(run, "applies: got %s", applies ? "true" : "false");
        }
    }
    chain_destroy(chain);
    error_clear(&error);
    properties_finish(&properties);
    json_decref(step);
    return outcome_of(run, same);
}
