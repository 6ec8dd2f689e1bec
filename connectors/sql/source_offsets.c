/* Positions as Connect's offsets. */
#include "connectors/sql/source_offsets.h"

#include <stdlib.h>
#include <string.h>

static void put(const struct sluice_host *host, struct sluice_batch *batch, struct sluice_value *map,
                const char *name, struct sluice_value *value)
{
    host->data->put(batch, map, host->data->intern(name, strlen(name)), value);
}

static struct sluice_value *text(const struct sluice_host *host, struct sluice_batch *batch,
                                 const char *value)
{
    return host->data->new_string(batch, value, strlen(value));
}

static struct sluice_value *number(const struct sluice_host *host, struct sluice_batch *batch,
                                   int64_t value)
{
    return host->data->new_integer(batch, SLUICE_INT64, value);
}

static struct sluice_value *partition_of(const struct sluice_host *host, struct sluice_batch *batch,
                                         const struct followed *followed, bool protocol)
{
    struct sluice_value *map = host->data->new_map(batch, 2);
    if (!followed->table) {
        put(host, batch, map, "query", text(host, batch, "query"));
        return map;
    }
    if (protocol) {
        put(host, batch, map, "protocol", text(host, batch, "1"));
        put(host, batch, map, "table", text(host, batch, followed->name));
    } else {
        put(host, batch, map, "table", text(host, batch, followed->table->name.table));
    }
    return map;
}

struct sluice_value *source_partition(const struct sluice_host *host,
                                      const struct source_settings *settings,
                                      struct sluice_batch *batch, const struct followed *followed)
{
    return partition_of(host, batch, followed, settings->mode != MODE_BULK);
}

struct sluice_value *source_offset(const struct sluice_host *host, const struct source_settings *settings,
                                   struct sluice_batch *batch, const struct followed *followed,
                                   bool has_time, struct moment time)
{
    if (settings->mode == MODE_BULK) {
        return NULL;
    }
    const struct position *position = &followed->position;
    struct sluice_value *map = host->data->new_map(batch, 3);
    if (followed->time_count > 0 && has_time) {
        put(host, batch, map, "timestamp", number(host, batch, time.ms));
        put(host, batch, map, "timestamp_nanos", number(host, batch, time.nanos));
    }
    if (followed->incrementing && position->has_number) {
        put(host, batch, map, position->kind == SQL_TEXT ? "incrementing_text" : "incrementing",
            position->kind == SQL_TEXT   ? text(host, batch, position->text)
            : position->kind == SQL_REAL ? host->data->new_real(batch, SLUICE_FLOAT64, position->real)
                                         : number(host, batch, position->number));
    }
    return map;
}

static const struct sluice_value *member(const struct sluice_host *host, const struct sluice_value *map,
                                         const char *name)
{
    const struct sluice_value *value =
        map ? host->data->find(map, host->data->intern(name, strlen(name))) : NULL;
    return value && host->data->type(value) != SLUICE_NULL ? value : NULL;
}

void source_offsets_restore(const struct sluice_host *host, const struct sluice_source_context *context,
                            const struct source_settings *settings, struct sluice_batch *batch,
                            struct followed *followed)
{
    if (settings->mode == MODE_BULK) {
        return;
    }
    const struct sluice_value *stored =
        context->offset(host, batch, partition_of(host, batch, followed, true));
    if (!stored && followed->table) {
        stored = context->offset(host, batch, partition_of(host, batch, followed, false));
    }
    const struct sluice_value *timestamp = member(host, stored, "timestamp");
    const struct sluice_value *nanos = member(host, stored, "timestamp_nanos");
    const struct sluice_value *incrementing = member(host, stored, "incrementing");
    const struct sluice_value *words = member(host, stored, "incrementing_text");
    struct position *position = &followed->position;
    if (timestamp) {
        position->has_time = true;
        position->time = moment_of_ms(host->data->integer(timestamp));
        if (nanos) {
            position->time.nanos = (int32_t)host->data->integer(nanos);
        }
        followed->reported = true;
        followed->reported_time = position->time;
    }
    if (incrementing) {
        enum sluice_type type = host->data->type(incrementing);
        bool real = type == SLUICE_FLOAT64 || type == SLUICE_FLOAT32;
        position->has_number = true;
        position->kind = real ? SQL_REAL : SQL_INTEGER;
        position->real = real ? host->data->real(incrementing) : 0;
        position->number = real ? 0 : host->data->integer(incrementing);
    } else if (words) {
        struct sluice_span span = host->data->text(words);
        position->text = strndup(span.data, span.size);
        position->has_number = position->text != NULL;
        position->kind = SQL_TEXT;
    }
}
