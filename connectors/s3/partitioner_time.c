/*
 * Time-based partitioners (TimeBased, Daily, Hourly). A time is cut to a multiple of the duration on the clock of the zone, then printed by the path's pattern.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/s3/joda.h"
#include "connectors/s3/partitioner.h"

enum { PATH_PATTERN_SIZE = 1024 };

struct time_partitioner {
    struct partitioner base;
    int64_t duration;
    struct zone *zone;
    struct joda_format *format;
    int64_t last_slot;    /* local ms of what path holds */
    bool has_last;
    struct buffer path;
};

static int encode_time(struct partitioner *partitioner, const struct sluice_record *record,
                       int64_t timestamp, struct buffer *ret_path, struct fault *fault)
{
    (void)record;
    struct time_partitioner *self = (struct time_partitioner *)partitioner;
    int64_t offset = (int64_t)zone_at(self->zone, timestamp).seconds * 1000, local;
    if (__builtin_add_overflow(timestamp, offset, &local)) {
        return fault_set(fault, PARTITION_EXCEPTION, true, "Timestamp %" PRId64 " is out of range.",
                         timestamp);
    }
    /* Division cuts towards zero, also before 1970: so does the original. */
    int64_t slot = local / self->duration * self->duration;
    if (!self->has_last || slot != self->last_slot) {
        buffer_reset(&self->path);
        if (joda_format_print(self->format, joda_utc_of(self->zone, slot), self->zone, &self->path) != 0) {
            self->has_last = false;
            return fault_set(fault, SLUICE_CONNECT_EXCEPTION, false, "path.format gives too long a path");
        }
        self->last_slot = slot;
        self->has_last = true;
    }
    return buffer_append(ret_path, self->path.data, self->path.size);
}

static void destroy_time(struct partitioner *partitioner)
{
    struct time_partitioner *self = (struct time_partitioner *)partitioner;
    zone_close(self->zone);
    joda_format_destroy(self->format);
    buffer_finish(&self->path);
    free(self);
}

static const struct partitioner_vtable time_partitioner = {
    .encode = encode_time, .destroy = destroy_time, .time_based = true};

/* What the directories are made of; the pattern is cut to size bytes. */
static int64_t layout(const struct settings *settings, char *ret_path, size_t size)
{
    const char *delim = settings->directory_delim;
    if (settings->partitioner == PARTITIONER_TIME) {
        snprintf(ret_path, size, "%s", settings->path_format);
        size_t length = strlen(ret_path), delim_length = strlen(delim);
        if (delim_length > 0 && length > delim_length &&
            strcmp(ret_path + length - delim_length, delim) == 0) {
            ret_path[length - delim_length] = '\0';
        }
        return settings->partition_duration;
    }
    bool hourly = settings->partitioner == PARTITIONER_HOURLY;
    snprintf(ret_path, size, "'year'=YYYY%s'month'=MM%s'day'=dd%s%s", delim, delim,
             hourly ? delim : "", hourly ? "'hour'=HH" : "");
    return hourly ? 3600000 : 86400000;
}

/* The words of the original's ConfigException. */
void time_partitioner_check(const struct settings *settings, partitioner_fault *fault, void *user)
{
    char path[PATH_PATTERN_SIZE], text[PATH_PATTERN_SIZE + 300], why[200];
    int64_t duration = layout(settings, path, sizeof(path));
    if (duration <= 0) {
        snprintf(text, sizeof(text), "Invalid value %" PRId64 " for configuration "
                 "partition.duration.ms: Partition duration needs to be a positive.", duration);
        fault(user, "partition.duration.ms", text);
    }
    struct joda_format *format = NULL;
    const char *given = settings->partitioner == PARTITIONER_TIME ? settings->path_format : path;
    if (!given[0] || strcmp(given, settings->directory_delim) == 0) {
        snprintf(text, sizeof(text), "Invalid value %.500s for configuration path.format: Path format "
                                     "cannot be empty.", given);
        fault(user, "path.format", text);
    } else if (!(format = joda_format_create(path, settings->locale, why, sizeof(why)))) {
        snprintf(text, sizeof(text), "Invalid value %s for configuration path.format: %s", path, why);
        fault(user, "path.format", text);
    }
    joda_format_destroy(format);
    if (!settings->locale[0]) {
        fault(user, "locale", "Invalid value  for configuration locale: Locale cannot be empty.");
    }
    if (!settings->timezone[0]) {
        fault(user, "timezone",
              "Invalid value  for configuration timezone: Timezone cannot be empty.");
    }
}

/* The first one is told. */
struct first_fault {
    char *message;
    size_t size;
    bool any;
};

static void on_fault(void *user, const char *key, const char *text)
{
    (void)key;
    struct first_fault *first = user;
    if (!first->any) {
        snprintf(first->message, first->size, "%s", text);
        first->any = true;
    }
}

struct partitioner *time_partitioner_create(const struct settings *settings, char *message, size_t size)
{
    struct first_fault first = {.message = message, .size = size};
    time_partitioner_check(settings, on_fault, &first);
    if (first.any) {
        return NULL;
    }
    char path[PATH_PATTERN_SIZE];
    int64_t duration = layout(settings, path, sizeof(path));
    struct time_partitioner *self = calloc(1, sizeof(*self));
    if (!self) {
        snprintf(message, size, "Out of memory");
        return NULL;
    }
    self->base.vtable = &time_partitioner;
    self->duration = duration;
    buffer_init(&self->path, 4096);
    self->format = joda_format_create(path, settings->locale, message, size);
    if (!self->format || joda_zone_open(settings->timezone, &self->zone, message, size) != 0) {
        destroy_time(&self->base);
        return NULL;
    }
    return &self->base;
}
