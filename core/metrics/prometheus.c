#include "core/metrics/prometheus.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "lib/util/buffer.h"

enum { TEXT_MAX = 256 << 20, TABLE = 1024, NAME_MAX_SIZE = 160 };

#define HISTOGRAM "stage-latency-seconds"

/* Samples of one name stand together. */
struct prometheus_family {
    char name[NAME_MAX_SIZE];
    enum prometheus_type kind;
    struct buffer text;
};

void prometheus_init(struct prometheus *out)
{
    *out = (struct prometheus){0};
    out->table = calloc(TABLE, sizeof(struct prometheus_family *));
    out->failed = out->table == NULL;
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

/* kafka_connect_sink_task_metrics_put_batch_max_time_ms */
static void make_name(char name[NAME_MAX_SIZE], const char *type, const char *attribute)
{
    (void)snprintf(name, NAME_MAX_SIZE, "kafka_connect_%s_%s", type, attribute);
    for (char *p = name; *p; p++) {
        bool good =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
        *p = good ? *p : '_';
    }
}

static struct prometheus_family *family(struct prometheus *out, const char *type,
                                        const char *attribute, enum prometheus_type kind)
{
    char name[NAME_MAX_SIZE];
    uint64_t hash = 1469598103934665603ull;
    make_name(name, type, attribute);
    for (const char *p = name; *p; p++) {
        hash = (hash ^ (unsigned char)*p) * 1099511628211ull;
    }
    for (size_t i = 0; !out->failed && i < TABLE; i++) {
        struct prometheus_family **slot = &out->table[(hash + i) % TABLE];
        if (*slot && strcmp((*slot)->name, name) == 0) {
            return *slot;
        }
        if (!*slot) {
            *slot = calloc(1, sizeof(**slot));
            if (!*slot) {
                break;
            }
            memcpy((*slot)->name, name, sizeof(name));
            (*slot)->kind = kind;
            buffer_init(&(*slot)->text, TEXT_MAX);
            out->count++;
            return *slot;
        }
    }
    out->failed = out->failed || out->count < TABLE; /* names beyond the table are left out */
    return NULL;
}

static void append_value(struct buffer *text, double value)
{
    if (value == floor(value) && fabs(value) < 1e15) {
        (void)buffer_printf(text, "%" PRId64 "\n", (int64_t)value);
    } else {
        (void)buffer_printf(text, "%.6g\n", value);
    }
}

/* suffix: _bucket and the like. le: of a bucket; NULL: none. */
static void line(struct prometheus_family *family, const char *suffix, const char *const *labels,
                 const char *le, double value)
{
    struct buffer *text = &family->text;
    (void)buffer_append_text(text, family->name);
    (void)buffer_append_text(text, suffix);
    bool any = false;
    for (; labels && *labels; labels += 2) {
        (void)buffer_printf(text, "%s%s=\"", any ? "," : "{", labels[0]);
        append_label(text, labels[1]);
        (void)buffer_append_char(text, '"');
        any = true;
    }
    if (le) {
        (void)buffer_printf(text, "%sle=\"%s\"", any ? "," : "{", le);
        any = true;
    }
    (void)buffer_append_text(text, any ? "} " : " ");
    append_value(text, value);
}

void prometheus_add(struct prometheus *out, const char *type, const char *attribute,
                    enum prometheus_type kind, const char *const *labels, double value)
{
    struct prometheus_family *to = family(out, type, attribute, kind);
    if (to) {
        line(to, "", labels, NULL, value);
    }
}

/* -- pages -- */

/* The JMX type an attribute stands under (kafka-connect.md §8); ours go to the task's. */
static const char *type_of(const char *attribute)
{
    static const struct {
        const char *front, *type;
    } types[] = {
        {"sink-record", "sink-task-metrics"},
        {"put-batch", "sink-task-metrics"},
        {"partition-count", "sink-task-metrics"},
        {"offset-commit-seq-no", "sink-task-metrics"},
        {"offset-commit-completion", "sink-task-metrics"},
        {"offset-commit-skip", "sink-task-metrics"},
        {"source-record", "source-task-metrics"},
        {"poll-batch", "source-task-metrics"},
        {"transaction-size", "source-task-metrics"},
        {"total-record", "task-error-metrics"},
        {"total-retries", "task-error-metrics"},
        {"total-errors-logged", "task-error-metrics"},
        {"deadletterqueue", "task-error-metrics"},
        {"last-error-timestamp", "task-error-metrics"},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strncmp(attribute, types[i].front, strlen(types[i].front)) == 0) {
            return types[i].type;
        }
    }
    return "connector-task-metrics";
}

static void add_slots(struct prometheus *out, const char *type, const char *const *labels,
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
            prometheus_add(out, type ? type : type_of(name), name,
                           used == 1 ? PROMETHEUS_COUNTER : PROMETHEUS_GAUGE, labels,
                           (double)atomic_load(&slot->value));
        }
    }
}

static void add_word(struct prometheus *out, const char *type, const char *const *labels,
                     const char *name, const char *word, enum prometheus_type kind, double value)
{
    char attribute[96];
    const char *star = strchr(name, '*');
    (void)snprintf(attribute, sizeof(attribute), "%.*s%s%s",
                   star ? (int)(star - name) : (int)strlen(name), name, word, star ? star + 1 : "");
    prometheus_add(out, type ? type : type_of(attribute), attribute, kind, labels, value);
}

static void add_stats(struct prometheus *out, const char *type, const char *const *labels,
                      const struct metrics_page *page)
{
    static const struct {
        enum metrics_kind kind;
        const char *word;
    } words[] = {
        {METRICS_RATE, "rate"}, {METRICS_TOTAL, "total"}, {METRICS_AVG, "avg"}, {METRICS_MAX, "max"}};
    int64_t now = clock_monotonic_ms();
    for (size_t i = 0; i < METRICS_STATS; i++) {
        const struct metrics_stat *stat = &page->stats[i];
        if (atomic_load(&stat->used) != 1) {
            continue;
        }
        char name[sizeof(stat->name) + 1];
        memcpy(name, stat->name, sizeof(stat->name));
        name[sizeof(stat->name)] = '\0';
        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
            if (stat->kinds & words[k].kind) {
                add_word(out, type, labels, name, words[k].word,
                         words[k].kind == METRICS_TOTAL ? PROMETHEUS_COUNTER : PROMETHEUS_GAUGE,
                         metrics_read(page, stat, words[k].kind, now, NULL));
            }
        }
        if (stat->kinds & METRICS_SHARE) {
            bool any;
            double share = metrics_read(page, stat, METRICS_SHARE, now, &any);
            add_word(out, type, labels, name, "success", PROMETHEUS_GAUGE, share);
            add_word(out, type, labels, name, "failure", PROMETHEUS_GAUGE, any ? 1 - share : 0);
        }
    }
}

static void add_stages(struct prometheus *out, const char *connector, const char *task,
                       const struct metrics_page *page)
{
    static const char *const names[METRICS_STAGES] = {"poll", "convert", "transform",
                                                      "put",  "commit",  "produce"};
    for (size_t s = 0; s < METRICS_STAGES; s++) {
        const struct metrics_histogram *histogram = &page->stages[s];
        double counts[METRICS_BUCKETS + 1], all = 0;
        for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
            all += counts[i] = (double)atomic_load(&histogram->buckets[i]);
        }
        struct prometheus_family *to =
            all > 0 ? family(out, "connector-task-metrics", HISTOGRAM, PROMETHEUS_HISTOGRAM) : NULL;
        if (!to) {
            continue; /* a stage that this task does not have */
        }
        const char *const labels[] = {"connector", connector, "task", task, "stage", names[s], NULL};
        double sum = 0;
        for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
            char le[32] = "+Inf";
            if (i < METRICS_BUCKETS) {
                (void)snprintf(le, sizeof(le), "%g", (double)metrics_bounds[i] / 1e9);
            }
            sum += counts[i];
            line(to, "_bucket", labels, le, sum);
        }
        line(to, "_sum", labels, NULL, (double)atomic_load(&histogram->sum) / 1e9);
        line(to, "_count", labels, NULL, all);
    }
}

void prometheus_page(struct prometheus *out, const char *connector, int task,
                     const struct metrics_page *page)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", task);
    const char *const labels[] = {"connector", connector, "task", number, NULL};
    int64_t now = clock_monotonic_ms();
    add_slots(out, NULL, labels, page);
    add_stats(out, NULL, labels, page);
    add_stages(out, connector, number, page);
    if (atomic_load(&page->state_since) <= 0) {
        return;
    }
    prometheus_add(out, "connector-task-metrics", "running-ratio", PROMETHEUS_GAUGE, labels,
                   metrics_ratio(page, METRICS_RUNNING, now));
    prometheus_add(out, "connector-task-metrics", "pause-ratio", PROMETHEUS_GAUGE, labels,
                   metrics_ratio(page, METRICS_PAUSED, now));
}

void prometheus_own_page(struct prometheus *out, const char *type, const struct metrics_page *page)
{
    add_slots(out, type, NULL, page);
    add_stats(out, type, NULL, page);
}

/* -- text -- */

static int by_name(const void *a, const void *b)
{
    const struct prometheus_family *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

char *prometheus_take(struct prometheus *out)
{
    static const char *const kinds[] = {"gauge", "counter", "histogram"};
    struct buffer text;
    size_t count = 0;
    buffer_init(&text, TEXT_MAX);
    for (size_t i = 0; out->table && i < TABLE; i++) {
        if (out->table[i]) {
            out->table[count++] = out->table[i];
        }
    }
    if (count > 0) {
        qsort(out->table, count, sizeof(struct prometheus_family *), by_name);
    }
    for (size_t i = 0; i < count; i++) {
        struct prometheus_family *one = out->table[i];
        (void)buffer_printf(&text, "# TYPE %s %s\n", one->name, kinds[one->kind]);
        if (one->text.size > 0 && buffer_append(&text, one->text.data, one->text.size) != 0) {
            out->failed = 1;
        }
        out->failed = out->failed || one->text.failed;
        buffer_finish(&one->text);
        free(one);
    }
    free(out->table);
    int failed = out->failed;
    *out = (struct prometheus){0};
    if (failed) {
        buffer_finish(&text);
    }
    return buffer_take(&text);
}
