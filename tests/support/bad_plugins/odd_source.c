/* A source whose records say offsets that are no maps, whose errors are long, that ends its process, that
 * asks for new task configurations without end. */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct sluice_host *the_host;
static const char *mode;

static void *create(const struct sluice_host *host)
{
    static int self;
    the_host = host;
    return &self;
}

static void destroy(void *self)
{
    (void)self;
}

static enum sluice_result start(void *self, const struct sluice_config *config)
{
    (void)self;
    mode = strdup(the_host->config->get_string(config, "mode"));
    return mode ? SLUICE_OK : SLUICE_FATAL;
}

static enum sluice_result poll(void *self, struct sluice_batch *batch, int timeout_ms)
{
    const struct sluice_data *data = the_host->data;
    (void)self;
    (void)timeout_ms;
    if (strcmp(mode, "exit") == 0) {
        _exit(0); /* and not exit(): nothing of the host's runs on the way */
    }
    if (strcmp(mode, "long-error") == 0) {
        enum { SIZE = 20 << 20 }; /* more than a message to the worker may have */
        char *text = malloc(SIZE);
        memset(text, 'm', SIZE - 1);
        text[SIZE - 1] = '\0';
        return the_host->error(the_host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "so %s", text);
    }
    if (strcmp(mode, "reconfigure") == 0) {
        const struct sluice_source_context *context = the_host->extension(the_host, SLUICE_SOURCE_CONTEXT);
        for (int i = 0; i < 20000; i++) {
            context->request_task_reconfiguration(the_host);
        }
    }
    struct sluice_record *record = the_host->records->add(batch, "odd");
    struct sluice_value *text = data->new_string(batch, "x", 1), *map = data->new_map(batch, 1);
    data->put(batch, map, data->intern("k", 1), strcmp(mode, "nested") == 0 ? data->new_map(batch, 1) : text);
    the_host->records->set_value(record, NULL, text);
    the_host->records->set_source(record, strcmp(mode, "text") == 0 ? text : map, map);
    return SLUICE_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const struct sluice_option options[] = {
    {.size = sizeof(struct sluice_option), .name = "mode", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .doc = "What it does wrong."},
    {.name = NULL},
};

static const struct sluice_source vtable = {.size = sizeof(struct sluice_source), .create = create,
                                            .destroy = destroy, .start = start, .poll = poll, .stop = stop};

static const struct sluice_descriptor descriptor = {
    .size = sizeof(struct sluice_descriptor), .kind = SLUICE_SOURCE, .class_name = "bad.OddSource",
    .version = "1.0", .doc = "Offsets that are no maps.", .options = options, .vtable = &vtable};

static const struct sluice_descriptor *const descriptors[] = {&descriptor, NULL};
SLUICE_PLUGIN(descriptors)
