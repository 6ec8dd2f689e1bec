/*
 * org.apache.kafka.connect.storage.StringConverter: bytes as text of some charset; any data as its
 * Java toString(). Owned by its task; [task thread].
 */
#include <stdlib.h>

#include "plugins/converters/charset.h"

struct string_converter {
    struct converter base;
    struct charset *charset; /* NULL: UTF-8 */
};

static void *create(const struct sluice_host *host)
{
    return converter_create(host, sizeof(struct string_converter));
}

static void destroy(void *opaque)
{
    struct string_converter *self = opaque;
    if (self) {
        charset_destroy(self->charset);
        free(self);
    }
}

static enum sluice_result configure(void *opaque, const char *class_name,
                                    const struct sluice_config *config,
                                    enum sluice_converter_role role)
{
    (void)class_name;
    (void)role;
    struct string_converter *self = opaque;
    const struct sluice_host *host = self->base.host;
    const char *name = host->config->get_string(config, "converter.encoding");
    if (!name) {
        name = "UTF-8";
    }
    bool utf8, illegal;
    charset_destroy(self->charset);
    self->charset = charset_create(name, &utf8, &illegal);
    if (self->charset || utf8) {
        return SLUICE_OK;
    }
    enum sluice_result result = host->error(host, SLUICE_FATAL, SERIALIZATION_EXCEPTION,
                                            "Unsupported encoding %s", name);
    host->error_cause(host,
                      illegal ? "java.nio.charset.IllegalCharsetNameException"
                              : "java.nio.charset.UnsupportedCharsetException",
                      "%s", name);
    return result;
}

static enum sluice_result to_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span bytes,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value)
{
    (void)topic;
    (void)header;
    struct string_converter *self = opaque;
    const struct sluice_data *data = self->base.data;
    *ret_schema = data->schema_plain(SLUICE_STRING, true);
    *ret_value = NULL;
    if (bytes.data) {
        struct sluice_span text = self->charset
                                      ? charset_decode(self->charset, &self->base, batch, bytes)
                                      : utf8_repaired(&self->base, batch, bytes);
        *ret_value = data->new_string_view(batch, text.data, text.size);
    }
    return SLUICE_OK;
}

static enum sluice_result from_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value, struct sluice_span *ret_bytes)
{
    (void)topic;
    (void)header;
    (void)schema;
    struct string_converter *self = opaque;
    const struct sluice_data *data = self->base.data;
    *ret_bytes = (struct sluice_span){NULL, 0};
    enum sluice_type type = data->type(value);
    if (type == SLUICE_NULL) {
        return SLUICE_OK;
    }
    struct sluice_span text = type == SLUICE_STRING ? data->text(value) : data->to_text(batch, value);
    *ret_bytes = self->charset ? charset_encode(self->charset, &self->base, batch, text)
                               : utf8_written(&self->base, batch, text);
    if (!ret_bytes->data) {
        ret_bytes->data = ""; /* empty is not null */
    }
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    CONVERTER_TYPE_OPTION,
    {.size = sizeof(struct sluice_option),
     .name = "converter.encoding",
     .type = SLUICE_OPTION_STRING,
     .default_value = "UTF-8",
     .importance = SLUICE_HIGH,
     .doc = "The name of the Java character set to use for encoding strings as byte arrays.",
     .order = -1,
     .width = SLUICE_WIDTH_MEDIUM,
     .display_name = "Encoding"},
    {.name = NULL},
};

static const struct sluice_converter vtable = {
    .size = sizeof(struct sluice_converter),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .to_connect = to_connect,
    .from_connect = from_connect,
};

const struct sluice_descriptor string_converter = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONVERTER,
    .class_name = "org.apache.kafka.connect.storage.StringConverter",
    .version = KAFKA_VERSION,
    .doc = "Text in a character set.",
    .options = options,
    .vtable = &vtable,
};
