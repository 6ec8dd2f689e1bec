/* `sluice status`, and what changes the state of connectors: pause, resume, stop, restart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/client/client.h"

/* -- status -- */

static const char status_help[] =
    "usage: sluice status [NAME...] [OPTION...]\n"
    "\n"
    "States of connectors and tasks, with the traces of those that failed; without a NAME: of all.\n"
    "Of sources with schedule.cron also the next runs, and how the last one went.\n"
    "Exit status 1 also where one of them is FAILED.\n"
    "\n"
    "  --quiet             no traces\n";

static bool print_state(json_t *state, const char *what, bool quiet)
{
    const char *word = client_text(state, "state");
    char *trace = client_plain_text(state, "trace");
    printf("%s  %s  %s\n", what, word, client_text(state, "worker_id"));
    for (const char *line = trace; !quiet && *line;) {
        size_t size = strcspn(line, "\n");
        printf("      %.*s\n", (int)size, line);
        line += size + (line[size] == '\n');
    }
    free(trace);
    return strcmp(word, "FAILED") == 0;
}

static void print_schedule(json_t *schedule)
{
    json_t *entry;
    size_t i;
    printf("  schedule  %s  %s\n", client_text(schedule, "cron"), client_text(schedule, "timezone"));
    json_array_foreach(json_object_get(schedule, "next_runs"), i, entry)
    {
        printf("    %s  %s\n", i ? "then" : "next", json_string_value(entry));
    }
    json_array_foreach(json_object_get(schedule, "last_runs"), i, entry)
    {
        char *how = client_plain_text(entry, "result"); /* words of whoever refused it, maybe */
        printf("    last  %s  task %lld, %s to %s, attempts %lld, records %lld: %s\n",
               client_text(entry, "tick"), (long long)json_integer_value(json_object_get(entry, "task")),
               client_text(entry, "begin"), client_text(entry, "end"),
               (long long)json_integer_value(json_object_get(entry, "attempts")),
               (long long)json_integer_value(json_object_get(entry, "records")),
               how);
        free(how);
    }
}

/* True where something failed. */
static bool print_status(json_t *status, bool quiet)
{
    char what[48];
    json_t *task;
    size_t i;
    printf("%s (%s)\n", client_text(status, "name"), client_text(status, "type"));
    bool failed = print_state(json_object_get(status, "connector"), "  connector", quiet);
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        (void)snprintf(what, sizeof(what), "  task %lld",
                       (long long)json_integer_value(json_object_get(task, "id")));
        failed = print_state(task, what, quiet) || failed;
    }
    if (json_object_get(status, "schedule")) {
        print_schedule(json_object_get(status, "schedule"));
    }
    return failed;
}

static bool has_failed(json_t *status)
{
    json_t *task;
    size_t i;
    bool failed =
        strcmp(client_text(json_object_get(status, "connector"), "state"), "FAILED") == 0;
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        failed = failed || strcmp(client_text(task, "state"), "FAILED") == 0;
    }
    return failed;
}

static int status_of_all(const struct client *client, json_t *list)
{
    struct client_answer answer;
    int result = client_ask(client, "GET", "/connectors?expand=status", NULL, &answer);
    const char *name;
    json_t *entry;
    json_object_foreach(answer.body, name, entry)
    {
        json_array_append(list, json_object_get(entry, "status"));
    }
    client_answer_finish(&answer);
    return result;
}

int client_status(int argc, char **argv)
{
    bool quiet = false, failed = false;
    struct client client = {.verb = argv[0], .help = status_help};
    const struct client_option options[] = {{"--quiet", &quiet, NULL}};
    json_t *list = json_array(), *status;
    size_t at;
    int count, result = client_parse(&client, argc, argv, options, 1, &count);
    if (result >= 0) {
        goto out;
    }
    result = 0;
    if (count == 0) {
        result = status_of_all(&client, list);
    }
    for (int i = 1; i <= count; i++) {
        struct client_answer answer;
        char *path = client_path(argv[i], "/status");
        int one = client_ask(&client, "GET", path, NULL, &answer);
        result = result ? result : one;
        if (one == 0) {
            json_array_append(list, answer.body);
        }
        client_answer_finish(&answer);
        free(path);
    }
    json_array_foreach(list, at, status)
    {
        failed = (client.json ? has_failed(status) : print_status(status, quiet)) || failed;
    }
    if (client.json && (result == 0 || json_array_size(list) > 0)) {
        client_print_json(json_incref(list));
    }
    result = result ? result : failed ? CLI_FAILED : CLI_OK;
out:
    json_decref(list);
    client_finish(&client);
    return result;
}

/* -- changes -- */

static const struct life {
    const char *verb, *method, *path, *done, *help;
} lives[] = {
    {"pause", "PUT", "/pause", "is being paused",
     "usage: sluice pause NAME... [OPTION...]\n\nTasks stay, and do nothing until resumed.\n\n"},
    {"resume", "PUT", "/resume", "is being resumed",
     "usage: sluice resume NAME... [OPTION...]\n\nRuns what was paused or stopped.\n\n"},
    {"stop", "PUT", "/stop", "is stopped",
     "usage: sluice stop NAME... [OPTION...]\n\nTasks end; configuration and offsets stay. `sluice "
     "resume` starts it again.\n\n"},
    {"restart", "POST", "/restart", "is being restarted",
     "usage: sluice restart NAME... [OPTION...]\n\n"
     "  --tasks             its tasks too\n"
     "  --failed            only what is FAILED, tasks included\n"
     "  --task N            this task alone\n"},
};

int client_life(int argc, char **argv)
{
    const struct life *life = lives;
    bool tasks = false, failed = false;
    const char *task = NULL;
    while (strcmp(life->verb, argv[0]) != 0) {
        life++;
    }
    struct client client = {.verb = argv[0], .help = life->help};
    const struct client_option options[] = {
        {"--tasks", &tasks, NULL}, {"--failed", &failed, NULL}, {"--task", NULL, &task}};
    bool restart = strcmp(life->verb, "restart") == 0;
    int count, result = client_parse(&client, argc, argv, options, restart ? 3 : 0, &count);
    if (result >= 0) {
        goto out;
    }
    if (count == 0 || (task && (count != 1 || strspn(task, "0123456789") != strlen(task)))) {
        result = client_misuse(&client, "it takes %s", task ? "one NAME, and --task a number"
                                                            : "at least one NAME");
        goto out;
    }
    result = 0;
    for (int i = 1; i <= count; i++) {
        char rest[128];
        struct client_answer answer;
        (void)snprintf(rest, sizeof(rest), "%s", life->path);
        if (task) {
            (void)snprintf(rest, sizeof(rest), "/tasks/%.20s/restart", task);
        } else if (tasks || failed) {
            (void)snprintf(rest, sizeof(rest), "/restart?includeTasks=true&onlyFailed=%s",
                           failed ? "true" : "false");
        }
        char *path = client_path(argv[i], rest);
        int one = client_ask(&client, life->method, path, NULL, &answer);
        result = result ? result : one;
        if (one == 0 && client.json) {
            client_print_json(answer.body ? json_incref(answer.body)
                                          : json_pack("{s:s,s:i}", "name", argv[i], "status",
                                                      answer.status));
        } else if (one == 0) {
            printf("%s %s\n", argv[i], life->done);
        }
        client_answer_finish(&answer);
        free(path);
    }
out:
    client_finish(&client);
    return result;
}
