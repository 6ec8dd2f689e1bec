#include "core/metrics/prometheus.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/metrics/prometheus_help.h"
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

static size_t append_name(char name[NAME_MAX_SIZE], size_t size, const char *text)
{
    for (; *text && size < NAME_MAX_SIZE - 1; text++) {
        bool good = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                    (*text >= '0' && *text <= '9');
        name[size++] = good ? *text : '_';
    }
    return size;
}

/* kafka_connect_sink_task_metrics_put_batch_max_time_ms */
static void make_name(char name[NAME_MAX_SIZE], const char *type, const char *attribute)
{
    size_t size = append_name(name, 0, "kafka_connect_");
    size = append_name(name, size, type);
    size = append_name(name, size, "_");
    name[append_name(name, size, attribute)] = '\0';
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
            memcpy((*slot)->name, name, strlen(name) + 1);
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
    char digits[40];
    if (value != floor(value) || fabs(value) >= 1e15) {
        (void)snprintf(digits, sizeof(digits), "%.6g\n", value);
        (void)buffer_append_text(text, digits);
        return;
    }
    /* whole numbers are nearly all of them, and printf is what a page costs most */
    char *p = digits + sizeof(digits);
    uint64_t left = (uint64_t)fabs(value);
    *--p = '\0';
    *--p = '\n';
    do {
        *--p = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        *--p = '-';
    }
    (void)buffer_append_text(text, p);
}

/* suffix: _bucket and the like. labels, more: `a="1",b="2"`, each may be empty. */
static void line(struct prometheus_family *family, const char *suffix, const char *labels,
                 const char *more, double value)
{
    struct buffer *text = &family->text;
    (void)buffer_append_text(text, family->name);
    (void)buffer_append_text(text, suffix);
    if (*labels || *more) {
        (void)buffer_append_char(text, '{');
        (void)buffer_append_text(text, labels);
        (void)buffer_append_text(text, *labels && *more ? "," : "");
        (void)buffer_append_text(text, more);
        (void)buffer_append_char(text, '}');
    }
    (void)buffer_append_char(text, ' ');
    append_value(text, value);
}

/* Owned by the caller; "" for none. */
static char *labels_text(const char *const *labels)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    (void)buffer_append_text(&text, "");
    for (size_t i = 0; labels && labels[i]; i += 2) {
        (void)buffer_printf(&text, "%s%s=\"", i ? "," : "", labels[i]);
        append_label(&text, labels[i + 1]);
        (void)buffer_append_char(&text, '"');
    }
    char *taken = buffer_take(&text);
    return taken ? taken : strdup("");
}

static void add(struct prometheus *out, const char *type, const char *attribute,
                enum prometheus_type kind, const char *labels, double value)
{
    struct prometheus_family *to = family(out, type, attribute, kind);
    if (to) {
        line(to, "", labels, "", value);
    }
}

void prometheus_add(struct prometheus *out, const char *type, const char *attribute,
                    enum prometheus_type kind, const char *const *labels, double value)
{
    char *text = labels_text(labels);
    add(out, type, attribute, kind, text ? text : "", value);
    free(text);
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

static void add_slots(struct prometheus *out, const char *type, const char *labels,
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
            add(out, type ? type : type_of(name), name,
                used == 1 ? PROMETHEUS_COUNTER : PROMETHEUS_GAUGE, labels,
                (double)atomic_load(&slot->value));
        }
    }
}

static void add_word(struct prometheus *out, const char *type, const char *labels,
                     const char *name, const char *word, enum prometheus_type kind, double value)
{
    char attribute[96];
    const char *star = strchr(name, '*');
    (void)snprintf(attribute, sizeof(attribute), "%.*s%s%s",
                   star ? (int)(star - name) : (int)strlen(name), name, word, star ? star + 1 : "");
    add(out, type ? type : type_of(attribute), attribute, kind, labels, value);
}

static void add_stats(struct prometheus *out, const char *type, const char *labels,
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

static void add_stages(struct prometheus *out, const char *labels, const struct metrics_page *page)
{
    /* metrics_bounds in seconds, with the quote behind: made beforehand, as there are many */
    static const char *const ends[METRICS_BUCKETS + 1] = {
        "1e-06\"", "5e-06\"", "2e-05\"", "0.0001\"", "0.0005\"", "0.001\"", "0.005\"",
        "0.02\"",  "0.1\"",   "0.5\"",   "1\"",      "5\"",      "30\"",    "+Inf\""};
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
        double sum = 0;
        char more[64];
        size_t size = (size_t)snprintf(more, sizeof(more), "stage=\"%s\",le=\"", names[s]);
        for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
            memcpy(more + size, ends[i], strlen(ends[i]) + 1);
            sum += counts[i];
            line(to, "_bucket", labels, more, sum);
        }
        (void)snprintf(more, sizeof(more), "stage=\"%s\"", names[s]);
        line(to, "_sum", labels, more, (double)atomic_load(&histogram->sum) / 1e9);
        line(to, "_count", labels, more, all);
    }
}

void prometheus_page(struct prometheus *out, const char *connector, int task,
                     const struct metrics_page *page)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%d", task);
    const char *const pairs[] = {"connector", connector, "task", number, NULL};
    char *labels = labels_text(pairs);
    int64_t now = clock_monotonic_ms();
    if (!labels) {
        out->failed = 1;
        return;
    }
    add_slots(out, NULL, labels, page);
    add_stats(out, NULL, labels, page);
    add_stages(out, labels, page);
    if (atomic_load(&page->state_since) > 0) {
        add(out, "connector-task-metrics", "running-ratio", PROMETHEUS_GAUGE, labels,
            metrics_ratio(page, METRICS_RUNNING, now));
        add(out, "connector-task-metrics", "pause-ratio", PROMETHEUS_GAUGE, labels,
            metrics_ratio(page, METRICS_PAUSED, now));
    }
    free(labels);
}

void prometheus_own_page(struct prometheus *out, const char *type, const struct metrics_page *page)
{
    add_slots(out, type, "", page);
    add_stats(out, type, "", page);
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
        const char *help = prometheus_help(one->name);
        if (help) {
            (void)buffer_printf(&text, "# HELP %s %s\n", one->name, help);
        }
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
