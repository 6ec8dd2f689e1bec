/*
 * @CLASS@: a sink that appends each record's value to a file, as a line of JSON.
 *
 * Everything it needs from sluice comes with struct sluice_host; no library is linked. The headers
 * <sluice/...> say for each function who calls it and what it may do.
 */
#define _POSIX_C_SOURCE 200809L /* for -std=c11 and the like */
#include <sluice/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lines {
    const struct sluice_host *host;
    FILE *file;
    struct sluice_metric *written;
};

static void *create(const struct sluice_host *host)
{
    struct lines *self = (struct lines *)calloc(1, sizeof(*self));
    if (self) {
        self->host = host; /* to be kept, not yet to be called */
    }
    return self;
}

static void stop(void *data)
{
    struct lines *self = (struct lines *)data;
    if (self->file) {
        (void)fclose(self->file);
        self->file = NULL;
    }
}

static void destroy(void *data)
{
    stop(data); /* whatever state it is in */
    free(data);
}

static enum sluice_result start(void *data, const struct sluice_config *config)
{
    struct lines *self = (struct lines *)data;
    const char *path = self->host->config->get_string(config, "file");
    self->file = fopen(path, "ae");
    if (!self->file) {
        return self->host->error(self->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                 "file '%s' cannot be opened: %s", path, strerror(errno));
    }
    self->written = self->host->metric(self->host, "lines-written", SLUICE_COUNTER);
    return SLUICE_OK;
}

/*
 * Nothing of the batch is used after this returns, and every line is on disk then: so there is no
 * pre_commit(), and sluice commits the offsets of what was put.
 */
static enum sluice_result put(void *data, struct sluice_batch *batch)
{
    struct lines *self = (struct lines *)data;
    const struct sluice_records *r = self->host->records;
    size_t count = r->count(batch);
    for (size_t i = 0; i < count; i++) {
        struct sluice_span json = self->host->data->to_json(batch, r->value(r->at(batch, i)));
        (void)fwrite(json.data, 1, json.size, self->file);
        (void)fputc('\n', self->file);
    }
    if (count > 0 && (ferror(self->file) || fflush(self->file) != 0 ||
                      fdatasync(fileno(self->file)) != 0)) {
        int reason = errno;
        clearerr(self->file);
        /* The same batch comes again, and these lines may be there twice: at least once. */
        return self->host->error(self->host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION,
                                 "%zu lines could not be written: %s", count, strerror(reason));
    }
    self->host->metric_add(self->written, (int64_t)count);
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    {.size = sizeof(struct sluice_option), .name = "file", .type = SLUICE_OPTION_STRING,
     .required = true, .importance = SLUICE_HIGH, .doc = "File to append to.",
     .valid = SLUICE_VALID_NON_EMPTY},
    {.name = NULL},
};

static const struct sluice_sink vtable = {
    .size = sizeof(struct sluice_sink),
    .create = create,
    .destroy = destroy,
    .connector = {NULL, NULL}, /* no validation beyond the table, tasks.max equal tasks */
    .start = start,
    .open = NULL,
    .close = NULL,
    .put = put,
    .pre_commit = NULL,
    .stop = stop,
    .extension = NULL,
};

static const struct sluice_descriptor descriptor = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SINK,
    .class_name = "@CLASS@",
    .aliases = NULL,
    .version = "0.1",
    .doc = "Appends records to a file, as lines of JSON.",
    .options = options,
    .vtable = &vtable,
};

static const struct sluice_descriptor *const descriptors[] = {&descriptor, NULL};
SLUICE_PLUGIN(descriptors)
