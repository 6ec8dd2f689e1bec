/* Formats by lines: bytes and text. Each record is followed by the separator, the last one too. */
#include "connectors/s3/format.h"

#include <string.h>

#include "lib/java/class_names.h"

static int append(const struct format *format, struct output *output, struct stream *stream,
                  struct sluice_span span, struct fault *fault)
{
    if (stream_append(output, stream, span.data, span.size) != 0 ||
        stream_append(output, stream, format->separator, format->separator_size) != 0) {
        return fault_set(fault, SLUICE_CONNECT_EXCEPTION, false,
                         "Out of memory while writing %s", stream->upload->key);
    }
    return 0;
}

static int check_bytes(const struct format *format, const struct sluice_schema *schema,
                       const struct sluice_value *value, struct fault *fault)
{
    enum sluice_type type = format->host->data->type(value);
    if (type == SLUICE_BYTES || type == SLUICE_NULL) {
        return 0;
    }
    if (schema && format->host->data->schema_type(schema) != SLUICE_BYTES) { /* a Decimal's is BYTES */
        return fault_set(fault, SLUICE_DATA_EXCEPTION, true, "Invalid schema type for ByteArrayConverter: %s",
                         type_name(format->host->data->schema_type(schema)));
    }
    return fault_set(fault, SLUICE_DATA_EXCEPTION, true,
                     "ByteArrayConverter is not compatible with objects of type class %s",
                     java_class(format->host->data, value));
}

static int write_bytes(const struct format *format, void *state, struct output *output,
                       struct stream *stream, struct sluice_batch *batch,
                       const struct sluice_schema *schema, const struct sluice_value *value,
                       struct fault *fault)
{
    (void)state;
    (void)schema;
    (void)batch;
    struct sluice_span span = format->host->data->text(value);
    return append(format, output, stream, span.data ? span : (struct sluice_span){"", 0}, fault);
}

const struct format_vtable bytes_format = {.check = check_bytes, .write = write_bytes};

static int write_string(const struct format *format, void *state, struct output *output,
                        struct stream *stream, struct sluice_batch *batch,
                        const struct sluice_schema *schema, const struct sluice_value *value,
                        struct fault *fault)
{
    (void)state;
    (void)schema;
    const struct sluice_data *data = format->host->data;
    enum sluice_type type = data->type(value);
    struct sluice_span span = type == SLUICE_STRING || type == SLUICE_BYTES ? data->text(value)
                              : type == SLUICE_MAP || type == SLUICE_ARRAY || type == SLUICE_STRUCT
                                  ? data->to_json(batch, value)
                                  : data->to_text(batch, value);
    return append(format, output, stream, span.data ? span : (struct sluice_span){"", 0}, fault);
}

const struct format_vtable string_format = {.write = write_string};

void format_init(struct format *format, enum format_kind kind, const struct sluice_host *host,
                 const struct settings *settings)
{
    *format = (struct format){
        .host = host, .settings = settings, .separator = "\n", .separator_size = 1};
    switch (kind) {
    case FORMAT_JSON:
        format->vtable = &json_format;
        format->extension = ".json";
        break;
    case FORMAT_BYTES:
        format->vtable = &bytes_format;
        format->extension = settings->bytes_extension;
        format->separator = settings->bytes_separator;
        format->separator_size = strlen(settings->bytes_separator);
        break;
    case FORMAT_STRING:
        format->vtable = &string_format;
        format->extension = ".txt";
        break;
    default:
        break;
    }
}
