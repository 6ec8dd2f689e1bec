/*
 * @CLASS@: a predicate that is true for records whose value has a certain field.
 *
 * Everything it needs from sluice comes with struct sluice_host; no library is linked. The headers
 * <sluice/...> say for each function who calls it and what it may do.
 */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <string.h>

struct has_field {
    const struct sluice_host *host;
    const struct sluice_name *field;
};

static void *create(const struct sluice_host *host)
{
    struct has_field *self = (struct has_field *)calloc(1, sizeof(*self));
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
    struct has_field *self = (struct has_field *)data;
    const char *field = self->host->config->get_string(config, "field");
    (void)class_name;
    self->field = self->host->data->intern(field, strlen(field));
    return SLUICE_OK;
}

static enum sluice_result test(void *data, const struct sluice_record *record, bool *ret_matches)
{
    struct has_field *self = (struct has_field *)data;
    /* find() gives NULL for what is no map, and for a map without the field. */
    *ret_matches = self->host->data->find(self->host->records->value(record), self->field) != NULL;
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    {.size = sizeof(struct sluice_option), .name = "field", .type = SLUICE_OPTION_STRING,
     .required = true, .importance = SLUICE_HIGH, .doc = "Name of the field to look for.",
     .valid = SLUICE_VALID_NON_EMPTY},
    {.name = NULL},
};

static const struct sluice_predicate vtable = {
    .size = sizeof(struct sluice_predicate),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .test = test,
};

static const struct sluice_descriptor descriptor = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_PREDICATE,
    .class_name = "@CLASS@",
    .aliases = NULL,
    .version = "0.1",
    .doc = "True for records whose value has a certain field.",
    .options = options,
    .vtable = &vtable,
};

static const struct sluice_descriptor *const descriptors[] = {&descriptor, NULL};
SLUICE_PLUGIN(descriptors)
