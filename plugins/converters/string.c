/* StringConverter: any value as Java's toString(), bytes as text (kafka-connect.md §4.1). */
#include <string.h>
#include <strings.h>

#include "plugins/converters/converter.h"

enum encoding { ENCODING_UTF8, ENCODING_LATIN1, ENCODING_ASCII };

struct string_converter {
    struct converter common;
    enum encoding encoding;
    const char *unknown; /* name of an encoding that is not known: fails when used, as Java does */
};

static void *create(const struct sluice_host *host)
{
    return converter_create(host, sizeof(struct string_converter));
}

static enum sluice_result configure(void *object, const char *class_name,
                                    const struct sluice_config *config,
                                    enum sluice_converter_role role)
{
    (void)class_name;
    struct string_converter *self = object;
    const struct sluice_config_api *api = self->common.host->config;
    static const char *const keys[] = {"key.converter.encoding", "value.converter.encoding"};
    const char *name = role == SLUICE_CONVERT_HEADER ? NULL : api->original(config, keys[role]);
    name = name ? name : api->get_string(config, "converter.encoding");
    if (!name || strcasecmp(name, "UTF-8") == 0 || strcasecmp(name, "UTF8") == 0) {
        self->encoding = ENCODING_UTF8;
    } else if (strcasecmp(name, "ISO-8859-1") == 0 || strcasecmp(name, "ISO8859_1") == 0 ||
               strcasecmp(name, "latin1") == 0) {
        self->encoding = ENCODING_LATIN1;
    } else if (strcasecmp(name, "US-ASCII") == 0 || strcasecmp(name, "ASCII") == 0) {
        self->encoding = ENCODING_ASCII;
    } else {
        self->unknown = name;
    }
    return SLUICE_OK;
}

/* Malformed input becomes U+FFFD, as new String(bytes, UTF_8) does it: one for each maximal part. */
static size_t utf8_length(const unsigned char *p, const unsigned char *end)
{
    unsigned c = *p;
    if (c < 0x80) {
        return 1;
    }
    size_t length = c >= 0xF0 && c <= 0xF4 ? 4 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xC2 && c < 0xE0 ? 2 : 0;
    if (length == 0) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        unsigned low = 0x80, high = 0xBF;
        if (i == 1) {
            low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
            high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
        }
        if (p + i >= end || p[i] < low || p[i] > high) {
            return 0;
        }
    }
    return length;
}

/* How many bytes one replacement character stands for. */
static size_t malformed_length(const unsigned char *p, const unsigned char *end)
{
    unsigned c = *p;
    size_t length = c >= 0xF0 && c <= 0xF4 ? 4 : c >= 0xE0 && c < 0xF0 ? 3 : 1;
    size_t i = 1;
    while (i < length && p + i < end) {
        unsigned low = 0x80, high = 0xBF;
        if (i == 1) {
            low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
            high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
        }
        if (p[i] < low || p[i] > high) {
            break;
        }
        i++;
    }
    return i;
}

static const struct sluice_value *decode_utf8(const struct sluice_host *host, struct sluice_batch *batch,
                                              struct sluice_span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.data, *end = p + bytes.size, *q = p;
    while (q < end) {
        size_t length = utf8_length(q, end);
        if (length == 0) {
            break;
        }
        q += length;
    }
    if (q == end) {
        return host->data->new_string_view(batch, bytes.data, bytes.size);
    }
    char *out = host->records->alloc(batch, bytes.size * 3);
    size_t used = 0;
    while (p < end) {
        size_t length = utf8_length(p, end);
        if (length > 0) {
            memcpy(out + used, p, length);
            used += length;
            p += length;
        } else {
            memcpy(out + used, "\xEF\xBF\xBD", 3);
            used += 3;
            p += malformed_length(p, end);
        }
    }
    return host->data->new_string_view(batch, out, used);
}

static const struct sluice_value *decode_single(const struct string_converter *self,
                                                struct sluice_batch *batch, struct sluice_span bytes)
{
    char *out = self->common.host->records->alloc(batch, bytes.size * 3 + 1);
    size_t used = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c < 0x80) {
            out[used++] = (char)c;
        } else if (self->encoding == ENCODING_LATIN1) {
            out[used++] = (char)(0xC0 | c >> 6);
            out[used++] = (char)(0x80 | (c & 0x3F));
        } else {
            memcpy(out + used, "\xEF\xBF\xBD", 3);
            used += 3;
        }
    }
    return self->common.host->data->new_string_view(batch, out, used);
}

static enum sluice_result to_connect(void *object, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span bytes,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value)
{
    (void)topic;
    (void)header;
    const struct string_converter *self = object;
    const struct sluice_host *host = self->common.host;
    if (self->unknown) {
        (void)host->error(host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION,
                          "Failed to deserialize string: ");
        host->error_cause(host, "org.apache.kafka.common.errors.SerializationException",
                          "Error when deserializing byte[] to string due to unsupported encoding %s",
                          self->unknown);
        return SLUICE_BAD_RECORD;
    }
    *ret_schema = host->data->schema_plain(SLUICE_STRING, true);
    *ret_value = !bytes.data                         ? NULL
                 : self->encoding == ENCODING_UTF8 ? decode_utf8(host, batch, bytes)
                                                   : decode_single(self, batch, bytes);
    return SLUICE_OK;
}

static enum sluice_result from_connect(void *object, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value, struct sluice_span *ret_bytes)
{
    (void)topic;
    (void)header;
    (void)schema;
    const struct string_converter *self = object;
    const struct sluice_host *host = self->common.host;
    if (host->data->type(value) == SLUICE_NULL) {
        *ret_bytes = (struct sluice_span){NULL, 0};
        return SLUICE_OK;
    }
    if (self->unknown) {
        (void)host->error(host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION,
                          "Failed to serialize to a string: ");
        host->error_cause(host, "org.apache.kafka.common.errors.SerializationException",
                          "Error when serializing string to byte[] due to unsupported encoding %s",
                          self->unknown);
        return SLUICE_BAD_RECORD;
    }
    struct sluice_span text = host->data->to_text(batch, value);
    if (self->encoding != ENCODING_UTF8) { /* what the charset lacks becomes a question mark */
        char *out = host->records->alloc(batch, text.size + 1);
        size_t used = 0;
        for (size_t i = 0; i < text.size; i++) {
            unsigned char c = (unsigned char)text.data[i];
            if (c < 0x80) {
                out[used++] = (char)c;
            } else if (c >= 0xC0) {
                bool fits = self->encoding == ENCODING_LATIN1 && (c == 0xC2 || c == 0xC3);
                out[used++] = fits ? (char)((c & 3) << 6 | (text.data[i + 1] & 0x3F)) : '?';
            }
        }
        text = (struct sluice_span){out, used};
    }
    *ret_bytes = text;
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    CONVERTER_TYPE_OPTION,
    {.size = sizeof(struct sluice_option),
     .name = "converter.encoding",
     .type = SLUICE_OPTION_STRING,
     .default_value = "UTF-8",
     .importance = SLUICE_HIGH,
     .doc = "The name of the Java character set to use for encoding strings as byte arrays."},
    {.name = NULL},
};

static const struct sluice_converter vtable = {
    .size = sizeof(struct sluice_converter),
    .create = create,
    .destroy = converter_destroy,
    .configure = configure,
    .to_connect = to_connect,
    .from_connect = from_connect,
};

const struct sluice_descriptor string_converter = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONVERTER,
    .class_name = "org.apache.kafka.connect.storage.StringConverter",
    .version = "3.9.1",
    .doc = "Text: any value as its Java toString()",
    .options = options,
    .vtable = &vtable,
};
