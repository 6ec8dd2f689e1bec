/* `sluice top`: connectors and how fast they move, drawn anew now and then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/cli/client/client.h"

static const char help[] =
    "usage: sluice top [OPTION...]\n"
    "\n"
    "States and throughput of all connectors, refreshed until interrupted. A JVM worker tells states\n"
    "only.\n"
    "\n"
    "  --interval SECONDS  between two looks (default 2)\n"
    "  --once              one look (two, an interval apart, for what is a second)\n";

struct seen {
    char *name;
    int64_t at; /* monotonic ms */
    int64_t records, bytes;
    double record_rate, byte_rate; /* -1: not known yet */
};

struct top {
    struct client client;
    struct seen *seen;
    size_t count;
};

static struct seen *find(struct top *top, const char *name)
{
    for (size_t i = 0; i < top->count; i++) {
        if (strcmp(top->seen[i].name, name) == 0) {
            return &top->seen[i];
        }
    }
    struct seen *grown = realloc(top->seen, (top->count + 1) * sizeof(*grown));
    char *copy = strdup(name);
    if (!grown || !copy) {
        abort();
    }
    top->seen = grown;
    grown[top->count] = (struct seen){.name = copy, .record_rate = -1, .byte_rate = -1};
    return &grown[top->count++];
}

static double rate(int64_t now, int64_t before, int64_t ms)
{
    return now >= before && ms > 0 ? (double)(now - before) * 1000 / (double)ms : 0;
}

static void remember(struct seen *seen, json_t *metrics, int64_t now)
{
    int64_t records = json_integer_value(json_object_get(metrics, "records"));
    int64_t bytes = json_integer_value(json_object_get(metrics, "bytes"));
    if (seen->at > 0) {
        seen->record_rate = rate(records, seen->records, now - seen->at);
        seen->byte_rate = rate(bytes, seen->bytes, now - seen->at);
    }
    seen->at = now;
    seen->records = records;
    seen->bytes = bytes;
}

/* "1.2 M"; "-" where it is not known. */
static const char *amount(double value, char text[32])
{
    static const char powers[] = " kMGT";
    size_t power = 0;
    if (value < 0) {
        return "-";
    }
    while (value >= 10000 && power < 4) {
        value /= 1000;
        power++;
    }
    if (power == 0) {
        (void)snprintf(text, 32, value < 10 && value != (double)(int64_t)value ? "%.1f" : "%.0f", value);
    } else {
        (void)snprintf(text, 32, "%.1f %c", value, powers[power]);
    }
    return text;
}

static double number(json_t *metrics, const char *name)
{
    json_t *value = json_object_get(metrics, name);
    return json_is_integer(value) ? (double)json_integer_value(value) : -1;
}

/* FAILED where one of its tasks is. */
static const char *overall(json_t *status, size_t *ret_running)
{
    const char *state = client_text(json_object_get(status, "connector"), "state");
    json_t *task;
    size_t i;
    *ret_running = 0;
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        const char *own = client_text(task, "state");
        *ret_running += strcmp(own, "RUNNING") == 0;
        state = strcmp(own, "FAILED") == 0 && strcmp(state, "RUNNING") == 0 ? own : state;
    }
    return state;
}

static int look(struct top *top, json_t **ret_body)
{
    struct client_answer answer;
    int result = client_ask(&top->client, "GET",
                            "/connectors?expand=status&expand=info&expand=metrics", NULL, &answer);
    int64_t now = clock_monotonic_ms();
    const char *name;
    json_t *entry;
    json_object_foreach(answer.body, name, entry)
    {
        json_t *metrics = json_object_get(entry, "metrics");
        if (metrics) {
            remember(find(top, name), metrics, now);
        }
    }
    *ret_body = result == 0 ? json_incref(answer.body) : NULL;
    client_answer_finish(&answer);
    return result;
}

static void print_line(struct table *table, const char *name, json_t *entry, const struct seen *seen)
{
    json_t *status = json_object_get(entry, "status"), *metrics = json_object_get(entry, "metrics");
    char tasks[48], a[32], b[32], c[32], d[32], e[32], f[32];
    size_t running;
    const char *state = overall(status, &running);
    (void)snprintf(tasks, sizeof(tasks), "%zu/%zu", running,
                   json_array_size(json_object_get(status, "tasks")));
    const char *const cells[] = {
        name,
        client_text(status, "type"),
        state,
        tasks,
        amount(number(metrics, "records"), a),
        amount(seen ? seen->record_rate : -1, b),
        amount(seen ? seen->byte_rate : -1, c),
        amount(number(metrics, "lag"), d),
        amount(number(metrics, "errors"), e),
        amount(number(metrics, "memory"), f),
    };
    table_add(table, cells);
}

static void print(struct top *top, json_t *body, bool screen)
{
    static const char *const heads[] = {"NAME",    "TYPE", "STATE", "TASKS",  "RECORDS",
                                        "REC/S", "B/S",  "LAG",   "ERRORS", "MEMORY"};
    const char *name;
    json_t *entry;
    if (top->client.json) {
        json_object_foreach(body, name, entry)
        {
            const struct seen *seen = json_object_get(entry, "metrics") ? find(top, name) : NULL;
            json_object_set_new(entry, "records_per_s",
                                seen && seen->record_rate >= 0 ? json_real(seen->record_rate)
                                                               : json_null());
            json_object_set_new(entry, "bytes_per_s",
                                seen && seen->byte_rate >= 0 ? json_real(seen->byte_rate)
                                                             : json_null());
            json_object_del(entry, "info");
        }
        client_print_json(json_incref(body));
        (void)fflush(stdout);
        return;
    }
    time_t now = time(NULL);
    struct tm local;
    char when[32], url[256];
    (void)localtime_r(&now, &local);
    (void)strftime(when, sizeof(when), "%H:%M:%S", &local);
    client_shown_url(&top->client, url, sizeof(url));
    printf("%s%s  %s  %zu connectors\n\n", screen ? "\033[H\033[J" : "", when, url,
           json_object_size(body));
    struct table *table = table_create(heads, sizeof(heads) / sizeof(heads[0]));
    json_object_foreach(body, name, entry)
    {
        print_line(table, name, entry,
                   json_object_get(entry, "metrics") ? find(top, name) : NULL);
    }
    table_print(table);
    (void)fflush(stdout);
}

static void wait_for(double seconds)
{
    const struct timespec pause = {.tv_sec = (time_t)seconds,
                                   .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    (void)nanosleep(&pause, NULL);
}

static int run(struct top *top, double interval, bool once)
{
    bool screen = isatty(STDOUT_FILENO) && !once && !top->client.json;
    for (int round = 0;; round++) {
        json_t *body = NULL;
        int result = look(top, &body);
        if (result != 0) {
            return result;
        }
        if (!once || round == 1) {
            print(top, body, screen);
        }
        json_decref(body);
        if (once && round == 1) {
            return CLI_OK;
        }
        wait_for(interval);
    }
}

int client_top(int argc, char **argv)
{
    bool once = false;
    const char *text = NULL;
    struct top top = {.client = {.verb = argv[0], .help = help}};
    const struct client_option options[] = {{"--interval", NULL, &text}, {"--once", &once, NULL}};
    int count, result = client_parse(&top.client, argc, argv, options, 2, &count);
    if (result < 0) {
        char *end = NULL;
        double interval = text ? strtod(text, &end) : 2;
        if (count != 0) {
            result = client_misuse(&top.client, "it takes no '%s'", argv[1]);
        } else if (text && (end == text || *end || !(interval >= 0.1 && interval < 1e6))) {
            result = client_misuse(&top.client, "--interval takes seconds, 0.1 or more, not '%s'",
                                   text);
        } else {
            result = run(&top, interval, once);
        }
    }
    for (size_t i = 0; i < top.count; i++) {
        free(top.seen[i].name);
    }
    free(top.seen);
    client_finish(&top.client);
    return result;
}
