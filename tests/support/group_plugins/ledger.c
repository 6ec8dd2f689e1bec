/*
 * A sink that writes down what happens to it, a line each: "open TOPIC PARTITION", "close TOPIC PARTITION",
 * "put TOPIC PARTITION OFFSET" (when put() is about to return), "hang" where it waits. While the file `hold`
 * exists, a put() with records hangs.
 */
#include <sluice/plugin.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OPTION .size = sizeof(struct sluice_option)

struct ledger {
    const struct sluice_host *host;
    FILE *file;
    char *hold;
};

static void *ledger_create(const struct sluice_host *host)
{
    struct ledger *self = calloc(1, sizeof(*self));
    if (self) {
        self->host = host;
    }
    return self;
}

static void ledger_destroy(void *data)
{
    struct ledger *self = data;
    if (self->file) {
        fclose(self->file);
    }
    free(self->hold);
    free(self);
}

static enum sluice_result ledger_start(void *data, const struct sluice_config *config)
{
    struct ledger *self = data;
    const char *path = self->host->config->get_string(config, "file");
    const char *hold = self->host->config->get_string(config, "hold");
    self->hold = hold ? strdup(hold) : NULL;
    self->file = fopen(path, "ae");
    return self->file ? SLUICE_OK
                      : self->host->error(self->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                          "Cannot write %s", path);
}

static void note(struct ledger *self, const char *what, const struct sluice_topic_partition *partitions,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(self->file, "%s %s %" PRId32 "\n", what, partitions[i].topic, partitions[i].partition);
    }
    fflush(self->file);
}

static enum sluice_result ledger_open(void *data, const struct sluice_topic_partition *partitions, size_t count)
{
    note(data, "open", partitions, count);
    return SLUICE_OK;
}

static void ledger_close(void *data, const struct sluice_topic_partition *partitions, size_t count)
{
    note(data, "close", partitions, count);
}

static enum sluice_result ledger_put(void *data, struct sluice_batch *batch)
{
    struct ledger *self = data;
    const struct sluice_records *r = self->host->records;
    size_t count = r->count(batch);
    if (count > 0 && self->hold && access(self->hold, F_OK) == 0) {
        fprintf(self->file, "hang\n");
        fflush(self->file);
        while (access(self->hold, F_OK) == 0) {
            (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct sluice_record *record = r->at(batch, i);
        fprintf(self->file, "put %s %" PRId32 " %" PRId64 "\n", r->original_topic(record),
                r->original_partition(record), r->offset(record));
    }
    fflush(self->file);
    return SLUICE_OK;
}

static void ledger_stop(void *data)
{
    (void)data;
}

static const struct sluice_option options[] = {
    {OPTION, .name = "file", .type = SLUICE_OPTION_STRING, .required = true, .importance = SLUICE_HIGH,
     .doc = "Append to it."},
    {OPTION, .name = "hold", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "put() hangs while this file exists."},
    {.name = NULL},
};

static const struct sluice_sink vtable = {
    .size = sizeof(struct sluice_sink),
    .create = ledger_create,
    .destroy = ledger_destroy,
    .start = ledger_start,
    .open = ledger_open,
    .close = ledger_close,
    .put = ledger_put,
    .stop = ledger_stop,
};

static const struct sluice_descriptor sink = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SINK,
    .class_name = "sluice.test.LedgerSinkConnector",
    .version = "1.0",
    .doc = "Writes down what happens to it.",
    .options = options,
    .vtable = &vtable,
};

static const struct sluice_descriptor *const descriptors[] = {&sink, NULL};
SLUICE_PLUGIN(descriptors)
