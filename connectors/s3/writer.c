/* Writer of one topic partition; see writer.h. */
#include "connectors/s3/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/s3/file.h"
#include "connectors/s3/rotation.h"
#include "connectors/s3/schema_change.h"
#include "connectors/s3/sink.h"

/* -- tickets -- */

void ticket_release(struct ticket *ticket)
{
    if (ticket && --ticket->references == 0) {
        free(ticket);
    }
}

static struct ticket *current_ticket(struct writer *writer)
{
    if (!writer->current) {
        struct ticket *ticket = calloc(1, sizeof(*ticket));
        if (!ticket) {
            return NULL;
        }
        ticket->topic = writer->topic;
        ticket->partition = writer->partition;
        ticket->references = 1;
        ticket->first = INT64_MAX;
        writer->current = ticket;
    }
    return writer->current;
}

void writer_settle(struct writer *writer)
{
    /* invariant 1: an offset counts behind a finished object, and only where all before it are */
    while (writer->oldest && writer->oldest->pending == 0 && !writer->oldest->broken) {
        struct ticket *ticket = writer->oldest;
        writer->durable = ticket->offset;
        writer->oldest = ticket->next;
        if (!writer->oldest) {
            writer->newest = NULL;
        }
        ticket_release(ticket);
    }
}

/* -- schemas of directories without a file -- */

static void forget_schemas(struct sink *sink, struct writer *writer)
{
    while (writer->seen) {
        struct seen_schema *next = writer->seen->next;
        if (writer->seen->schema) {
            sink->host->data->schema_release(writer->seen->schema);
        }
        free(writer->seen);
        writer->seen = next;
    }
    writer->seen_count = 0;
}

static const struct seen_schema *find_seen(const struct writer *writer, const char *path)
{
    const struct seen_schema *seen = writer->seen;
    while (seen && strcmp(seen->path, path) != 0) {
        seen = seen->next;
    }
    return seen;
}

/* Of a record that could not be written, where no file has its directory: later ones are held against it. */
static int keep_schema(struct sink *sink, struct writer *writer, const char *path,
                       const struct sluice_schema *schema)
{
    enum { SEEN_MAX = 1000 };
    size_t size = strlen(path) + 1;
    bool known = writer->seen_count >= SEEN_MAX || find_seen(writer, path);
    struct seen_schema *seen = known ? NULL : malloc(sizeof(*seen) + size);
    if (seen) {
        memcpy(seen->path, path, size);
        writer->seen_count++;
        seen->schema = schema ? sink->host->data->schema_retain(schema) : NULL;
        seen->next = writer->seen;
        writer->seen = seen;
    }
    return -1;
}

/* -- rotation -- */

/* Completes all open files: the store gets their last pieces. */
static int rotate(struct sink *sink, struct writer *writer, struct fault *fault)
{
    struct ticket *ticket = writer->current;
    for (size_t i = 0; i < writer->file_count; i++) {
        if (file_finish(sink, writer->files[i], fault) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < writer->file_count; i++) {
        file_destroy(sink, writer->files[i], NULL);
    }
    writer->file_count = 0;
    writer->last_file = NULL;
    writer->counter = 0;
    writer->has_base = false;
    forget_schemas(sink, writer);
    if (ticket) {
        ticket->offset = writer->last_offset + 1;
        if (writer->newest) {
            writer->newest->next = ticket;
        } else {
            writer->oldest = ticket;
        }
        writer->newest = ticket;
        writer->current = NULL;
    }
    return 0;
}

/* To the nulls' directory and back is no change. */
static bool path_changed(const struct settings *settings, const struct writer *writer, const char *path)
{
    const char *last = writer->last_path, *nulls = settings->tombstone_partition;
    if (!last || strcmp(last, path) == 0) {
        return false;
    }
    return settings->nulls != NULL_WRITE || (!strstr(last, nulls) && !strstr(path, nulls));
}

/* Test 2: time, by the records' own and by the clock. path NULL: no record is looked at. */
static bool time_is_up(struct sink *sink, struct writer *writer, int64_t time, const char *path,
                       int64_t now)
{
    const struct settings *settings = &sink->settings;
    if (writer->counter > 0 && settings->rotate_interval > 0 &&
        sink->partitioner->vtable->time_based && writer->has_base) {
        if (time - writer->base_time >= settings->rotate_interval ||
            (path && settings->rotate_on_partition_change && path_changed(settings, writer, path))) {
            return true;
        }
    }
    if (settings->rotate_schedule > 0 && now >= writer->scheduled) {
        writer->scheduled = rotation_next(sink->zone, settings->rotate_schedule, now);
        return writer->counter > 0;
    }
    return false;
}

static struct file *find_file(struct writer *writer, const char *path, uint64_t hash)
{
    struct file *last = writer->last_file;
    if (last && last->hash == hash && strcmp(last->path, path) == 0) {
        return last;
    }
    for (size_t i = 0; i < writer->file_count; i++) {
        if (writer->files[i]->hash == hash && strcmp(writer->files[i]->path, path) == 0) {
            return writer->files[i];
        }
    }
    return NULL;
}

static struct file *open_file(struct sink *sink, struct writer *writer, const char *path,
                              uint64_t hash, int64_t offset, bool tombstones, struct fault *fault)
{
    if (writer->file_count == writer->file_capacity) {
        size_t capacity = writer->file_capacity ? writer->file_capacity * 2 : 4;
        struct file **grown = realloc(writer->files, capacity * sizeof(*grown));
        if (!grown) {
            fault_set(fault, SLUICE_CONNECT_EXCEPTION, false, "Out of memory");
            return NULL;
        }
        writer->files = grown;
        writer->file_capacity = capacity;
    }
    struct ticket *ticket = current_ticket(writer);
    struct file *file = ticket ? file_create(sink, ticket, path, hash, offset, tombstones, fault) : NULL;
    if (file) {
        writer->files[writer->file_count++] = file;
    }
    return file;
}

/* -- records -- */

static int write_record(struct sink *sink, struct writer *writer, struct file *file,
                        struct sluice_batch *batch, const struct sluice_record *record, int64_t now,
                        struct fault *fault)
{
    int64_t offset = sink->host->records->offset(record);
    if (file_write(sink, file, batch, record, fault) != 0) {
        return -1;
    }
    file->last = offset;
    file->count++;
    writer->last_file = file;
    writer->last_offset = offset;
    writer->written_at = now;
    writer->counter++;
    bool large = sink->settings.rotate_bytes > 0 &&
                 file->streams[STREAM_VALUE].bytes >= (uint64_t)sink->settings.rotate_bytes;
    return writer->counter >= sink->settings.flush_size || large ? rotate(sink, writer, fault) : 0;
}

/* One directory per topic partition, nothing by time, no schema: what most records go through. */
static struct file *quick_file(struct sink *sink, struct writer *writer,
                               const struct sluice_record *record)
{
    struct file *file = writer->last_file;
    return sink->simple_path && !sink->needs_time && file && !file->tombstones && !file->schema &&
                   sink->settings.rotate_schedule <= 0 && !sink->host->records->value_schema(record)
               ? file
               : NULL;
}

/* A file whose first record could not be written: the next one is the first, and names it. */
static void drop_empty(struct sink *sink, struct writer *writer, struct file *file)
{
    size_t at = 0;
    while (writer->files[at] != file) {
        at++;
    }
    writer->file_count--;
    memmove(&writer->files[at], &writer->files[at + 1], (writer->file_count - at) * sizeof(writer->files[0]));
    writer->last_file = writer->last_file == file ? NULL : writer->last_file;
    file_destroy(sink, file, writer->current);
    if (writer->file_count == 0) {
        ticket_release(writer->current);
        writer->current = NULL;
    }
}

static int put_slowly(struct sink *sink, struct writer *writer, struct sluice_batch *batch,
                      const struct sluice_record *record, int64_t now, struct fault *fault)
{
    const struct sluice_records *records = sink->host->records;
    const struct sluice_schema *schema = records->value_schema(record);
    const struct settings *settings = &sink->settings;
    bool tombstone = sink->host->data->type(records->value(record)) == SLUICE_NULL;
    int64_t time = now;
    char path[FILE_PATH_MAX];
    if (sink->needs_time && extractor_time(&sink->extractor, record, now, &time, fault) != 0) {
        return -1;
    }
    if (file_path(sink, record, tombstone, time, path, fault) != 0) {
        return -1;
    }
    uint64_t hash = file_hash(path);
    for (;;) {
        if (!writer->has_base) {
            writer->base_time = time;
            writer->has_base = true;
        }
        writer->last_time = time;
        struct file *file = find_file(writer, path, hash);
        const struct seen_schema *seen = file || !writer->seen ? NULL : find_seen(writer, path);
        const struct sluice_schema *current = file ? file->schema : seen ? seen->schema : NULL;
        /* Test 1: the directory's records have a schema and this one has none, or the other way round. */
        int changed = ((file || seen) && !current != !schema) || time_is_up(sink, writer, time, path, now);
        if (!changed && current && schema) {
            changed = schema_change_check(sink->host->data, settings->compatibility, current, schema, fault);
            if (changed < 0) {
                return -1;
            }
            changed = changed && writer->counter > 0;
        }
        if (changed || (!file && settings->max_open_files > 0 &&
                        writer->file_count >= (size_t)settings->max_open_files)) {
            if (rotate(sink, writer, fault) != 0) {
                return -1;
            }
            continue;
        }
        const struct sluice_schema *of_file = current ? current : schema;
        /* Also one that cannot be written has rotated. */
        if (file_check(sink, record, tombstone, fault) != 0) {
            return file ? -1 : keep_schema(sink, writer, path, of_file);
        }
        if (!file) {
            file = open_file(sink, writer, path, hash, records->offset(record), tombstone, fault);
            if (!file) {
                return -1;
            }
            file->schema = of_file ? sink->host->data->schema_retain(of_file) : NULL;
        }
        if (write_record(sink, writer, file, batch, record, now, fault) != 0) {
            if (file->count == 0) {
                (void)keep_schema(sink, writer, path, of_file);
                drop_empty(sink, writer, file);
            }
            return -1;
        }
        if (sink->needs_time && (!writer->last_path || strcmp(writer->last_path, path) != 0)) {
            free(writer->last_path);
            writer->last_path = strdup(path);
        }
        return 0;
    }
}

int writer_put(struct sink *sink, struct writer *writer, struct sluice_batch *batch,
               const struct sluice_record *record, int64_t now, struct fault *fault)
{
    int64_t offset = sink->host->records->offset(record);
    if (offset < writer->next || writer->ignores) {
        return 0; /* taken before a put() that had to be repeated */
    }
    struct file *file = quick_file(sink, writer, record);
    int result = file && sink->host->data->type(sink->host->records->value(record)) != SLUICE_NULL &&
                         file_check(sink, record, false, fault) == 0
                     ? write_record(sink, writer, file, batch, record, now, fault)
                     : put_slowly(sink, writer, batch, record, now, fault);
    if (result == 0) {
        writer->next = offset + 1;
    }
    return result;
}

int writer_tick(struct sink *sink, struct writer *writer, int64_t now, int64_t *ret_wait,
                struct fault *fault)
{
    const struct settings *settings = &sink->settings;
    *ret_wait = -1;
    bool idle = writer->counter > 0 && settings->rotate_idle > 0 &&
                now - writer->written_at >= settings->rotate_idle;
    if (time_is_up(sink, writer, writer->last_time, NULL, now) || idle) {
        if (rotate(sink, writer, fault) != 0) {
            return -1;
        }
    }
    if (writer->counter > 0 && settings->rotate_schedule > 0) {
        *ret_wait = writer->scheduled - now;
    }
    if (writer->counter > 0 && settings->rotate_idle > 0) {
        int64_t wait = writer->written_at + settings->rotate_idle - now;
        *ret_wait = *ret_wait < 0 || wait < *ret_wait ? wait : *ret_wait;
    }
    return 0;
}

/* -- from open to close -- */

struct writer *writer_create(struct sink *sink, const char *topic, int32_t partition)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        return NULL;
    }
    writer->topic = topic;
    writer->partition = partition;
    writer->next = writer->skipped = INT64_MIN;
    writer->durable = -1;
    if (sink->settings.rotate_schedule > 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        writer->scheduled = rotation_next(sink->zone, sink->settings.rotate_schedule,
                                          (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    }
    return writer;
}

void writer_destroy(struct sink *sink, struct writer *writer)
{
    if (!writer) {
        return;
    }
    /* Nothing is completed for a partition that leaves: it is read again by whoever gets it. */
    if (writer->current) {
        atomic_store(&writer->current->cancelled, true);
    }
    for (size_t i = 0; i < writer->file_count; i++) {
        file_destroy(sink, writer->files[i], writer->current);
    }
    ticket_release(writer->current);
    while (writer->oldest) {
        struct ticket *next = writer->oldest->next;
        atomic_store(&writer->oldest->cancelled, true);
        ticket_release(writer->oldest);
        writer->oldest = next;
    }
    forget_schemas(sink, writer);
    free(writer->files);
    free(writer->last_path);
    free(writer);
}
