/*
 * @CLASS@: a converter between bytes and their text in hexadecimal digits.
 *
 * Everything it needs from sluice comes with struct sluice_host; no library is linked. The headers
 * <sluice/...> say for each function who calls it and what it may do.
 */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <string.h>

struct hex {
    const struct sluice_host *host;
};

static void *create(const struct sluice_host *host)
{
    struct hex *self = (struct hex *)calloc(1, sizeof(*self));
    if (self) {
        self->host = host; /* to be kept, not yet to be called */
    }
    return self;
}

static void destroy(void *self)
{
    free(self);
}

static enum sluice_result configure(void *data, const char *class_name,
                                    const struct sluice_config *config,
                                    enum sluice_converter_role role)
{
    (void)data;
    (void)class_name;
    (void)config;
    (void)role; /* keys, values and headers are treated alike */
    return SLUICE_OK;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* From the topic: digits become bytes. */
static enum sluice_result to_connect(void *data, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span text,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value)
{
    const struct sluice_host *host = ((struct hex *)data)->host;
    (void)header;
    *ret_schema = host->data->schema_plain(SLUICE_BYTES, true);
    *ret_value = NULL;
    if (!text.data) {
        return SLUICE_OK; /* null stays null */
    }
    char *bytes = (char *)host->records->alloc(batch, text.size / 2 + 1); /* freed with the batch */
    for (size_t i = 0; i < text.size; i += 2) {
        int high = digit(text.data[i]), low = i + 1 < text.size ? digit(text.data[i + 1]) : -1;
        if (high < 0 || low < 0) {
            return host->error(host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION,
                               "A record of topic %s has no pair of digits at byte %zu", topic, i);
        }
        bytes[i / 2] = (char)(high << 4 | low);
    }
    *ret_value = host->data->new_bytes_view(batch, bytes, text.size / 2);
    return SLUICE_OK;
}

/* To the topic: bytes become digits. */
static enum sluice_result from_connect(void *data, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value, struct sluice_span *ret_text)
{
    const struct sluice_host *host = ((struct hex *)data)->host;
    (void)header;
    (void)schema;
    memset(ret_text, 0, sizeof(*ret_text));
    if (host->data->type(value) == SLUICE_NULL) {
        return SLUICE_OK;
    }
    if (host->data->type(value) != SLUICE_BYTES) {
        return host->error(host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION,
                           "A record for topic %s holds no bytes", topic);
    }
    struct sluice_span bytes = host->data->text(value);
    char *text = (char *)host->records->alloc(batch, 2 * bytes.size + 1);
    for (size_t i = 0; i < bytes.size; i++) {
        text[2 * i] = "0123456789abcdef"[(bytes.data[i] >> 4) & 15];
        text[2 * i + 1] = "0123456789abcdef"[bytes.data[i] & 15];
    }
    ret_text->data = text;
    ret_text->size = 2 * bytes.size;
    return SLUICE_OK;
}

static const struct sluice_converter vtable = {
    .size = sizeof(struct sluice_converter),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .to_connect = to_connect,
    .from_connect = from_connect,
};

static const struct sluice_descriptor descriptor = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONVERTER,
    .class_name = "@CLASS@",
    .aliases = NULL,
    .version = "0.1",
    .doc = "Bytes as text in hexadecimal digits.",
    .options = NULL,
    .vtable = &vtable,
};

static const struct sluice_descriptor *const descriptors[] = {&descriptor, NULL};
SLUICE_PLUGIN(descriptors)
