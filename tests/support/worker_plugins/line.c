/*
 * Lines of a file to a topic and back: connectors for tests of the worker, shaped as Connect's
 * FileStream ones. `behave` makes the source misbehave: crash or hang in task_configs, exit in
 * poll.
 */
#include <sluice/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OPTION .size = sizeof(struct sluice_option)

/* -- source -- */

struct source {
    const struct sluice_host *host;
    char *topic, *path, *behave;
    FILE *file;
    int64_t position; /* bytes; -1: not asked for yet */
};

static void *source_create(const struct sluice_host *host)
{
    struct source *self = calloc(1, sizeof(*self));
    if (self) {
        self->host = host;
        self->position = -1;
    }
    return self;
}

static void source_destroy(void *data)
{
    struct source *self = data;
    if (self->file) {
        fclose(self->file);
    }
    free(self->topic);
    free(self->path);
    free(self->behave);
    free(self);
}

static enum sluice_result source_tasks(void *data, const struct sluice_config *config,
                                       int max_tasks, const struct sluice_report *report)
{
    struct source *self = data;
    const char *behave = self->host->config->get_string(config, "behave");
    (void)max_tasks;
    if (strcmp(behave, "crash") == 0) {
        abort();
    }
    if (strcmp(behave, "fail") == 0) {
        return self->host->error(self->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "No tasks today");
    }
    while (strcmp(behave, "hang") == 0) {
        (void)pause();
    }
    report->task(report);
    return SLUICE_OK;
}

static enum sluice_result source_start(void *data, const struct sluice_config *config)
{
    struct source *self = data;
    const struct sluice_config_api *api = self->host->config;
    const char *path = api->get_string(config, "file");
    self->topic = strdup(api->get_string(config, "topic"));
    self->path = strdup(path ? path : "");
    self->behave = strdup(api->get_string(config, "behave"));
    return SLUICE_OK;
}

static struct sluice_value *map_of(const struct source *self, struct sluice_batch *batch,
                                   const char *name, struct sluice_value *value)
{
    const struct sluice_data *d = self->host->data;
    struct sluice_value *map = d->new_map(batch, 1);
    d->put(batch, map, d->intern(name, strlen(name)), value);
    return map;
}

static bool open_file(struct source *self, struct sluice_batch *batch,
                      const struct sluice_value *partition)
{
    const struct sluice_data *d = self->host->data;
    if (self->position < 0) {
        const struct sluice_source_context *context =
            self->host->extension(self->host, SLUICE_SOURCE_CONTEXT);
        const struct sluice_value *offset = context->offset(self->host, batch, partition);
        self->position = offset ? d->integer(d->find(offset, d->intern("position", 8))) : 0;
    }
    self->file = self->file ? self->file : fopen(self->path, "re");
    return self->file && fseeko(self->file, self->position, SEEK_SET) == 0;
}

static enum sluice_result source_poll(void *data, struct sluice_batch *batch, int timeout_ms)
{
    struct source *self = data;
    const struct sluice_data *d = self->host->data;
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    bool any = false;
    if (strcmp(self->behave, "exit") == 0) {
        _exit(9);
    }
    struct sluice_value *partition =
        map_of(self, batch, "filename", d->new_string(batch, self->path, strlen(self->path)));
    while (open_file(self, batch, partition) && (size = getline(&line, &room, self->file)) > 0 &&
           line[size - 1] == '\n') {
        struct sluice_record *record = self->host->records->add(batch, self->topic);
        self->position += size;
        any = true;
        self->host->records->set_value(record, d->schema_plain(SLUICE_STRING, false),
                                       d->new_string(batch, line, (size_t)size - 1));
        self->host->records->set_source(
            record, partition,
            map_of(self, batch, "position", d->new_integer(batch, SLUICE_INT64, self->position)));
    }
    free(line);
    if (!any) {
        int wait = timeout_ms < 20 ? timeout_ms : 20;
        (void)nanosleep(&(struct timespec){.tv_nsec = wait * 1000000L}, NULL);
    }
    return SLUICE_OK;
}

static void source_stop(void *data)
{
    (void)data;
}

static const char *const behaviours[] = {"well", "crash", "fail", "hang", "exit", NULL};

static const struct sluice_option source_options[] = {
    {OPTION, .name = "file", .type = SLUICE_OPTION_STRING, .importance = SLUICE_HIGH,
     .doc = "Read it."},
    {OPTION, .name = "topic", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .doc = "Topic to write to."},
    {OPTION, .name = "behave", .type = SLUICE_OPTION_STRING, .default_value = "well",
     .valid = SLUICE_VALID_ONE_OF, .values = behaviours, .importance = SLUICE_LOW, .doc = "How."},
    {OPTION, .name = "secret", .type = SLUICE_OPTION_PASSWORD, .importance = SLUICE_LOW,
     .doc = "Never shown."},
    {.name = NULL},
};

static const struct sluice_source source_vtable = {
    .size = sizeof(struct sluice_source),
    .create = source_create,
    .destroy = source_destroy,
    .connector = {.task_configs = source_tasks},
    .start = source_start,
    .poll = source_poll,
    .stop = source_stop,
};

/* -- sink -- */

struct sink {
    const struct sluice_host *host;
    FILE *file;
    int64_t commit_ms;
};

static void *sink_create(const struct sluice_host *host)
{
    struct sink *self = calloc(1, sizeof(*self));
    if (self) {
        self->host = host;
    }
    return self;
}

static void sink_destroy(void *data)
{
    struct sink *self = data;
    if (self->file) {
        fclose(self->file);
    }
    free(self);
}

static enum sluice_result sink_start(void *data, const struct sluice_config *config)
{
    struct sink *self = data;
    const char *path = self->host->config->get_string(config, "file");
    self->file = path ? fopen(path, "ae") : NULL;
    self->commit_ms = self->host->config->get_long(config, "commit.takes.ms");
    return self->file
               ? SLUICE_OK
               : self->host->error(self->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                   "Couldn't find or create file '%s' for FileStreamSinkTask",
                                   path ? path : "");
}

static enum sluice_result sink_put(void *data, struct sluice_batch *batch)
{
    struct sink *self = data;
    const struct sluice_records *r = self->host->records;
    for (size_t i = 0; i < r->count(batch); i++) {
        struct sluice_span text = self->host->data->to_text(batch, r->value(r->at(batch, i)));
        fprintf(self->file, "%.*s\n", (int)text.size, text.data);
    }
    return fflush(self->file) == 0
               ? SLUICE_OK
               : self->host->error(self->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                   "Could not write: %s", strerror(errno));
}

static enum sluice_result sink_pre_commit(void *data, struct sluice_topic_offset *offsets, size_t *count)
{
    const struct sink *self = data;
    (void)offsets;
    (void)count;
    (void)nanosleep(&(struct timespec){self->commit_ms / 1000, self->commit_ms % 1000 * 1000000}, NULL);
    return SLUICE_OK;
}

static void sink_stop(void *data)
{
    (void)data;
}

static const struct sluice_option sink_options[] = {
    {OPTION, .name = "file", .type = SLUICE_OPTION_STRING, .importance = SLUICE_HIGH,
     .doc = "Append to it."},
    {OPTION, .name = "commit.takes.ms", .type = SLUICE_OPTION_LONG, .default_value = "0",
     .importance = SLUICE_LOW, .doc = "As on a slow disk."},
    {.name = NULL},
};

static const struct sluice_sink sink_vtable = {
    .size = sizeof(struct sluice_sink),
    .create = sink_create,
    .destroy = sink_destroy,
    .start = sink_start,
    .put = sink_put,
    .pre_commit = sink_pre_commit,
    .stop = sink_stop,
};

static const struct sluice_descriptor source = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SOURCE,
    .class_name = "sluice.test.LineSourceConnector",
    .version = "1.0",
    .doc = "Lines of a file to a topic.",
    .options = source_options,
    .vtable = &source_vtable,
};

static const struct sluice_descriptor sink = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SINK,
    .class_name = "sluice.test.LineSinkConnector",
    .version = "1.0",
    .doc = "Records of topics to lines of a file.",
    .options = sink_options,
    .vtable = &sink_vtable,
};

static const struct sluice_descriptor *const descriptors[] = {&source, &sink, NULL};
SLUICE_PLUGIN(descriptors)
