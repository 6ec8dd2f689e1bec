/*
 * @CLASS@: a transform that writes the text of one field in capital letters.
 *
 * Everything it needs from sluice comes with struct sluice_host; no library is linked. The headers
 * <sluice/...> say for each function who calls it and what it may do.
 */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <string.h>

struct capitals {
    const struct sluice_host *host;
    const struct sluice_name *field;
};

static void *create(const struct sluice_host *host)
{
    struct capitals *self = (struct capitals *)calloc(1, sizeof(*self));
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
                                    const struct sluice_config *config)
{
    struct capitals *self = (struct capitals *)data;
    const char *field = self->host->config->get_string(config, "field");
    (void)class_name; /* one of the names below, where a class has several */
    self->field = self->host->data->intern(field, strlen(field));
    return SLUICE_OK;
}

static enum sluice_result apply(void *data, struct sluice_record *record)
{
    struct capitals *self = (struct capitals *)data;
    const struct sluice_data *d = self->host->data;
    const struct sluice_records *r = self->host->records;
    const struct sluice_value *value = r->value(record);
    if (d->type(value) == SLUICE_NULL) {
        return SLUICE_OK; /* a tombstone passes */
    }
    if (d->type(value) != SLUICE_MAP) {
        return self->host->error(self->host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION,
                                 "The value of a record from topic %s is no map", r->topic(record));
    }
    const struct sluice_value *text = d->find(value, self->field);
    if (d->type(text) != SLUICE_STRING) {
        return SLUICE_OK;
    }
    struct sluice_batch *batch = r->batch_of(record);
    struct sluice_span from = d->text(text);
    char *to = (char *)r->alloc(batch, from.size); /* freed with the batch */
    for (size_t i = 0; i < from.size; i++) {
        char c = from.data[i];
        to[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    struct sluice_value *edited = d->edit(batch, value);
    d->put(batch, edited, self->field, d->new_string_view(batch, to, from.size));
    r->set_value(record, r->value_schema(record), edited);
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    {.size = sizeof(struct sluice_option), .name = "field", .type = SLUICE_OPTION_STRING,
     .required = true, .importance = SLUICE_HIGH, .doc = "Name of the field to write in capitals.",
     .valid = SLUICE_VALID_NON_EMPTY},
    {.name = NULL},
};

static const struct sluice_transform vtable = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

static const struct sluice_descriptor descriptor = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_TRANSFORM,
    .class_name = "@CLASS@",
    .aliases = NULL,
    .version = "0.1",
    .doc = "Writes the text of a field in capital letters.",
    .options = options,
    .vtable = &vtable,
};

static const struct sluice_descriptor *const descriptors[] = {&descriptor, NULL};
SLUICE_PLUGIN(descriptors)
