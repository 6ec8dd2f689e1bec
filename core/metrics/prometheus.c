#include "core/metrics/prometheus.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/buffer.h"

enum { TEXT_MAX = 64 << 20 };

struct prometheus_sample {
    char name[128];
    char *labels;
    int64_t value;
    bool counter;
};

void prometheus_init(struct prometheus *out)
{
    *out = (struct prometheus){0};
}

static void append_label(struct buffer *text, const char *value)
{
    for (; *value; value++) {
        if (*value == '\\' || *value == '"') {
            (void)buffer_append_char(text, '\\');
        }
        if (*value == '\n') {
            (void)buffer_append_text(text, "\\n");
        } else {
            (void)buffer_append_char(text, *value);
        }
    }
}

static void add(struct prometheus *out, const char *type, const char *attribute,
                size_t attribute_size, char *labels, int64_t value, bool counter)
{
    if (out->count == out->capacity) {
        size_t capacity = out->capacity ? out->capacity * 2 : 64;
        struct prometheus_sample *samples = realloc(out->samples, capacity * sizeof(*samples));
        if (!samples) {
            out->failed = 1;
            free(labels);
            return;
        }
        out->samples = samples;
        out->capacity = capacity;
    }
    struct prometheus_sample *sample = &out->samples[out->count++];
    *sample = (struct prometheus_sample){.labels = labels, .value = value, .counter = counter};
    (void)snprintf(sample->name, sizeof(sample->name), "kafka_connect_%s_%.*s", type,
                   (int)attribute_size, attribute);
    for (char *p = sample->name; *p; p++) {
        bool good =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
        *p = good ? *p : '_';
    }
}

static char *labels_of(const char *connector, int task, const char *state)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    (void)buffer_append_text(&text, "{connector=\"");
    append_label(&text, connector);
    (void)buffer_printf(&text, "\",task=\"%d\"", task);
    if (state) {
        (void)buffer_printf(&text, ",status=\"%s\"", state);
    }
    (void)buffer_append_char(&text, '}');
    return buffer_take(&text);
}

/* The JMX type an attribute stands under (kafka-connect.md §8); ours go to the task's. */
static const char *type_of(const char *attribute)
{
    static const struct {
        const char *front, *type;
    } types[] = {
        {"sink-record", "sink_task_metrics"},
        {"put-batch", "sink_task_metrics"},
        {"partition-count", "sink_task_metrics"},
        {"offset-commit-seq-no", "sink_task_metrics"},
        {"offset-commit-completion", "sink_task_metrics"},
        {"offset-commit-skip", "sink_task_metrics"},
        {"source-record", "source_task_metrics"},
        {"poll-batch", "source_task_metrics"},
        {"transaction-size", "source_task_metrics"},
        {"total-record", "task_error_metrics"},
        {"total-retries", "task_error_metrics"},
        {"total-errors-logged", "task_error_metrics"},
        {"deadletterqueue", "task_error_metrics"},
        {"last-error-timestamp", "task_error_metrics"},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strncmp(attribute, types[i].front, strlen(types[i].front)) == 0) {
            return types[i].type;
        }
    }
    return "connector_task_metrics";
}

void prometheus_page(struct prometheus *out, const char *connector, int task,
                     const struct metrics_page *page)
{
    for (size_t i = 0; i < METRICS_SLOTS; i++) {
        const struct metrics_slot *slot = &page->slots[i];
        uint32_t used = atomic_load(&slot->used);
        if (used == 1 || used == 2) {
            /* The plugin can write to the page: a name may lack its end. */
            char name[sizeof(slot->name) + 1];
            memcpy(name, slot->name, sizeof(slot->name));
            name[sizeof(slot->name)] = '\0';
            add(out, type_of(name), name, strlen(name), labels_of(connector, task, NULL),
                atomic_load(&slot->value), used == 1);
        }
    }
}

void prometheus_status(struct prometheus *out, const char *connector, int task, const char *state)
{
    add(out, "connector_task_metrics", "status", 6, labels_of(connector, task, state), 1, false);
}

void prometheus_worker(struct prometheus *out, size_t connectors, size_t tasks)
{
    add(out, "connect_worker_metrics", "connector_count", 15, NULL, (int64_t)connectors, false);
    add(out, "connect_worker_metrics", "task_count", 10, NULL, (int64_t)tasks, false);
}

static int by_name(const void *a, const void *b)
{
    const struct prometheus_sample *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->labels ? x->labels : "", y->labels ? y->labels : "");
}

char *prometheus_take(struct prometheus *out)
{
    struct buffer text;
    const char *last = "";
    buffer_init(&text, TEXT_MAX);
    if (out->count > 0) { /* samples of one name stand together */
        qsort(out->samples, out->count, sizeof(*out->samples), by_name);
    }
    for (size_t i = 0; i < out->count; i++) {
        const struct prometheus_sample *sample = &out->samples[i];
        if (strcmp(sample->name, last) != 0) {
            (void)buffer_printf(&text, "# TYPE %s %s\n", sample->name,
                                sample->counter ? "counter" : "gauge");
            last = sample->name;
        }
        (void)buffer_printf(&text, "%s%s %lld\n", sample->name,
                            sample->labels ? sample->labels : "", (long long)sample->value);
    }
    for (size_t i = 0; i < out->count; i++) {
        free(out->samples[i].labels);
    }
    free(out->samples);
    int failed = out->failed;
    prometheus_init(out);
    if (failed) {
        buffer_finish(&text);
    }
    return buffer_take(&text);
}
