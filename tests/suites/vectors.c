/*
 * Runs recorded cases of what Kafka Connect's classes do, of every kind in any order:
 *
 *     vectors [--quiet] FILE.jsonl...       `-`: standard input
 *
 * Prints a line a case (`ok ID`, `FAILED ID: why`, `left out ID: why`; --quiet: not the passed ones),
 * a score a group, and closes with `N passed, N failed`. Exit 1 where any failed, 2 where a file
 * cannot be read. A line that is no case of a known kind counts as failed. One thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites/vectors.h"
#include "tests/support/built_plugins.h"

enum { MOST_GROUPS = 256 };

struct group {
    char name[64];
    int counts[3]; /* by outcome */
};

struct plugin_environment vectors_environment;
static struct group groups[MOST_GROUPS];
static size_t group_count;
static bool quiet;

const char *vector_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool vector_null(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return !member || json_is_null(member);
}

struct sluice_span vector_span(const json_t *text)
{
    return (struct sluice_span){json_string_value(text), json_string_length(text)};
}

enum outcome vector_wrong(struct vector_case *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(run->why, sizeof(run->why), format, args);
    va_end(args);
    return WRONG;
}

struct sluice_span vector_bytes(struct vector_case *run, const char *name)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct sluice_span text = vector_span(json_object_get(run->test, name));
    if (!text.data) {
        return text;
    }
    char *out = arena_alloc(batch_arena(run->batch), text.size + 1);
    size_t size = 0;
    unsigned bits = 0, count = 0;
    for (size_t i = 0; i < text.size && text.data[i] != '='; i++) {
        const char *digit = strchr(digits, text.data[i]);
        bits = bits << 6 | (unsigned)(digit ? digit - digits : 0);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[size++] = (char)(bits >> count);
        }
    }
    out[size] = '\0';
    return (struct sluice_span){out, size};
}

/* The function for a case, told by the members that only its kind has; NULL: none. */
static enum outcome (*kind_of(const json_t *test))(struct vector_case *)
{
    const char *kind = vector_text(test, "kind"), *mode = vector_text(test, "mode");
    bool values = kind && json_is_object(json_object_get(test, "config"));
    if (json_is_array(json_object_get(test, "records_in"))) {
        return kind && (strcmp(kind, "sink") == 0 || strcmp(kind, "source") == 0)
                   ? vectors_transform
                   : NULL;
    }
    if (json_is_object(json_object_get(test, "record")) && vector_text(test, "class")) {
        return kind ? vectors_predicate : NULL;
    }
    if (mode) {
        return kind && (strcmp(mode, "bytes") == 0 || strcmp(mode, "data") == 0)
                   ? vectors_converter
                   : NULL;
    }
    if (vector_text(test, "text_b64")) {
        return vectors_properties;
    }
    if (vector_text(test, "pattern") && vector_text(test, "input")) {
        return vectors_regex;
    }
    if (kind && strcmp(kind, "key") == 0) {
        return vectors_key;
    }
    return values && strcmp(kind, "validate_plugin") == 0 ? vectors_validate : NULL;
}

static struct group *group_of(const json_t *test)
{
    const char *text = vector_text(test, "group");
    text = text ? text : "unknown";
    for (size_t i = 0; i < group_count; i++) {
        if (strcmp(groups[i].name, text) == 0) {
            return &groups[i];
        }
    }
    struct group *group = &groups[group_count < MOST_GROUPS - 1 ? group_count++ : group_count - 1];
    (void)snprintf(group->name, sizeof(group->name), "%s", text);
    return group;
}

static void run_line(const char *path, size_t number, const char *line, size_t size)
{
    struct vector_case run = {.batch = batch_new(NULL), .why = "-"};
    struct sluice_value *value = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    enum outcome outcome = WRONG;
    char place[512];
    (void)snprintf(place, sizeof(place), "%s:%zu", path, number);
    const char *id = place;
    if (data_api.from_json(run.batch, line, size, SLUICE_JSON_CONNECT, &value, &error) != SLUICE_OK) {
        vector_wrong(&run, "no JSON: %s (column %u)", error.message, error.column);
    } else {
        run.test = vector_json(value);
        id = vector_text(run.test, "id") ? vector_text(run.test, "id") : place;
        enum outcome (*kind)(struct vector_case *) = kind_of(run.test);
        const char *named = vector_text(run.test, "kind");
        if (kind) {
            outcome = kind(&run);
        } else if (named && strcmp(named, "validate_connector") == 0) {
            /* the herder's, put to a worker over HTTP: tests/suites/run_vectors.sh */
            json_decref(run.test);
            records_api.release(run.batch);
            return;
        } else {
            vector_wrong(&run, "not a case of a kind that is known");
        }
    }
    group_of(run.test)->counts[outcome]++;
    if (outcome != PASSED) {
        printf("%s %s: %s\n", outcome == WRONG ? "FAILED" : "left out", id, run.why);
    } else if (!quiet) {
        printf("ok %s\n", id);
    }
    json_decref(run.test);
    records_api.release(run.batch);
}

static void run_file(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file) {
        perror(path);
        exit(2);
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    for (size_t number = 1; (size = getline(&line, &room, file)) > 0; number++) {
        if (strspn(line, " \t\r\n") < (size_t)size) {
            run_line(path, number, line, (size_t)size);
        }
    }
    free(line);
    if (file != stdin) {
        (void)fclose(file);
    }
}

int main(int argc, char **argv)
{
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "--quiet") == 0) {
        quiet = true;
        first = 2;
    }
    vectors_environment.registry = built_plugins();
    vectors_environment.log_context = "";
    if (vectors_json_init() != 0) {
        return 2;
    }
    for (int i = first; i < argc; i++) {
        run_file(argv[i]);
    }
    int totals[3] = {0};
    for (size_t i = 0; i < group_count; i++) {
        const int *counts = groups[i].counts;
        if (!quiet || counts[WRONG] > 0) {
            printf("%-36s %5d of %5d\n", groups[i].name, counts[PASSED],
                   counts[PASSED] + counts[WRONG]);
        }
        for (int k = 0; k < 3; k++) {
            totals[k] += counts[k];
        }
    }
    vectors_json_finish();
    registry_destroy(vectors_environment.registry);
    if (totals[LEFT_OUT] > 0) {
        printf("%d left out\n", totals[LEFT_OUT]);
    }
    printf("%d passed, %d failed\n", totals[PASSED], totals[WRONG]);
    return totals[WRONG] > 0;
}
