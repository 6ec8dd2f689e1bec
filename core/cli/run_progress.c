#include "core/cli/run_progress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/clock.h"
#include "core/base/log_output.h"
#include "lib/util/plain_text.h"

enum { NAME_WIDTH = 20, LINE_MOST = 1 << 20 };

struct seen {
    char *name;
    char state[96];
    int64_t records, bytes, objects, lag;
    bool shown; /* in this round */
};

struct run_progress {
    struct herder *herder;
    bool terminal, json;
    struct seen *seen;
    size_t count;
    int64_t last; /* monotonic ms of the last round */
    int64_t elapsed;
    pthread_mutex_t lock; /* of the terminal */
    int drawn;            /* lines of the table on the screen */
};

static void erase(struct run_progress *progress)
{
    if (progress->drawn > 0) {
        printf("\033[%dA\033[J", progress->drawn);
        progress->drawn = 0;
    }
}

/* Warnings stand above the table. [any thread, under the log's lock] */
static void on_log_line(void *user, enum log_level level, const char *context, const char *text)
{
    struct run_progress *progress = user;
    if (level < LOG_LEVEL_WARN) {
        return;
    }
    struct buffer line; /* what records and plugins bring along does not steer the terminal */
    buffer_init(&line, LINE_MOST);
    (void)plain_text_append(&line, context ? context : "");
    (void)plain_text_append(&line, text);
    pthread_mutex_lock(&progress->lock);
    erase(progress);
    printf("%s %s\n", log_level_name(level), line.size > 0 ? line.data : "");
    (void)fflush(stdout);
    pthread_mutex_unlock(&progress->lock);
    buffer_finish(&line);
}

struct run_progress *run_progress_create(struct herder *herder, bool terminal, bool json)
{
    struct run_progress *progress = calloc(1, sizeof(*progress));
    if (!progress) {
        return NULL;
    }
    progress->herder = herder;
    progress->terminal = terminal;
    progress->json = json;
    pthread_mutex_init(&progress->lock, NULL);
    if (terminal) {
        log_output_also(on_log_line, progress);
    }
    return progress;
}

void run_progress_destroy(struct run_progress *progress)
{
    if (!progress) {
        return;
    }
    if (progress->terminal) {
        log_output_also(NULL, NULL);
    }
    for (size_t i = 0; i < progress->count; i++) {
        free(progress->seen[i].name);
    }
    free(progress->seen);
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}

void run_progress_clear(struct run_progress *progress)
{
    pthread_mutex_lock(&progress->lock);
    erase(progress);
    (void)fflush(stdout);
    pthread_mutex_unlock(&progress->lock);
}

/* "12.3 kB", "411": three figures are enough to read. */
static const char *amount(double value, const char *unit, char text[32])
{
    static const char *const powers[] = {"", "k", "M", "G", "T"};
    size_t power = 0;
    while (value >= 10000 && power < 4) {
        value /= 1000;
        power++;
    }
    (void)snprintf(text, 32, power || value != (double)(int64_t)value ? "%.1f%s%s%s" : "%.0f%s%s%s",
                   value, *unit || power ? " " : "", powers[power], unit);
    return text;
}

static struct seen *find(struct run_progress *progress, const char *name)
{
    for (size_t i = 0; i < progress->count; i++) {
        if (strcmp(progress->seen[i].name, name) == 0) {
            return &progress->seen[i];
        }
    }
    struct seen *grown = realloc(progress->seen, (progress->count + 1) * sizeof(*grown));
    char *copy = strdup(name);
    if (!grown || !copy) {
        abort();
    }
    progress->seen = grown;
    grown[progress->count] = (struct seen){.name = copy, .lag = -1};
    return &grown[progress->count++];
}

static void state_text(const struct herder_progress *p, char *text, size_t size)
{
    if (p->failed > 0) {
        (void)snprintf(text, size, "%s, %d of %d tasks FAILED", p->state, p->failed, p->tasks);
    } else if (p->running == p->tasks) {
        (void)snprintf(text, size, "%s, %d task%s", p->state, p->tasks, p->tasks == 1 ? "" : "s");
    } else {
        (void)snprintf(text, size, "%s, %d of %d tasks running", p->state, p->running, p->tasks);
    }
}

static void print_json(const struct herder_progress *p, double records, double bytes)
{
    json_t *line = json_pack(
        "{s:s,s:s,s:s,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:f,s:f}", "connector", p->name, "type", p->type,
        "state", p->state, "tasks", p->tasks, "running", p->running, "failed", p->failed, "records",
        (json_int_t)p->records, "bytes", (json_int_t)p->bytes, "objects", (json_int_t)p->objects,
        "lag", (json_int_t)p->lag, "records_per_s", records, "bytes_per_s", bytes);
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6));
    printf("%s\n", text ? text : "{}");
    free(text);
    json_decref(line);
}

static void on_progress(void *user, const struct herder_progress *p)
{
    struct run_progress *progress = user;
    struct seen *seen = find(progress, p->name);
    char state[sizeof(seen->state)], a[32], b[32], c[32], d[32], e[32];
    double seconds = progress->elapsed > 0 ? (double)progress->elapsed / 1000 : 1;
    double records = (double)(p->records - seen->records) / seconds;
    double bytes = (double)(p->bytes - seen->bytes) / seconds;
    state_text(p, state, sizeof(state));
    bool changed = strcmp(state, seen->state) != 0 || p->records != seen->records ||
                   p->objects != seen->objects || p->lag != seen->lag;
    (void)snprintf(seen->state, sizeof(seen->state), "%s", state);
    seen->records = p->records;
    seen->bytes = p->bytes;
    seen->objects = p->objects;
    seen->lag = p->lag;
    if (progress->json) {
        if (changed) {
            print_json(p, records, bytes);
        }
    } else if (progress->terminal) {
        printf("%-*.*s %-28.28s %9s %9s/s %10s/s %8s", NAME_WIDTH, NAME_WIDTH, p->name, state,
               amount((double)p->records, "", a), amount(records, "", b), amount(bytes, "B", c),
               p->objects ? amount((double)p->objects, "", d) : "");
        printf(" %8s\033[K\n", p->lag >= 0 ? amount((double)p->lag, "", e) : "");
        progress->drawn++;
    } else if (changed) {
        printf("%s: %s, %s records, %s/s, %s/s", p->name, state, amount((double)p->records, "", a),
               amount(records, "", b), amount(bytes, "B", c));
        if (p->objects) {
            printf(", %s objects", amount((double)p->objects, "", d));
        }
        if (p->lag >= 0) {
            printf(", lag %s", amount((double)p->lag, "", e));
        }
        printf("\n");
    }
}

void run_progress_show(struct run_progress *progress)
{
    int64_t now = clock_monotonic_ms();
    if (!progress->terminal && progress->last && now - progress->last < RUN_PROGRESS_LINES_MS) {
        return;
    }
    progress->elapsed = progress->last ? now - progress->last : 0;
    progress->last = now;
    pthread_mutex_lock(&progress->lock);
    if (progress->terminal && !progress->json) {
        erase(progress);
        printf("%-*s %-28s %9s %11s %12s %8s %8s\033[K\n", NAME_WIDTH, "connector", "state",
               "records", "records/s", "bytes/s", "objects", "lag");
        progress->drawn = 1;
    }
    herder_progress(progress->herder, on_progress, progress);
    (void)fflush(stdout);
    pthread_mutex_unlock(&progress->lock);
}

static void on_summary(void *user, const struct herder_progress *p)
{
    struct run_summary *summary = user;
    summary->connectors++;
    summary->tasks += p->tasks;
    summary->failed += p->failed > 0 || strcmp(p->state, "FAILED") == 0;
    summary->settled = summary->settled && p->settled;
    summary->moved += p->records;
    summary->lag += p->lag > 0 ? p->lag : 0;
    summary->active += p->active;
    summary->committing = summary->committing || p->committing;
}

void run_summarise(struct herder *herder, struct run_summary *ret_summary)
{
    *ret_summary = (struct run_summary){.settled = true};
    herder_progress(herder, on_summary, ret_summary);
}
