/* `sluice logs`: the last log lines about a connector, and those that follow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/cli/client/client.h"

static const char help[] =
    "usage: sluice logs NAME [OPTION...]\n"
    "\n"
    "Log lines of a connector and its tasks, as the worker remembers them (64 kB of each). A JVM\n"
    "worker has no such answer.\n"
    "\n"
    "  --lines N           at most so many, the last ones (default 100, 1000 at most)\n"
    "  --follow            goes on until interrupted\n";

enum { PERIOD_MS = 500, LINES = 100, LINES_MOST = 1000 };

static void print(const struct client *client, json_t *body)
{
    json_t *line;
    size_t i;
    json_array_foreach(json_object_get(body, "lines"), i, line)
    {
        if (client->json) {
            client_print_json(json_incref(line));
            continue;
        }
        json_t *task = json_object_get(line, "task");
        char who[32] = "worker";
        if (json_is_integer(task)) {
            (void)snprintf(who, sizeof(who), "task-%lld", (long long)json_integer_value(task));
        }
        char *message = client_plain_text(line, "message");
        printf("%s %s [%s] %s (%s)\n", client_text(line, "time"), client_text(line, "level"), who, message,
               client_text(line, "logger"));
        free(message);
    }
    (void)fflush(stdout);
}

static int tail(const struct client *client, const char *name, int lines, bool follow)
{
    const struct timespec pause = {.tv_nsec = PERIOD_MS * 1000000L};
    long long after = 0;
    for (;;) {
        char rest[96], message[512];
        struct client_answer answer;
        (void)snprintf(rest, sizeof(rest), "/logs?after=%lld&limit=%d", after,
                       after ? LINES_MOST : lines);
        char *path = client_path(name, rest);
        int result = client_try(client, "GET", path, NULL, &answer, message);
        free(path);
        if (result != 0) {
            /* a JVM worker knows no such path; ours names the connector that is missing */
            bool no_path = answer.status == 404 && strstr(message, "HTTP 404 Not Found");
            fprintf(stderr, "sluice %s: %s\n", client->verb,
                    no_path ? "this worker does not tell log lines over its API (a JVM worker?); "
                              "they are in its log files"
                            : message);
            client_answer_finish(&answer);
            return no_path ? CLI_ENVIRONMENT : result;
        }
        print(client, answer.body);
        after = (long long)json_integer_value(json_object_get(answer.body, "next"));
        client_answer_finish(&answer);
        if (!follow) {
            return CLI_OK;
        }
        (void)nanosleep(&pause, NULL);
    }
}

int client_logs(int argc, char **argv)
{
    bool follow = false;
    const char *text = NULL;
    struct client client = {.verb = argv[0], .help = help};
    const struct client_option options[] = {{"--lines", NULL, &text}, {"--follow", &follow, NULL}};
    int count, result = client_parse(&client, argc, argv, options, 2, &count);
    if (result < 0) {
        char *end = NULL;
        long lines = text ? strtol(text, &end, 10) : LINES;
        if (count != 1) {
            result = client_misuse(&client, "it takes one NAME");
        } else if (text && (end == text || *end || lines < 1)) {
            result = client_misuse(&client, "--lines takes a number, not '%s'", text);
        } else {
            result = tail(&client, argv[1], lines > LINES_MOST ? LINES_MOST : (int)lines, follow);
        }
    }
    client_finish(&client);
    return result;
}
