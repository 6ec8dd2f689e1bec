/* sluice: picks the verb. Each verb is a file of its own (cli.h). */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"
#include "core/cli/streams.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *doc;
};

/* By name, as --help lists them. */
static const struct verb verbs[] = {
    {"check", verb_check, "check configuration files, offline: every error at once"},
    {"connectors", verb_client, "list, create, change and delete connectors of a running worker"},
    {"consume", verb_consume, "print the records of a topic"},
    {"logs", verb_client, "log lines of a connector"},
    {"offsets", verb_client, "how far a connector is, and changing that"},
    {"pause", verb_client, "pause connectors"},
    {"plugins", verb_plugins, "list, describe, check and start plugins"},
    {"produce", verb_produce, "write lines to a topic"},
    {"restart", verb_client, "restart connectors or tasks"},
    {"resume", verb_client, "run connectors that were paused or stopped"},
    {"run", verb_run, "run connectors; with an embedded log where no broker is named"},
    {"schedule", verb_schedule, "print when a cron expression is due"},
    {"standalone", verb_standalone, "run a worker and its connectors as connect-standalone does"},
    {"status", verb_client, "states of connectors and tasks, with traces"},
    {"stop", verb_client, "stop connectors"},
    {"test", verb_test, "test pipelines: records in, records expected, what differs"},
    {"top", verb_client, "connectors and their throughput, live"},
    {"topics", verb_topics, "list, create, change and delete topics"},
    {"transform", verb_transform, "run JSON lines through a chain of transforms"},
    {"validate", verb_client, "check a configuration by the worker that would run it"},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static void usage(FILE *out)
{
    fputs("usage: sluice VERB [ARGUMENT...]\n\n", out);
    for (size_t i = 0; i < VERBS; i++) {
        fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].doc);
    }
    fputs("\n`sluice VERB --help` tells more. `sluice --version` tells the version.\n", out);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance; texts longer than a verb can be are far away. */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 32 };
    size_t row[MOST + 1], m = strlen(a), n = strlen(b);
    if (m > MOST || n > MOST) {
        return MOST;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            row[j] = smaller(smaller(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

static int unknown(const char *name)
{
    const struct verb *nearest = NULL;
    size_t best = 3; /* further away is no slip of the finger */
    for (size_t i = 0; i < VERBS; i++) {
        size_t d = distance(name, verbs[i].name);
        if (d < best) {
            best = d;
            nearest = &verbs[i];
        }
    }
    fprintf(stderr, "sluice: there is no verb '%s'%s%s%s; `sluice --help` lists them\n", name,
            nearest ? " (did you mean '" : "", nearest ? nearest->name : "", nearest ? "'?)" : "");
    return CLI_BAD_INPUT;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    streams_hold();
    if (!name) {
        usage(stderr);
        return CLI_BAD_INPUT;
    }
    static char help[] = "--help";
    if (strcmp(name, "help") == 0 && argc > 2) { /* of a verb */
        name = argv[2];
        argv[1] = argv[2];
        argv[2] = help;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return streams_written("sluice", CLI_OK);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        puts("sluice " SLUICE_VERSION);
        return streams_written("sluice", CLI_OK);
    }
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return streams_written("sluice", verbs[i].run(argc - 1, argv + 1));
        }
    }
    return unknown(name);
}
