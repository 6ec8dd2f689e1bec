/* Checks of transforms, predicates and converters on records of many shapes. See check.h. */
#include "core/host/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

#include "core/data/batch.h"
#include "lib/util/buffer.h"

enum { RANDOM_RECORDS = 300, JSON_MOST = 64 * 1024 };

/* What a record may do to a call without ending the task. */
#define FOR_A_RECORD (1u << SLUICE_BAD_RECORD | 1u << SLUICE_RETRY)

/* -- records -- */

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

static void random_value(struct buffer *out, unsigned *seed, int depth);

static void random_object(struct buffer *out, unsigned *seed, int depth)
{
    static const char *const names[] = {"a", "b", "id", "name", "check", "\\u00e4", "a.b", ""};
    unsigned used = 0;
    (void)buffer_append_char(out, '{');
    for (unsigned i = next_random(seed) % 6; i > 0; i--) {
        unsigned name = next_random(seed) % 8;
        if (used & (1u << name)) {
            continue;
        }
        (void)buffer_printf(out, "%s\"%s\":", used ? "," : "", names[name]);
        used |= 1u << name;
        random_value(out, seed, depth + 1);
    }
    (void)buffer_append_char(out, '}');
}

static void random_value(struct buffer *out, unsigned *seed, int depth)
{
    static const char *const plain[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9223372036854775807",
        "1.5",
        "1.0E300",
        "\"\"",
        "\"text\"",
        "\"1\"",
        "\"2020-01-31T12:00:00\"",
        "\"\\uD83D\\uDE00\"",
        "\"a\\nb\"",
    };
    unsigned what = next_random(seed) % 18;
    if (what < 14 || depth > 3) {
        (void)buffer_append_text(out, plain[what % 14]);
    } else if (what < 16) {
        random_object(out, seed, depth);
    } else {
        (void)buffer_append_char(out, '[');
        for (unsigned i = next_random(seed) % 4, n = 0; n < i; n++) {
            (void)buffer_append_text(out, n ? "," : "");
            random_value(out, seed, depth + 1);
        }
        (void)buffer_append_char(out, ']');
    }
}

/* JSON of a small random object, NUL-terminated; to be freed. seed is changed. */
static char *random_json(unsigned *seed)
{
    struct buffer out;
    buffer_init(&out, JSON_MOST);
    random_object(&out, seed, 0);
    return buffer_take(&out);
}

static const struct sluice_value *json_value(struct sluice_batch *batch, const char *text)
{
    struct sluice_value *value = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    const char *copy = arena_strdup(batch_arena(batch), text);
    if (data_api.from_json(batch, copy, strlen(copy), SLUICE_JSON_CONNECT, &value, &error) !=
        SLUICE_OK) {
        return NULL;
    }
    return value;
}

static struct sluice_record *add_record(struct sluice_batch *batch, const char *topic,
                                        int64_t offset, const char *json)
{
    char key[32];
    (void)snprintf(key, sizeof(key), "k%lld", (long long)offset);
    const char *own_key = arena_strdup(batch_arena(batch), key);
    const char *own_json = json ? arena_strdup(batch_arena(batch), json) : NULL;
    struct sluice_record *record = batch_add_sink(
        batch, arena_strdup(batch_arena(batch), topic), 0, offset, 1580472000000 + offset,
        SLUICE_TIMESTAMP_CREATE, (struct sluice_span){own_key, strlen(own_key)},
        (struct sluice_span){own_json, own_json ? strlen(own_json) : 0});
    records_api.set_key(record, data_api.schema_plain(SLUICE_STRING, false),
                        data_api.new_string(batch, key, strlen(key)));
    records_api.set_value(record, NULL, json ? json_value(batch, json) : NULL);
    return record;
}

struct sluice_batch *check_batch(const char *topic, size_t count, unsigned seed)
{
    struct sluice_batch *batch = batch_new(NULL);
    for (size_t i = 0; i < count; i++) {
        char *json = random_json(&seed);
        (void)add_record(batch, topic, (int64_t)i, json);
        free(json);
    }
    return batch;
}

/* -- transforms and predicates -- */

/* Both begin with size, create, destroy, configure. */
static struct plugin_instance *configured(struct check *check)
{
    if (!check_guess(check)) {
        return NULL;
    }
    struct plugin_instance *instance = check_create(check);
    if (!instance) {
        return NULL;
    }
    const struct sluice_transform *vtable = instance->descriptor->vtable;
    check_phase(check, "configure");
    enum sluice_result result =
        vtable->configure(instance->self, instance->descriptor->class_name, instance->config);
    if (!check_accepted(check, instance, "configure", result)) {
        plugin_instance_destroy(instance);
        return NULL;
    }
    return instance;
}

static void run_configure(struct check *check)
{
    plugin_instance_destroy(configured(check));
}

static void apply(struct check *check, struct plugin_instance *instance,
                  struct sluice_record *record)
{
    if (strcmp(instance->descriptor->kind, SLUICE_PREDICATE) == 0) {
        const struct sluice_predicate *predicate = instance->descriptor->vtable;
        bool matches = false;
        check_phase(check, "test");
        enum sluice_result result = predicate->test(instance->self, record, &matches);
        (void)check_result(check, instance, "test", result, FOR_A_RECORD);
        return;
    }
    const struct sluice_transform *transform = instance->descriptor->vtable;
    check_phase(check, "apply");
    enum sluice_result result = transform->apply(instance->self, record);
    if (check_result(check, instance, "apply", result, FOR_A_RECORD | 1u << SLUICE_DROP)) {
        /* Reading all of what it made: a broken value shows here and not in somebody's sink. */
        (void)data_api.to_text(records_api.batch_of(record), records_api.value(record));
        (void)data_api.to_text(records_api.batch_of(record), records_api.key(record));
        if (!records_api.topic(record) || !*records_api.topic(record)) {
            check_fail(check, "apply left a record without topic");
        }
    }
}

static void apply_json(struct check *check, const char *const *texts, size_t count)
{
    struct plugin_instance *instance = configured(check);
    for (size_t i = 0; instance && i < count; i++) {
        struct sluice_batch *batch = batch_new(NULL);
        apply(check, instance, add_record(batch, "check", (int64_t)i, texts[i]));
        records_api.release(batch);
    }
    plugin_instance_destroy(instance);
}

static void run_null(struct check *check)
{
    struct plugin_instance *instance = configured(check);
    if (instance) {
        struct sluice_batch *batch = batch_new(NULL);
        struct sluice_record *record = add_record(batch, "check", 0, NULL);
        records_api.set_key(record, NULL, NULL);
        apply(check, instance, record);
        records_api.release(batch);
    }
    plugin_instance_destroy(instance);
}

static void run_tombstone(struct check *check)
{
    static const char *const texts[] = {NULL};
    apply_json(check, texts, 1);
}

static void run_empty_map(struct check *check)
{
    static const char *const texts[] = {"{}"};
    apply_json(check, texts, 1);
}

static void run_scalars(struct check *check)
{
    static const char *const texts[] = {"null",     "true", "1",  "-1.5",
                                        "\"text\"", "\"\"", "[]", "[{}]"};
    apply_json(check, texts, sizeof(texts) / sizeof(texts[0]));
}

static void run_random(struct check *check)
{
    unsigned seed = 1;
    struct plugin_instance *instance = configured(check);
    for (size_t i = 0; instance && i < RANDOM_RECORDS && check->outcome == CHECK_OK; i++) {
        char *json = random_json(&seed);
        struct sluice_batch *batch = batch_new(NULL);
        apply(check, instance, add_record(batch, "check", (int64_t)i, json));
        if (check->outcome == CHECK_FAILED) {
            char *reason = check->reason;
            check->outcome = CHECK_OK;
            check_fail(check, "%s (for the value %s)", reason, json);
            free(reason);
        }
        records_api.release(batch);
        free(json);
    }
    plugin_instance_destroy(instance);
}

static bool same(const struct sluice_record *a, const struct sluice_record *b)
{
    return strcmp(records_api.topic(a), records_api.topic(b)) == 0 &&
           records_api.partition(a) == records_api.partition(b) &&
           records_api.timestamp(a) == records_api.timestamp(b) &&
           data_api.equal(records_api.key(a), records_api.key(b)) &&
           data_api.equal(records_api.value(a), records_api.value(b));
}

/* A transform changes the record it is given; its neighbours stay as they are. */
static void run_neighbours(struct check *check)
{
    struct plugin_instance *instance = configured(check);
    struct sluice_batch *batch = check_batch("check", 3, 7),
                        *as_it_was = check_batch("check", 3, 7);
    if (instance) {
        apply(check, instance, records_api.at(batch, 1));
        for (size_t i = 0; i < 3 && records_api.count(batch) == 3; i += 2) {
            if (!same(records_api.at(batch, i), records_api.at(as_it_was, i))) {
                check_fail(check, "record %zu was changed while record 1 was transformed", i);
            }
        }
        if (records_api.count(batch) != 3) {
            check_fail(check, "the batch has another number of records afterwards");
        }
    }
    records_api.release(batch);
    records_api.release(as_it_was);
    plugin_instance_destroy(instance);
}

/* -- converters -- */

struct conversion {
    struct check *check;
    struct plugin_instance *instance;
    const struct sluice_converter *vtable;
    struct sluice_batch *batch;
    int there, back; /* values written, and of those read */
};

static struct plugin_instance *configured_converter(struct check *check,
                                                    enum sluice_converter_role role)
{
    static const char *const roles[] = {"key", "value", "header"};
    if (!check_guess(check)) {
        return NULL;
    }
    properties_set(&check->config, "converter.type", roles[role]);
    struct plugin_instance *instance = check_create(check);
    if (!instance) {
        return NULL;
    }
    const struct sluice_converter *vtable = instance->descriptor->vtable;
    check_phase(check, "configure");
    enum sluice_result result =
        vtable->configure(instance->self, instance->descriptor->class_name, instance->config, role);
    if (!check_accepted(check, instance, "configure", result)) {
        plugin_instance_destroy(instance);
        return NULL;
    }
    return instance;
}

static bool same_bytes(struct sluice_span a, struct sluice_span b)
{
    return (a.data == NULL) == (b.data == NULL) && a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Reads and writes again. False where the converter refuses, which is the end of this value. */
static bool there_and_back(struct conversion *c, const char *header, struct sluice_span *bytes,
                           unsigned accepted)
{
    const struct sluice_schema *schema = NULL;
    const struct sluice_value *value = NULL;
    check_phase(c->check, "to_connect");
    enum sluice_result result = c->vtable->to_connect(c->instance->self, c->batch, "check", header,
                                                      *bytes, &schema, &value);
    if (!check_result(c->check, c->instance, "to_connect of what from_connect wrote", result,
                      accepted)) {
        return false;
    }
    check_phase(c->check, "from_connect");
    result =
        c->vtable->from_connect(c->instance->self, c->batch, "check", header, schema, value, bytes);
    return check_result(c->check, c->instance, "from_connect of what to_connect read", result, 0);
}

/*
 * What it wrote, it may read in another form (a number as text, bytes with replacements) or, being
 * one-way for some types, refuse. But what it read and wrote once stays the same from then on.
 */
static void round_trip(struct conversion *c, const char *header, const struct sluice_schema *schema,
                       const struct sluice_value *value)
{
    struct sluice_span bytes = {0};
    check_phase(c->check, "from_connect");
    enum sluice_result result = c->vtable->from_connect(c->instance->self, c->batch, "check",
                                                        header, schema, value, &bytes);
    if (!check_result(c->check, c->instance, "from_connect", result, FOR_A_RECORD)) {
        return; /* not a type it is for */
    }
    c->there++;
    if (!there_and_back(c, header, &bytes, FOR_A_RECORD)) {
        return;
    }
    c->back++;
    struct sluice_span before = bytes;
    if (there_and_back(c, header, &bytes, 0) && !same_bytes(before, bytes)) {
        check_fail(c->check, "'%.*s' was read and written again and became '%.*s'",
                   (int)(before.size < 100 ? before.size : 100),
                   before.data ? before.data : "(null)", (int)(bytes.size < 100 ? bytes.size : 100),
                   bytes.data ? bytes.data : "(null)");
    }
}

static void round_trips(struct check *check, enum sluice_converter_role role)
{
    struct conversion c = {.check = check, .instance = configured_converter(check, role)};
    if (!c.instance) {
        return;
    }
    const char *header = role == SLUICE_CONVERT_HEADER ? "h" : NULL;
    c.vtable = c.instance->descriptor->vtable;
    c.batch = batch_new(NULL);
    round_trip(&c, header, NULL, NULL);
    for (int type = SLUICE_INT8; type <= SLUICE_INT64; type++) {
        round_trip(&c, header, data_api.schema_plain((enum sluice_type)type, false),
                   data_api.new_integer(c.batch, (enum sluice_type)type, 100));
    }
    for (int type = SLUICE_FLOAT32; type <= SLUICE_FLOAT64; type++) {
        round_trip(&c, header, data_api.schema_plain((enum sluice_type)type, false),
                   data_api.new_real(c.batch, (enum sluice_type)type, 1.5));
    }
    round_trip(&c, header, data_api.schema_plain(SLUICE_BOOLEAN, false),
               data_api.new_boolean(c.batch, true));
    round_trip(&c, header, data_api.schema_plain(SLUICE_STRING, false),
               data_api.new_string(c.batch, "text", 4));
    round_trip(&c, header, data_api.schema_plain(SLUICE_BYTES, false),
               data_api.new_bytes(c.batch, "\x00\xff", 2));
    for (unsigned seed = 1, i = 0; i < 50; i++) {
        char *json = random_json(&seed);
        round_trip(&c, header, NULL, json_value(c.batch, json));
        free(json);
    }
    if (c.there > 0 && c.back == 0) {
        check_fail(check, "to_connect can read nothing of what from_connect writes");
    }
    records_api.release(c.batch);
    plugin_instance_destroy(c.instance);
}

static void run_key(struct check *check)
{
    round_trips(check, SLUICE_CONVERT_KEY);
}

static void run_value(struct check *check)
{
    round_trips(check, SLUICE_CONVERT_VALUE);
}

static void run_header(struct check *check)
{
    round_trips(check, SLUICE_CONVERT_HEADER);
}

/* Bytes nobody wrote: refused with a reason, or read; nothing else. */
static void read_rubbish(struct check *check, enum sluice_converter_role role)
{
    struct plugin_instance *instance = configured_converter(check, role);
    if (!instance) {
        return;
    }
    const struct sluice_converter *vtable = instance->descriptor->vtable;
    for (unsigned seed = 3, i = 0; i < RANDOM_RECORDS && check->outcome == CHECK_OK; i++) {
        struct sluice_batch *batch = batch_new(NULL);
        size_t size = next_random(&seed) % 40;
        char *bytes = arena_alloc(batch_arena(batch), size + 1);
        for (size_t k = 0; k < size; k++) {
            bytes[k] = (char)next_random(&seed);
        }
        if (i % 3 == 0) { /* something that looks right and ends too early */
            char *json = random_json(&seed);
            size = strlen(json) / 2;
            bytes = arena_copy(batch_arena(batch), json, size + 1);
            free(json);
        }
        const struct sluice_schema *schema = NULL;
        const struct sluice_value *value = NULL;
        check_phase(check, "to_connect");
        enum sluice_result result = vtable->to_connect(
            instance->self, batch, "check", role == SLUICE_CONVERT_HEADER ? "h" : NULL,
            (struct sluice_span){bytes, size}, &schema, &value);
        if (check_result(check, instance, "to_connect", result, FOR_A_RECORD)) {
            (void)data_api.to_text(batch, value);
        }
        records_api.release(batch);
    }
    plugin_instance_destroy(instance);
}

static void run_rubbish(struct check *check)
{
    read_rubbish(check, SLUICE_CONVERT_VALUE);
}

static void run_header_rubbish(struct check *check)
{
    read_rubbish(check, SLUICE_CONVERT_HEADER);
}

const struct check_case check_record_cases[] = {
    {"configure", SLUICE_TRANSFORM, run_configure},
    {"record without key and value", SLUICE_TRANSFORM, run_null},
    {"tombstone", SLUICE_TRANSFORM, run_tombstone},
    {"empty map", SLUICE_TRANSFORM, run_empty_map},
    {"values that are no map", SLUICE_TRANSFORM, run_scalars},
    {"random JSON records", SLUICE_TRANSFORM, run_random},
    {"other records are left alone", SLUICE_TRANSFORM, run_neighbours},
    {"configure", SLUICE_PREDICATE, run_configure},
    {"record without key and value", SLUICE_PREDICATE, run_null},
    {"tombstone", SLUICE_PREDICATE, run_tombstone},
    {"values that are no map", SLUICE_PREDICATE, run_scalars},
    {"random JSON records", SLUICE_PREDICATE, run_random},
    {"the record is left alone", SLUICE_PREDICATE, run_neighbours},
    {"keys there and back", SLUICE_CONVERTER, run_key},
    {"values there and back", SLUICE_CONVERTER, run_value},
    {"headers there and back", SLUICE_CONVERTER, run_header},
    {"bytes that nobody wrote", SLUICE_CONVERTER, run_rubbish},
    {"headers there and back", SLUICE_HEADER_CONVERTER, run_header},
    {"bytes that nobody wrote", SLUICE_HEADER_CONVERTER, run_header_rubbish},
    {0},
};
