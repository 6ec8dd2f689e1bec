/* `sluice offsets`: how far a connector is, and changing that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/client/client.h"

static const char help[] =
    "usage: sluice offsets NAME [OPTION...]\n"
    "\n"
    "  --set FILE          changes them: JSON as this verb prints it with --json; `-`: standard "
    "input.\n"
    "                      The connector is to be stopped\n"
    "  --reset             forgets them all; the connector is to be stopped\n";

static void print(json_t *body)
{
    static const char *const heads[] = {"PARTITION", "OFFSET"};
    struct table *table = table_create(heads, 2);
    json_t *one;
    size_t i;
    json_array_foreach(json_object_get(body, "offsets"), i, one)
    {
        char *partition = json_dumps(json_object_get(one, "partition"), JSON_ENCODE_ANY);
        char *offset = json_dumps(json_object_get(one, "offset"), JSON_ENCODE_ANY);
        const char *const cells[] = {partition ? partition : "", offset ? offset : ""};
        table_add(table, cells);
        free(partition);
        free(offset);
    }
    table_print(table);
    if (json_array_size(json_object_get(body, "offsets")) == 0) {
        puts("no offsets");
    }
}

static int read_offsets(const struct client *client, const char *path, json_t **ret_body)
{
    json_error_t why;
    *ret_body = strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &why) : json_load_file(path, 0, &why);
    if (*ret_body) {
        return CLI_OK;
    }
    if (json_error_code(&why) == json_error_cannot_open_file) {
        fprintf(stderr, "sluice %s: %s\n", client->verb, why.text);
        return CLI_ENVIRONMENT;
    }
    fprintf(stderr, "sluice %s: %s:%d: %s\n", client->verb, path, why.line, why.text);
    return CLI_BAD_INPUT;
}

int client_offsets(int argc, char **argv)
{
    bool reset = false;
    const char *set = NULL, *method = "GET";
    struct client client = {.verb = argv[0], .help = help};
    const struct client_option options[] = {{"--set", NULL, &set}, {"--reset", &reset, NULL}};
    json_t *body = NULL;
    int count, result = client_parse(&client, argc, argv, options, 2, &count);
    if (result >= 0) {
        goto out;
    }
    if (count != 1 || (set && reset)) {
        result = client_misuse(&client, "it takes one NAME, and --set or --reset but not both");
        goto out;
    }
    if (set) {
        method = "PATCH";
        result = read_offsets(&client, set, &body);
        if (result) {
            goto out;
        }
    } else if (reset) {
        method = "DELETE";
    }
    struct client_answer answer;
    char *path = client_path(argv[1], "/offsets");
    result = client_ask(&client, method, path, body, &answer);
    if (result == 0 && client.json) {
        client_print_json(answer.body ? json_incref(answer.body) : json_object());
    } else if (result == 0 && (set || reset)) {
        puts(client_text(answer.body, "message"));
    } else if (result == 0) {
        print(answer.body);
    }
    client_answer_finish(&answer);
    free(path);
out:
    json_decref(body);
    client_finish(&client);
    return result;
}
