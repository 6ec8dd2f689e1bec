/*
 * sluice.rest.RestConverter: BYTES as they are, all else as JSON text, null as null. JsonConverter would
 * write the BYTES of binary requests as base64 text; REST Proxy writes them raw. A STRING with a schema (of
 * a stream, see streams.h) is its text. Stateless, shared.
 */
#include <sluice/plugin.h>

#include "connectors/rest/rest.h"

struct converter {
    const struct sluice_host *host;
};

static struct converter *self_of(void *self)
{
    return self;
}

static void *create(const struct sluice_host *host)
{
    struct converter *converter = calloc(1, sizeof(*converter));
    if (converter) {
        converter->host = host;
    }
    return converter;
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config,
                                    enum sluice_converter_role role)
{
    (void)self;
    (void)class_name;
    (void)config;
    (void)role;
    return SLUICE_OK;
}

static enum sluice_result to_connect(void *self, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span bytes,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value)
{
    (void)header;
    const struct sluice_host *host = self_of(self)->host;
    *ret_schema = NULL;
    *ret_value = NULL;
    if (!bytes.data) {
        return SLUICE_OK;
    }
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *value = NULL;
    enum sluice_result result = host->data->from_json(batch, bytes.data, bytes.size,
                                                      SLUICE_JSON_CONNECT, &value, &error);
    if (result != SLUICE_OK) {
        return host->error(host, result, SLUICE_DATA_EXCEPTION,
                           "A record of topic %s is no JSON: %s; records written in binary format are "
                           "read with ByteArrayConverter", topic ? topic : "?", error.message);
    }
    *ret_value = value;
    return SLUICE_OK;
}

static enum sluice_result from_connect(void *self, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value, struct sluice_span *ret_bytes)
{
    (void)topic;
    (void)header;
    const struct sluice_data *data = self_of(self)->host->data;
    enum sluice_type type = data->type(value);
    if (type == SLUICE_STRING && schema && data->schema_type(schema) == SLUICE_STRING) {
        type = SLUICE_BYTES;
    }
    switch (type) {
    case SLUICE_NULL:
        *ret_bytes = (struct sluice_span){NULL, 0};
        break;
    case SLUICE_BYTES:
        *ret_bytes = data->text(value);
        if (!ret_bytes->data) {
            ret_bytes->data = ""; /* empty is not null */
        }
        break;
    default:
        *ret_bytes = data->to_json(batch, value);
        break;
    }
    return SLUICE_OK;
}

static const struct sluice_converter vtable = {
    .size = sizeof(struct sluice_converter),
    .create = create,
    .destroy = free,
    .configure = configure,
    .to_connect = to_connect,
    .from_connect = from_connect,
};

const struct sluice_descriptor rest_converter_descriptor = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONVERTER,
    .class_name = "sluice.rest.RestConverter",
    .version = SLUICE_VERSION,
    .doc = "Writes BYTES as they are and everything else as JSON, as Kafka REST Proxy does.",
    .vtable = &vtable,
};
