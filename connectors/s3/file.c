/* Files being written, their names and their objects; see file.h. */
#include "connectors/s3/file.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/s3/schema_change.h"
#include "lib/aws/uri.h"

/* -- directories -- */

static bool has_dots(const char *path)
{
    for (const char *part = path;; part++) {
        size_t size = strcspn(part, "/");
        if ((size == 2 && part[0] == '.' && part[1] == '.') || (size == 1 && part[0] == '.')) {
            return true;
        }
        part += size;
        if (!*part) {
            return false;
        }
    }
}

/* What no store has room for: S3's keys end at 1024 bytes, names of files at 255. NULL: it fits. */
static const char *too_long(const struct sink *sink, const struct sluice_record *record,
                            const struct buffer *path)
{
    enum { PART_MAX = 255, KEY_MAX = 1024, BESIDE_MAX = 255 };
    const struct settings *settings = &sink->settings;
    if (settings->file_path) {
        for (const char *part = path->data; part && path->size > PART_MAX; part++) {
            size_t size = strcspn(part, "/");
            if (size > PART_MAX) {
                return "has a part of more than 255 bytes, which no file can be called";
            }
            part += size;
            if (!*part) {
                break;
            }
        }
        return NULL;
    }
    if (path->size < KEY_MAX - BESIDE_MAX) { /* nothing to count, unless a topic's name is very long */
        return NULL;
    }
    size_t extension = 0;
    for (int i = 0; i < STREAMS; i++) {
        size_t size = sink->formats[i].vtable && sink->extensions[i] ? strlen(sink->extensions[i]) : 0;
        extension = size > extension ? size : extension;
    }
    size_t delim = strlen(settings->directory_delim);
    size_t size = path->size + extension + 2 * delim + 2 * strlen(settings->file_delim) +
                  2 * strlen(sink->host->records->topic(record)) +
                  (settings->topics_dir[0] ? strlen(settings->topics_dir) + delim : 0) +
                  (size_t)snprintf(NULL, 0, "%" PRId32 "%0*" PRId64,
                                   sink->host->records->original_partition(record), settings->pad_width,
                                   sink->host->records->offset(record));
    return size > KEY_MAX ? "makes a key of more than 1024 bytes, which S3 does not take" : NULL;
}

int file_path(struct sink *sink, const struct sluice_record *record, bool tombstone, int64_t time,
              char path[FILE_PATH_MAX], struct fault *fault)
{
    const struct settings *settings = &sink->settings;
    struct buffer buffer;
    buffer_init(&buffer, FILE_PATH_MAX - 1);
    const struct sluice_schema *schema = sink->host->records->value_schema(record);
    const char *name = schema ? sink->host->data->schema_name(schema) : NULL;
    int result = 0;
    if (tombstone) {
        (void)buffer_append_text(&buffer, settings->tombstone_partition);
    } else {
        if (settings->affix == AFFIX_PREFIX) {
            (void)buffer_printf(&buffer, "schema_name=%s%s", name ? name : "null",
                                settings->directory_delim);
        }
        result = sink->partitioner->vtable->encode(sink->partitioner, record, time, &buffer, fault);
        if (settings->affix == AFFIX_SUFFIX) {
            (void)buffer_printf(&buffer, "%sschema_name=%s", settings->directory_delim,
                                name ? name : "null");
        }
    }
    if (buffer.failed || (buffer.data && strlen(buffer.data) != buffer.size)) {
        result = fault_set(fault, PARTITION_EXCEPTION, true,
                           "The directory of record %" PRId64 " of %s-%" PRId32
                           " is longer than %d bytes, or has a NUL in it",
                           sink->host->records->offset(record),
                           sink->host->records->topic(record),
                           sink->host->records->original_partition(record), FILE_PATH_MAX - 1);
    } else if (result == 0 && buffer.data && has_dots(buffer.data)) {
        result = fault_set(fault, PARTITION_EXCEPTION, true,
                           "The directory %s of record %" PRId64 " of %s-%" PRId32
                           " has a part `.` or `..`, which names another place on most stores",
                           buffer.data, sink->host->records->offset(record),
                           sink->host->records->topic(record),
                           sink->host->records->original_partition(record));
    }
    const char *why = result == 0 ? too_long(sink, record, &buffer) : NULL;
    if (why) {
        result = fault_set(fault, PARTITION_EXCEPTION, true,
                           "The directory of record %" PRId64 " of %s-%" PRId32 " %s: %.200s..",
                           sink->host->records->offset(record), sink->host->records->topic(record),
                           sink->host->records->original_partition(record), why, buffer.data);
    }
    if (result == 0) {
        memcpy(path, buffer.data ? buffer.data : "", buffer.size + 1);
    }
    buffer_finish(&buffer);
    return result;
}

uint64_t file_hash(const char *path)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (; *path; path++) {
        hash = (hash ^ (unsigned char)*path) * 0x100000001b3;
    }
    return hash;
}

/* -- names -- */

static char *object_key(struct sink *sink, const struct ticket *ticket, const char *path,
                        int64_t offset, int stream)
{
    const struct settings *settings = &sink->settings;
    struct buffer key;
    buffer_init(&key, 4096);
    if (settings->topics_dir[0]) {
        (void)buffer_printf(&key, "%s%s", settings->topics_dir, settings->directory_delim);
    }
    (void)buffer_printf(&key, "%s%s%s%s%s%s%" PRId32 "%s%0*" PRId64 "%s", ticket->topic,
                        settings->directory_delim, path, settings->directory_delim, ticket->topic,
                        settings->file_delim, ticket->partition, settings->file_delim,
                        settings->pad_width, offset, sink->extensions[stream]);
    return buffer_take(&key);
}

static void add_tag(struct buffer *tags, const char *name, size_t name_size, const char *value,
                    size_t value_size)
{
    if (tags->size > 0) {
        (void)buffer_append_char(tags, '&');
    }
    aws_uri_encode(tags, name, name_size, false);
    (void)buffer_append_char(tags, '=');
    aws_uri_encode(tags, value, value_size, false);
}

/* Whether one of the configured pairs from number i on has the name: the last one counts. */
static bool is_named_later(const struct settings *settings, size_t i, const char *name, size_t size)
{
    for (; i < settings->tag_pair_count; i++) {
        const char *pair = settings->tag_pairs[i];
        if (strncmp(pair, name, size) == 0 && (pair[size] == ':' || !pair[size])) {
            return true;
        }
    }
    return false;
}

/* "startOffset=0&endOffset=9&recordCount=10" and the configured pairs, percent-encoded. */
static char *object_tags(struct sink *sink, const struct file *file)
{
    const struct settings *settings = &sink->settings;
    const struct {
        const char *name;
        int64_t value;
    } own[] = {{"startOffset", file->first}, {"endOffset", file->last}, {"recordCount", file->count}};
    struct buffer tags;
    char number[24];
    buffer_init(&tags, 8192);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (!is_named_later(settings, 0, own[i].name, strlen(own[i].name))) {
            snprintf(number, sizeof(number), "%" PRId64, own[i].value);
            add_tag(&tags, own[i].name, strlen(own[i].name), number, strlen(number));
        }
    }
    for (size_t i = 0; i < settings->tag_pair_count; i++) {
        const char *pair = settings->tag_pairs[i];
        size_t name = strcspn(pair, ":");
        const char *value = pair[name] ? pair + name + 1 : "";
        if (!is_named_later(settings, i + 1, pair, name)) {
            add_tag(&tags, pair, name, value, strcspn(value, ":")); /* no further than the next colon */
        }
    }
    return buffer_take(&tags);
}

/* -- records -- */

static int record_fault(struct sink *sink, const struct sluice_record *record, const char *what,
                        struct fault *fault)
{
    const struct sluice_records *records = sink->host->records;
    return fault_set(fault, SLUICE_DATA_EXCEPTION, true,
                     "%s cannot be null for SinkRecord: SinkRecord{kafkaOffset=%" PRId64
                     ", topic='%s', kafkaPartition=%" PRId32 "} ",
                     what, records->offset(record), records->topic(record),
                     records->original_partition(record));
}

static int check_headers(struct sink *sink, const struct sluice_record *record, struct fault *fault)
{
    const struct sluice_records *records = sink->host->records;
    size_t count = records->header_count(record);
    if (count == 0) {
        return record_fault(sink, record, "Headers", fault);
    }
    for (size_t i = 0; i < count; i++) {
        const struct sluice_schema *schema = NULL;
        const struct sluice_value *value = NULL;
        records->header(record, i, &schema, &value);
        if (sink->host->data->type(value) == SLUICE_NULL) {
            return fault_set(fault, SLUICE_DATA_EXCEPTION, true,
                             "Invalid value: null used for required field: \"value\", schema type: "
                             "STRING");
        }
    }
    if (sink->settings.header_format == FORMAT_BYTES) {
        return fault_set(fault, SLUICE_DATA_EXCEPTION, true,
                         "Invalid schema type for ByteArrayConverter: ARRAY");
    }
    return 0;
}

static int check_with(const struct format *format, const struct sluice_schema *schema,
                      const struct sluice_value *value, struct fault *fault)
{
    return format->vtable->check ? format->vtable->check(format, schema, value, fault) : 0;
}

int file_check(struct sink *sink, const struct sluice_record *record, bool tombstone,
               struct fault *fault)
{
    const struct sluice_records *records = sink->host->records;
    if (!tombstone && sink->formats[STREAM_VALUE].vtable->check &&
        check_with(&sink->formats[STREAM_VALUE], records->value_schema(record),
                   records->value(record), fault) != 0) {
        return -1;
    }
    if (sink->formats[STREAM_KEY].vtable) {
        const struct sluice_value *key = records->key(record);
        if (sink->host->data->type(key) == SLUICE_NULL) {
            return record_fault(sink, record, "Key", fault);
        }
        if (check_with(&sink->formats[STREAM_KEY], records->key_schema(record), key, fault) != 0) {
            return -1;
        }
    }
    return sink->formats[STREAM_HEADERS].vtable ? check_headers(sink, record, fault) : 0;
}

/* A header's value as a STRING. */
static const struct sluice_value *header_text(struct sink *sink, struct sluice_batch *batch,
                                              const struct sluice_value *value)
{
    enum { TEXT_MAX = 256 << 20 };
    const struct sluice_data *data = sink->host->data;
    if (data->type(value) == SLUICE_STRING) {
        return value;
    }
    struct buffer out;
    buffer_init(&out, TEXT_MAX);
    values_text_write(&sink->header_text, data, batch, value, &out);
    const struct sluice_value *text = data->new_string(batch, out.data ? out.data : "", out.size);
    buffer_finish(&out);
    return text;
}

/* {"headers":[{"key":"a","value":"text"}]} */
static const struct sluice_value *headers_value(struct sink *sink, struct sluice_batch *batch,
                                                const struct sluice_record *record)
{
    const struct sluice_data *data = sink->host->data;
    const struct sluice_records *records = sink->host->records;
    size_t count = records->header_count(record);
    struct sluice_value *list = data->new_array(batch, count);
    for (size_t i = 0; i < count; i++) {
        const struct sluice_schema *schema = NULL;
        const struct sluice_value *value = NULL;
        const char *name = records->header(record, i, &schema, &value);
        struct sluice_value *entry = data->new_map(batch, 2);
        data->put(batch, entry, sink->key_name, data->new_string(batch, name, strlen(name)));
        data->put(batch, entry, sink->value_name, header_text(sink, batch, value));
        data->append(batch, list, entry);
    }
    struct sluice_value *map = data->new_map(batch, 1);
    data->put(batch, map, sink->headers_name, list);
    return map;
}

static int write_stream(struct sink *sink, struct file *file, int i, struct sluice_batch *batch,
                        const struct sluice_schema *schema, const struct sluice_value *value,
                        struct fault *fault)
{
    const struct format *format = &sink->formats[i];
    return format->vtable->write(format, file->states[i], &sink->output, &file->streams[i], batch,
                                 schema, value, fault);
}

int file_write(struct sink *sink, struct file *file, struct sluice_batch *batch,
               const struct sluice_record *record, struct fault *fault)
{
    const struct sluice_records *records = sink->host->records;
    if (file->streams[STREAM_VALUE].upload) {
        const struct sluice_schema *schema = records->value_schema(record);
        const struct sluice_value *value = records->value(record);
        if (schema && schema != file->schema &&
            schema_change_project(sink->host->data, sink->settings.compatibility, batch, file->schema, &schema,
                                  &value, fault) != 0) {
            return -1;
        }
        if (write_stream(sink, file, STREAM_VALUE, batch, schema, value, fault) != 0) {
            return -1;
        }
    }
    if (file->streams[STREAM_KEY].upload &&
        write_stream(sink, file, STREAM_KEY, batch, records->key_schema(record),
                     records->key(record), fault) != 0) {
        return -1;
    }
    if (file->streams[STREAM_HEADERS].upload) {
        return write_stream(sink, file, STREAM_HEADERS, batch, NULL,
                            headers_value(sink, batch, record), fault);
    }
    return 0;
}

/* -- from open to completed -- */

struct file *file_create(struct sink *sink, struct ticket *ticket, const char *path, uint64_t hash,
                         int64_t offset, bool tombstones, struct fault *fault)
{
    struct file *file = calloc(1, sizeof(*file));
    if (!file) {
        goto out_of_memory;
    }
    file->path = strdup(path);
    file->hash = hash;
    file->first = offset;
    file->tombstones = tombstones;
    ticket->first = offset < ticket->first ? offset : ticket->first;
    if (!file->path) {
        goto out_of_memory;
    }
    for (int i = 0; i < STREAMS; i++) {
        const struct format *format = &sink->formats[i];
        if (!format->vtable || (tombstones && i == STREAM_VALUE)) {
            continue;
        }
        char *key = object_key(sink, ticket, path, offset, i);
        if (key && has_dots(key)) {
            fault_set(fault, SLUICE_CONNECT_EXCEPTION, false,
                      "The key %.400s has a part `.` or `..`, which names another place on most "
                      "stores: change topics.dir or directory.delim", key);
            free(key);
            file_destroy(sink, file, ticket);
            return NULL;
        }
        if (key && i == STREAM_VALUE && sink->settings.original_faults &&
            strstr(key, sink->settings.tombstone_partition)) {
            fault_set(fault, SLUICE_CONNECT_EXCEPTION, false,
                      "Value writer not configured for SinkRecord: SinkRecord{kafkaOffset=%" PRId64
                      ", topic='%s', kafkaPartition=%" PRId32 "} . fileName: %.400s, "
                      "tombstonePartition: %s", offset, ticket->topic, ticket->partition, key,
                      sink->settings.tombstone_partition);
            free(key);
            file_destroy(sink, file, ticket);
            return NULL;
        }
        if (stream_open(&sink->output, &file->streams[i], key, ticket) != 0) {
            goto out_of_memory;
        }
        ticket->references++;
        ticket->pending++;
        if (format->vtable->open) {
            file->states[i] = format->vtable->open(format, &sink->output, &file->streams[i]);
            if (!file->states[i]) {
                goto out_of_memory;
            }
        }
    }
    return file;
out_of_memory:
    fault_set(fault, SLUICE_CONNECT_EXCEPTION, false, "Out of memory");
    file_destroy(sink, file, ticket);
    return NULL;
}

int file_finish(struct sink *sink, struct file *file, struct fault *fault)
{
    for (int i = 0; i < STREAMS; i++) {
        struct stream *stream = &file->streams[i];
        const struct format *format = &sink->formats[i];
        if (!stream->upload) {
            continue;
        }
        if (format->vtable->close) {
            void *state = file->states[i];
            file->states[i] = NULL;
            if (format->vtable->close(format, state, &sink->output, stream, fault) != 0) {
                return -1;
            }
        }
        /* Objects of keys and headers have none. */
        char *tags = sink->settings.tagging && i == STREAM_VALUE ? object_tags(sink, file) : NULL;
        if (stream_finish(&sink->output, stream, tags, sink->settings.conditional) != 0) {
            return fault_set(fault, SLUICE_CONNECT_EXCEPTION, false,
                             "%s cannot be completed: out of memory, or its data cannot be "
                             "compressed or read back", stream->upload->key);
        }
        sink->outstanding++;
    }
    return 0;
}

void file_destroy(struct sink *sink, struct file *file, struct ticket *ticket)
{
    if (!file) {
        return;
    }
    for (int i = 0; i < STREAMS; i++) {
        const struct format *format = &sink->formats[i];
        if (file->states[i] && format->vtable->abandon) {
            format->vtable->abandon(format, file->states[i]);
        }
        if (file->streams[i].upload) {
            if (stream_drop(&sink->output, &file->streams[i])) {
                sink->outstanding++;
            } else {
                ticket->pending--;
                ticket_release(ticket);
            }
        }
    }
    if (file->schema) {
        sink->host->data->schema_release(file->schema);
    }
    free(file->path);
    free(file);
}
