#include "core/base/log_tail.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json_text.h"

enum { TAIL_BYTES = 64 * 1024, TAIL_CONNECTORS = 1024, TEXT_MOST = 8 * 1024 };

struct line {
    int64_t seq;
    int task;
    size_t size; /* of all it takes */
    const char *time, *level, *logger, *text;
    struct line *next;
    char data[];
};

struct tail {
    char *connector;
    size_t bytes;
    int64_t seq; /* of the newest */
    struct line *first, **end;
    struct tail *next; /* the one that spoke before; newest speaker first */
};

static struct tail *tails;
static size_t count;

char *log_context_parse(const char *context, int *ret_task)
{
    *ret_task = -1;
    size_t size = context ? strlen(context) : 0;
    while (size > 0 && context[size - 1] == ' ') {
        size--;
    }
    if (size < 3 || context[0] != '[' || context[size - 1] != ']') {
        return NULL;
    }
    const char *end = context + size - 1, *bar = NULL;
    for (const char *p = context + 1; p < end; p++) { /* a name may hold | itself */
        if (*p == '|' && (strncmp(p, "|task-", 6) == 0 || strncmp(p, "|worker", 7) == 0)) {
            bar = p;
        }
    }
    if (!bar) {
        return NULL;
    }
    if (strncmp(bar, "|task-", 6) == 0) {
        *ret_task = atoi(bar + 6);
    }
    return strndup(context + 1, (size_t)(bar - context - 1));
}

static void drop_first(struct tail *tail)
{
    struct line *line = tail->first;
    tail->first = line->next;
    if (!tail->first) {
        tail->end = &tail->first;
    }
    tail->bytes -= line->size;
    free(line);
}

static void tail_free(struct tail *tail)
{
    while (tail->first) {
        drop_first(tail);
    }
    free(tail->connector);
    free(tail);
    count--;
}

static struct tail **find(const char *connector)
{
    struct tail **link = &tails;
    while (*link && strcmp((*link)->connector, connector) != 0) {
        link = &(*link)->next;
    }
    return link;
}

/* Moved to the front; made where it is missing. */
static struct tail *take(const char *connector)
{
    struct tail **link = find(connector), *tail = *link;
    if (tail) {
        *link = tail->next;
    } else {
        tail = calloc(1, sizeof(*tail));
        if (!tail || !(tail->connector = strdup(connector))) {
            free(tail);
            return NULL;
        }
        tail->end = &tail->first;
        if (++count > TAIL_CONNECTORS) {
            struct tail **last = &tails;
            while ((*last)->next) {
                last = &(*last)->next;
            }
            tail_free(*last);
            *last = NULL;
        }
    }
    tail->next = tails;
    tails = tail;
    return tail;
}

static const char *put(char **at, const char *text, size_t size)
{
    char *begin = *at;
    memcpy(begin, text, size);
    begin[size] = '\0';
    *at += size + 1;
    return begin;
}

void log_tail_add(const char *connector, int task, const char *time, const char *level,
                  const char *logger, const char *text)
{
    struct tail *tail = take(connector);
    size_t text_size = strnlen(text, TEXT_MOST);
    size_t size = sizeof(struct line) + strlen(time) + strlen(level) + strlen(logger) + text_size + 4;
    struct line *line = tail ? malloc(size) : NULL;
    if (!line) {
        return;
    }
    char *at = line->data;
    *line = (struct line){.seq = ++tail->seq, .task = task, .size = size};
    line->time = put(&at, time, strlen(time));
    line->level = put(&at, level, strlen(level));
    line->logger = put(&at, logger, strlen(logger));
    line->text = put(&at, text, text_size);
    *tail->end = line;
    tail->end = &line->next;
    tail->bytes += size;
    while (tail->bytes > TAIL_BYTES && tail->first != line) {
        drop_first(tail);
    }
}

json_t *log_tail_lines(const char *connector, int64_t after, int most)
{
    json_t *lines = json_array();
    const struct tail *tail = *find(connector);
    int64_t next = tail ? tail->seq : 0;
    int64_t from = after > next ? 0 : after; /* the worker was started anew: its numbers too */
    int found = 0;
    for (const struct line *line = tail ? tail->first : NULL; line; line = line->next) {
        found += line->seq > from;
    }
    for (const struct line *line = tail ? tail->first : NULL; line; line = line->next) {
        if (line->seq <= from || found-- > most) {
            continue;
        }
        json_array_append_new(
            lines, json_pack("{s:I,s:s,s:s,s:o,s:o,s:o}", "seq", (json_int_t)line->seq, "time",
                             line->time, "level", line->level, "logger", json_text(line->logger), "task",
                             line->task >= 0 ? json_integer(line->task) : json_null(), "message",
                             json_text(line->text)));
    }
    return json_pack("{s:o,s:I}", "lines", lines, "next", (json_int_t)next);
}

void log_tail_forget(const char *connector)
{
    struct tail **link = find(connector), *tail = *link;
    if (tail) {
        *link = tail->next;
        tail_free(tail);
    }
}

void log_tail_clear(void)
{
    while (tails) {
        struct tail *tail = tails;
        tails = tail->next;
        tail_free(tail);
    }
}
