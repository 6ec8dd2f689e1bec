/* `sluice validate`: a configuration checked by the worker that would run it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/client/client.h"

static const char help[] =
    "usage: sluice validate FILE... [OPTION...]\n"
    "\n"
    "Asks the worker what is wrong with a connector's configuration (.properties or JSON; `-`:\n"
    "standard input). Nothing is created. `sluice check` does the same without a worker.\n"
    "Exit status 2 where there are errors.\n\n";

static int print_errors(const char *path, json_t *body)
{
    json_t *config, *error;
    size_t i, k;
    long long count = (long long)json_integer_value(json_object_get(body, "error_count"));
    json_array_foreach(json_object_get(body, "configs"), i, config)
    {
        json_t *value = json_object_get(config, "value");
        json_array_foreach(json_object_get(value, "errors"), k, error)
        {
            printf("%s: %s: %s\n", path, client_text(value, "name"), json_string_value(error));
        }
    }
    printf("%s: %lld error%s\n", path, count, count == 1 ? "" : "s");
    return count > 0 ? CLI_BAD_INPUT : CLI_OK;
}

static int validate(const struct client *client, const char *file)
{
    char *state = NULL;
    json_t *config = NULL;
    int unread = client_read_config(client, file, &config, &state);
    free(state);
    if (unread) {
        return unread;
    }
    const char *class_name = client_text(config, "connector.class");
    int result = CLI_BAD_INPUT;
    if (!*class_name) {
        fprintf(stderr, "sluice %s: %s has no 'connector.class'\n", client->verb, file);
    } else {
        /* the path takes names as a connector's does */
        char *tail = client_path(class_name, "/config/validate"), *path = NULL;
        if (asprintf(&path, "/connector-plugins/%s", tail + strlen("/connectors/")) < 0) {
            abort();
        }
        struct client_answer answer;
        result = client_ask(client, "PUT", path, config, &answer);
        if (result == 0 && client->json) {
            result = json_integer_value(json_object_get(answer.body, "error_count")) > 0
                         ? CLI_BAD_INPUT
                         : CLI_OK;
            client_print_json(json_incref(answer.body));
        } else if (result == 0) {
            result = print_errors(file, answer.body);
        }
        client_answer_finish(&answer);
        free(path);
        free(tail);
    }
    json_decref(config);
    return result;
}

int client_validate(int argc, char **argv)
{
    struct client client = {.verb = argv[0], .help = help};
    int count, result = client_parse(&client, argc, argv, NULL, 0, &count);
    if (result < 0 && count == 0) {
        result = client_misuse(&client, "it takes at least one FILE");
    } else if (result < 0) {
        result = 0;
        for (int i = 1; i <= count; i++) {
            int one = validate(&client, argv[i]);
            result = result ? result : one;
        }
    }
    client_finish(&client);
    return result;
}
