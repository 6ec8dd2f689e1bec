/* See offline_explain.h. A record before and after each step, as JSON, compared field by field. */
#include "core/host/offline_explain.h"

#include <stdio.h>
#include <string.h>

#include "core/data/batch.h"

/* How much of a value a line shows. */
#define SHOWN 120

/* What a step can change. */
struct snapshot {
    const char *topic;
    int32_t partition;
    int64_t timestamp;
    const struct sluice_value *key, *value;
    struct sluice_span headers;
};

static void show(const char *prefix, const char *name, size_t name_size, struct sluice_span json)
{
    bool cut = json.size > SHOWN;
    fprintf(stderr, "%s%.*s%s%.*s%s", prefix, (int)name_size, name, name_size ? ": " : "",
            (int)(cut ? SHOWN : json.size), json.data, cut ? ".." : "");
}

/* A value that no later step can change: its text, read again. */
static const struct sluice_value *frozen(struct sluice_batch *batch,
                                         const struct sluice_value *value)
{
    if (!value) {
        return data_api.new_null(batch);
    }
    struct sluice_span json = data_api.to_json(batch, value);
    char *text = arena_copy(batch_arena(batch), json.data, json.size);
    struct sluice_value *again = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    if (data_api.from_json(batch, text, json.size, SLUICE_JSON_CONNECT, &again, &error) !=
        SLUICE_OK) {
        return data_api.new_null(batch);
    }
    return again;
}

static struct sluice_span header_text(struct sluice_batch *batch,
                                      const struct sluice_record *record)
{
    struct sluice_value *list = data_api.new_array(batch, records_api.header_count(record));
    for (size_t i = 0; i < records_api.header_count(record); i++) {
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        const char *name = records_api.header(record, i, &schema, &value);
        struct sluice_value *pair = data_api.new_array(batch, 2);
        data_api.append(batch, pair, data_api.new_string(batch, name, strlen(name)));
        data_api.append(batch, pair, frozen(batch, value));
        data_api.append(batch, list, pair);
    }
    return data_api.to_json(batch, list);
}

static struct snapshot take(struct sluice_batch *batch, const struct sluice_record *record)
{
    return (struct snapshot){
        .topic = records_api.topic(record),
        .partition = records_api.partition(record),
        .timestamp = records_api.timestamp(record),
        .key = frozen(batch, records_api.key(record)),
        .value = frozen(batch, records_api.value(record)),
        .headers = header_text(batch, record),
    };
}

static const struct sluice_value *member(const struct sluice_value *map, struct sluice_span name)
{
    for (size_t i = 0; i < data_api.count(map); i++) {
        struct sluice_span key = data_api.text(data_api.key_at(map, i));
        if (key.size == name.size && memcmp(key.data, name.data, key.size) == 0) {
            return data_api.at(map, i);
        }
    }
    return NULL;
}

static bool same_span(struct sluice_span a, struct sluice_span b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* True where names of a and b, as far as they are in both, come in the same order. */
static bool same_order(const struct sluice_value *a, const struct sluice_value *b)
{
    size_t at = 0;
    for (size_t i = 0; i < data_api.count(a); i++) {
        struct sluice_span name = data_api.text(data_api.key_at(a, i));
        if (!member(b, name)) {
            continue;
        }
        while (at < data_api.count(b) && !member(a, data_api.text(data_api.key_at(b, at)))) {
            at++;
        }
        if (at == data_api.count(b) || !same_span(name, data_api.text(data_api.key_at(b, at++)))) {
            return false;
        }
    }
    return true;
}

static bool explain_maps(struct sluice_batch *batch, const struct sluice_value *before,
                         const struct sluice_value *after)
{
    bool changed = false;
    for (size_t i = 0; i < data_api.count(before); i++) {
        struct sluice_span name = data_api.text(data_api.key_at(before, i));
        const struct sluice_value *now = member(after, name);
        struct sluice_span old_json = data_api.to_json(batch, data_api.at(before, i));
        struct sluice_span new_json = now ? data_api.to_json(batch, now) : old_json;
        if (now && same_span(old_json, new_json)) {
            continue;
        }
        changed = true;
        show(now ? "    ~ " : "    - ", name.data, name.size, old_json);
        if (now) {
            show(" -> ", "", 0, new_json);
        }
        fputc('\n', stderr);
    }
    for (size_t i = 0; i < data_api.count(after); i++) {
        struct sluice_span name = data_api.text(data_api.key_at(after, i));
        if (!member(before, name)) {
            changed = true;
            show("    + ", name.data, name.size, data_api.to_json(batch, data_api.at(after, i)));
            fputc('\n', stderr);
        }
    }
    if (!same_order(before, after)) {
        changed = true;
        fputs("    order:", stderr);
        for (size_t i = 0; i < data_api.count(after); i++) {
            struct sluice_span name = data_api.text(data_api.key_at(after, i));
            fprintf(stderr, "%s%.*s", i ? ", " : " ", (int)name.size, name.data);
        }
        fputc('\n', stderr);
    }
    return changed;
}

static bool explain_value(struct sluice_batch *batch, const char *what,
                          const struct sluice_value *before, const struct sluice_value *after)
{
    struct sluice_span old_json = data_api.to_json(batch, before);
    struct sluice_span new_json = data_api.to_json(batch, after);
    if (same_span(old_json, new_json)) {
        return false;
    }
    if (strcmp(what, "value") == 0 && data_api.type(before) == SLUICE_MAP &&
        data_api.type(after) == SLUICE_MAP) {
        return explain_maps(batch, before, after);
    }
    show("    ~ ", what, strlen(what), old_json);
    show(" -> ", "", 0, new_json);
    fputc('\n', stderr);
    return true;
}

static void explain(struct sluice_batch *batch, const struct snapshot *before,
                    const struct snapshot *after)
{
    bool changed = false;
    if (strcmp(before->topic, after->topic) != 0) {
        changed = true;
        fprintf(stderr, "    ~ topic: %s -> %s\n", before->topic, after->topic);
    }
    if (before->partition != after->partition) {
        changed = true;
        fprintf(stderr, "    ~ partition: %d -> %d\n", (int)before->partition,
                (int)after->partition);
    }
    if (before->timestamp != after->timestamp) {
        changed = true;
        fprintf(stderr, "    ~ timestamp: %lld -> %lld\n", (long long)before->timestamp,
                (long long)after->timestamp);
    }
    changed |= explain_value(batch, "key", before->key, after->key);
    changed |= explain_value(batch, "value", before->value, after->value);
    if (!same_span(before->headers, after->headers)) {
        changed = true;
        show("    ~ ", "headers", 7, before->headers);
        show(" -> ", "", 0, after->headers);
        fputc('\n', stderr);
    }
    if (!changed) {
        fputs("    (nothing to change)\n", stderr);
    }
}

enum sluice_result explain_chain(struct chain *chain, struct sluice_record *record, size_t line,
                                 const char **ret_class)
{
    struct sluice_batch *batch = records_api.batch_of(record);
    fprintf(stderr, "line %zu, topic %s\n", line, records_api.topic(record));
    for (size_t i = 0; i < chain_count(chain); i++) {
        struct snapshot before = take(batch, record);
        bool ran = false;
        enum sluice_result result = chain_step(chain, i, record, &ran, ret_class);
        fprintf(stderr, "  %s (%s)%s\n", chain_alias(chain, i), chain_class(chain, i),
                result == SLUICE_DROP ? ": dropped"
                : result != SLUICE_OK ? ": failed"
                : ran                 ? ""
                                      : ": skipped, its predicate does not apply");
        if (result != SLUICE_OK) {
            return result;
        }
        if (ran) {
            struct snapshot after = take(batch, record);
            explain(batch, &before, &after);
        }
    }
    return SLUICE_OK;
}
