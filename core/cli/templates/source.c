/*
 * @CLASS@: a source that counts: {"n":1}, {"n":2}, .. one record every interval.ms. After a
 * restart it goes on where it was, because each record carries its source offset.
 *
 * Everything it needs from sluice comes with struct sluice_host; no library is linked. The headers
 * <sluice/...> say for each function who calls it and what it may do.
 */
#define _POSIX_C_SOURCE 200809L /* for -std=c11 and the like */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct counter {
    const struct sluice_host *host;
    char *topic;
    int64_t interval; /* ms */
    int64_t next;     /* when, monotonic ms */
    int64_t n;        /* last one given out; -1: the stored offset is not read yet */
};

static void *create(const struct sluice_host *host)
{
    struct counter *self = (struct counter *)calloc(1, sizeof(*self));
    if (self) {
        self->host = host; /* to be kept, not yet to be called */
    }
    return self;
}

static void destroy(void *data)
{
    free(((struct counter *)data)->topic);
    free(data);
}

static int64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static enum sluice_result start(void *data, const struct sluice_config *config)
{
    struct counter *self = (struct counter *)data;
    self->topic = strdup(self->host->config->get_string(config, "topic"));
    self->interval = self->host->config->get_long(config, "interval.ms");
    self->next = now();
    self->n = -1;
    return self->topic ? SLUICE_OK
                       : self->host->error(self->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                           "Out of memory");
}

/* {name: number} or {name: text}, a map in the batch. */
static struct sluice_value *map_of(struct counter *self, struct sluice_batch *batch, const char *name,
                                   struct sluice_value *value)
{
    const struct sluice_data *d = self->host->data;
    struct sluice_value *map = d->new_map(batch, 1);
    d->put(batch, map, d->intern(name, strlen(name)), value);
    return map;
}

static enum sluice_result poll(void *data, struct sluice_batch *batch, int timeout_ms)
{
    struct counter *self = (struct counter *)data;
    const struct sluice_data *d = self->host->data;
    const struct sluice_records *r = self->host->records;
    int64_t wait = self->next - now();
    if (wait > timeout_ms) {
        wait = timeout_ms; /* a stop waits for poll(), so it never takes longer than asked */
    }
    if (wait > 0) {
        struct timespec time = {(time_t)(wait / 1000), (long)(wait % 1000) * 1000000};
        (void)nanosleep(&time, NULL);
    }
    if (now() < self->next) {
        return SLUICE_OK; /* none yet */
    }
    struct sluice_value *partition =
        map_of(self, batch, "counter", d->new_string(batch, self->topic, strlen(self->topic)));
    if (self->n < 0) {
        const struct sluice_source_context *context =
            (const struct sluice_source_context *)self->host->extension(self->host,
                                                                        SLUICE_SOURCE_CONTEXT);
        self->n = d->integer(d->find(context->offset(self->host, batch, partition), d->intern("n", 1)));
    }
    self->n++;
    self->next = now() + self->interval;
    struct sluice_record *record = r->add(batch, self->topic);
    r->set_value(record, NULL,
                 map_of(self, batch, "n", d->new_integer(batch, SLUICE_INT64, self->n)));
    r->set_source(record, partition,
                  map_of(self, batch, "n", d->new_integer(batch, SLUICE_INT64, self->n)));
    return SLUICE_OK;
}

static void stop(void *data)
{
    (void)data; /* nothing is open */
}

static const struct sluice_option options[] = {
    {.size = sizeof(struct sluice_option), .name = "topic", .type = SLUICE_OPTION_STRING,
     .required = true, .importance = SLUICE_HIGH, .doc = "Topic to write to.",
     .valid = SLUICE_VALID_NON_EMPTY},
    {.size = sizeof(struct sluice_option), .name = "interval.ms", .type = SLUICE_OPTION_LONG,
     .required = false, .default_value = "1000", .importance = SLUICE_MEDIUM,
     .doc = "Time between two records.", .valid = SLUICE_VALID_RANGE, .min = 1, .max = 86400000},
    {.name = NULL},
};

static const struct sluice_source vtable = {
    .size = sizeof(struct sluice_source),
    .create = create,
    .destroy = destroy,
    .connector = {NULL, NULL}, /* no validation beyond the table, one task */
    .start = start,
    .poll = poll,
    .record_done = NULL,
    .commit = NULL,
    .stop = stop,
    .drain = NULL,
    .extension = NULL,
};

static const struct sluice_descriptor descriptor = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SOURCE,
    .class_name = "@CLASS@",
    .aliases = NULL,
    .version = "0.1",
    .doc = "Counts, one record an interval.",
    .options = options,
    .vtable = &vtable,
};

static const struct sluice_descriptor *const descriptors[] = {&descriptor, NULL};
SLUICE_PLUGIN(descriptors)
