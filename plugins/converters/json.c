/*
 * org.apache.kafka.connect.json.JsonConverter. Without schemas a record that nobody looked into costs
 * one scan on its way in and nothing on its way out; with them, schemas are cached by text and by
 * identity. Owned by its task; [task thread].
 */
#include "plugins/converters/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** Text of one record at most: what a Kafka record can hold. */
#define RECORD_MAX ((size_t)INT32_MAX)

#define NO_ENVELOPE                                                                             \
    "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not " \
    "contain additional fields. If you are trying to deserialize plain JSON data, set "         \
    "schemas.enable=false in your converter configuration."

static const struct sluice_name *intern(const struct sluice_data *data, const char *text)
{
    return data->intern(text, strlen(text));
}

static void *create(const struct sluice_host *host)
{
    struct json_converter *self = converter_create(host, sizeof(*self));
    if (!self) {
        return NULL;
    }
    const struct sluice_data *data = host->data;
    buffer_init(&self->out, RECORD_MAX);
    self->schema = intern(data, "schema");
    self->payload = intern(data, "payload");
    self->type = intern(data, "type");
    self->optional = intern(data, "optional");
    self->name = intern(data, "name");
    self->version = intern(data, "version");
    self->doc = intern(data, "doc");
    self->parameters = intern(data, "parameters");
    self->default_value = intern(data, "default");
    self->items = intern(data, "items");
    self->keys = intern(data, "keys");
    self->values = intern(data, "values");
    self->fields = intern(data, "fields");
    self->field = intern(data, "field");
    return self;
}

static void destroy(void *opaque)
{
    struct json_converter *self = opaque;
    if (self) {
        schema_cache_finish(&self->read, self->base.data);
        schema_cache_finish(&self->written, self->base.data);
        buffer_finish(&self->out);
        free(self);
    }
}

static enum sluice_result configure(void *opaque, const char *class_name,
                                    const struct sluice_config *config,
                                    enum sluice_converter_role role)
{
    (void)class_name;
    (void)role;
    struct json_converter *self = opaque;
    const struct sluice_config_api *api = self->base.host->config;
    self->envelope = api->get_boolean(config, "schemas.enable");
    self->keep_null = !api->get_boolean(config, "replace.null.with.default");
    const char *format = api->get_string(config, "decimal.format");
    self->numeric = format && strcasecmp(format, "NUMERIC") == 0;
    int64_t most = api->get_long(config, "schemas.cache.size");
    /* one at least: the schema handed out last has to stay alive until the host has taken it */
    self->read.most = self->written.most = most < 1 ? 1 : (size_t)most;
    return SLUICE_OK;
}

static enum sluice_result plain_to_connect(struct json_converter *self, struct sluice_batch *batch,
                                           struct sluice_span text,
                                           const struct sluice_value **ret_value)
{
    struct sluice_value *value = NULL;
    enum sluice_result result = json_parse(self, batch, text, SLUICE_JSON_CONNECT, &value);
    *ret_value = value;
    return result;
}

static enum sluice_result to_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span bytes,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value)
{
    (void)topic;
    (void)header;
    struct json_converter *self = opaque;
    const struct sluice_data *data = self->base.data;
    *ret_schema = NULL;
    *ret_value = NULL;
    if (!bytes.data) {
        return SLUICE_OK;
    }
    if (!self->envelope) {
        return plain_to_connect(self, batch, bytes, ret_value);
    }
    struct sluice_value *envelope = NULL;
    enum sluice_result result = json_parse(
        self, batch, bytes, SLUICE_JSON_CONNECT | SLUICE_JSON_EXACT_NUMBERS, &envelope);
    if (result != SLUICE_OK) {
        return result;
    }
    const struct sluice_value *schema = data->find(envelope, self->schema);
    const struct sluice_value *payload = data->find(envelope, self->payload);
    if (data->type(envelope) != SLUICE_MAP || data->count(envelope) != 2 || !schema || !payload) {
        return BAD_RECORD(&self->base, NO_ENVELOPE);
    }
    result = json_read_schema(self, batch, schema, ret_schema);
    if (result != SLUICE_OK) {
        return result;
    }
    if (!*ret_schema) {
        return plain_to_connect(self, batch, data->to_json(batch, payload), ret_value);
    }
    return json_read(self, batch, *ret_schema, payload, ret_value);
}

/** Schemaless data whose parts all have a type of Connect's: written without a look at each part. */
static bool is_plain(const struct sluice_data *data, const struct sluice_value *value)
{
    return !data->first_logical(value);
}

static enum sluice_result from_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value, struct sluice_span *ret_bytes)
{
    (void)topic;
    (void)header;
    struct json_converter *self = opaque;
    const struct sluice_data *data = self->base.data;
    *ret_bytes = (struct sluice_span){NULL, 0};
    if (!schema && is_null(&self->base, value)) {
        return SLUICE_OK;
    }
    if (!schema && !self->envelope && is_plain(data, value)) {
        *ret_bytes = data->to_json(batch, value);
        return SLUICE_OK;
    }
    buffer_reset(&self->out);
    enum sluice_result result = SLUICE_OK;
    if (self->envelope) {
        (void)buffer_append_text(&self->out, "{\"schema\":");
        result = json_write_schema(self, batch, schema);
        (void)buffer_append_text(&self->out, ",\"payload\":");
    }
    if (result == SLUICE_OK) {
        result = json_write(self, batch, schema, value);
    }
    if (result == SLUICE_OK && self->envelope) {
        (void)buffer_append_text(&self->out, "}");
        result = json_check_room(self);
    }
    if (result == SLUICE_OK) {
        *ret_bytes = converter_copy(&self->base, batch, self->out.data, self->out.size);
    }
    return result;
}

static const char *const decimal_formats[] = {"NUMERIC", "BASE64", NULL};

#define SIZE .size = sizeof(struct sluice_option)

static const struct sluice_option options[] = {
    CONVERTER_TYPE_OPTION,
    {SIZE, .name = "schemas.enable", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true",
     .importance = SLUICE_HIGH,
     .doc = "Include schemas within each of the serialized values and keys.", .group = "Schemas",
     .order = 0, .width = SLUICE_WIDTH_MEDIUM, .display_name = "Enable Schemas"},
    {SIZE, .name = "schemas.cache.size", .type = SLUICE_OPTION_INT, .default_value = "1000",
     .importance = SLUICE_HIGH,
     .doc = "The maximum number of schemas that can be cached in this converter instance.",
     .group = "Schemas", .order = 1, .width = SLUICE_WIDTH_MEDIUM,
     .display_name = "Schema Cache Size"},
    {SIZE, .name = "decimal.format", .type = SLUICE_OPTION_STRING, .default_value = "BASE64",
     .importance = SLUICE_LOW,
     .doc = "Controls which format this converter will serialize decimals in. This value is case "
            "insensitive and can be either 'BASE64' (default) or 'NUMERIC'",
     .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = decimal_formats, .group = "Serialization",
     .order = 0, .width = SLUICE_WIDTH_MEDIUM, .display_name = "Decimal Format"},
    {SIZE, .name = "replace.null.with.default", .type = SLUICE_OPTION_BOOLEAN,
     .default_value = "true", .importance = SLUICE_LOW,
     .doc = "Whether to replace fields that have a default value and that are null to the default "
            "value. When set to true, the default value is used, otherwise null is used.",
     .group = "Serialization", .order = 1, .width = SLUICE_WIDTH_MEDIUM,
     .display_name = "Replace null with default"},
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

const struct sluice_descriptor json_converter = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONVERTER,
    .class_name = "org.apache.kafka.connect.json.JsonConverter",
    .version = KAFKA_VERSION,
    .doc = "JSON, with schemas in each record or without any.",
    .options = options,
    .vtable = &vtable,
};
