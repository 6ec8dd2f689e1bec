/* `sluice connectors`: lists, creates, changes and deletes them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/client/client.h"
#include "lib/java/properties_text.h"

static const char help[] =
    "usage: sluice connectors [ACTION] [OPTION...]\n"
    "\n"
    "Connectors of a running worker, sluice or the JVM's.\n"
    "\n"
    "  list                    name, type, state, tasks, class (the default)\n"
    "  create FILE             FILE: .properties or JSON; `-`: standard input\n"
    "    --name NAME           instead of the file's\n"
    "    --state STATE         RUNNING (default), PAUSED or STOPPED\n"
    "  update NAME FILE        gives NAME this configuration; makes it where it is not there\n"
    "    --patch               changes only the keys that FILE has\n"
    "  delete NAME...\n"
    "  config NAME             its configuration, as .properties\n"
    "  plugins                 connector classes that the worker knows\n"
    "    --all                 and transforms, predicates and converters\n";

struct connectors {
    struct client client;
    const char *name, *state;
    bool patch, all;
};

static int list(struct connectors *all)
{
    static const char *const heads[] = {"NAME", "TYPE", "STATE", "TASKS", "CLASS"};
    struct client_answer answer;
    int result =
        client_ask(&all->client, "GET", "/connectors?expand=status&expand=info", NULL, &answer);
    if (result == 0 && all->client.json) {
        client_print_json(json_incref(answer.body));
    } else if (result == 0) {
        struct table *table = table_create(heads, 5);
        const char *name;
        json_t *entry;
        json_object_foreach(answer.body, name, entry)
        {
            json_t *status = json_object_get(entry, "status"), *task;
            size_t i, running = 0, tasks = json_array_size(json_object_get(status, "tasks"));
            json_array_foreach(json_object_get(status, "tasks"), i, task)
            {
                running += strcmp(client_text(task, "state"), "RUNNING") == 0;
            }
            char count[48];
            (void)snprintf(count, sizeof(count), "%zu/%zu", running, tasks);
            const char *const cells[] = {
                name, client_text(status, "type"),
                client_text(json_object_get(status, "connector"), "state"), count,
                client_text(json_object_get(json_object_get(entry, "info"), "config"),
                            "connector.class")};
            table_add(table, cells);
        }
        table_print(table);
        if (json_object_size(answer.body) == 0) {
            puts("no connectors");
        }
    }
    client_answer_finish(&answer);
    return result;
}

static void say(const struct connectors *all, struct client_answer *answer, const char *what,
                const char *name)
{
    if (all->client.json) {
        client_print_json(answer->body ? json_incref(answer->body)
                                       : json_pack("{s:s}", "name", name));
    } else {
        printf("%s %s\n", what, name);
    }
}

static int create(struct connectors *all, const char *path)
{
    char *file_state = NULL;
    json_t *config = NULL;
    int unread = client_read_config(&all->client, path, &config, &file_state);
    if (unread) {
        return unread;
    }
    if (all->name) {
        json_object_set_new(config, "name", json_string(all->name));
    }
    const char *name = client_text(config, "name");
    const char *state = all->state ? all->state : file_state;
    int result = CLI_BAD_INPUT;
    if (!*name) {
        fprintf(stderr, "sluice connectors: %s has no 'name'; add one, or give --name NAME\n", path);
    } else {
        json_t *body = json_pack("{s:s,s:O}", "name", name, "config", config);
        if (state) {
            json_object_set_new(body, "initial_state", json_string(state));
        }
        struct client_answer answer;
        result = client_ask(&all->client, "POST", "/connectors", body, &answer);
        if (result == 0) {
            say(all, &answer, "created", name);
        }
        client_answer_finish(&answer);
        json_decref(body);
    }
    free(file_state);
    json_decref(config);
    return result;
}

static int update(struct connectors *all, const char *name, const char *path)
{
    char *state = NULL;
    json_t *config = NULL;
    int unread = client_read_config(&all->client, path, &config, &state);
    if (unread) {
        return unread;
    }
    char *url = client_path(name, "/config");
    struct client_answer answer;
    json_object_set_new(config, "name", json_string(name));
    if (all->patch) {
        json_object_del(config, "name");
    }
    int result = client_ask(&all->client, all->patch ? "PATCH" : "PUT", url, config, &answer);
    if (result == 0) {
        say(all, &answer, answer.status == 201 ? "created" : "updated", name);
    }
    client_answer_finish(&answer);
    json_decref(config);
    free(state);
    free(url);
    return result;
}

static int delete(struct connectors *all, const char *name)
{
    char *url = client_path(name, "");
    struct client_answer answer;
    int result = client_ask(&all->client, "DELETE", url, NULL, &answer);
    if (result == 0) {
        say(all, &answer, "deleted", name);
    }
    client_answer_finish(&answer);
    free(url);
    return result;
}

/* As a line of a .properties file. */
static void print_property(const char *name, const char *value)
{
    struct buffer line;
    buffer_init(&line, SIZE_MAX / 2);
    properties_text_append(&line, name, true);
    (void)buffer_append_char(&line, '=');
    properties_text_append(&line, value, false);
    puts(line.failed ? "" : line.data);
    buffer_finish(&line);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int config(struct connectors *all, const char *name)
{
    char *url = client_path(name, "/config");
    struct client_answer answer;
    int result = client_ask(&all->client, "GET", url, NULL, &answer);
    if (result == 0 && all->client.json) {
        client_print_json(json_incref(answer.body));
    } else if (result == 0) {
        const char **names = calloc(json_object_size(answer.body) + 1, sizeof(*names)), *key;
        size_t count = 0;
        json_t *value;
        json_object_foreach(answer.body, key, value)
        {
            names[count++] = key;
        }
        qsort(names, count, sizeof(*names), compare);
        for (size_t i = 0; i < count; i++) {
            print_property(names[i], client_text(answer.body, names[i]));
        }
        free(names);
    }
    client_answer_finish(&answer);
    free(url);
    return result;
}

static int plugins(struct connectors *all)
{
    static const char *const heads[] = {"TYPE", "VERSION", "CLASS"};
    struct client_answer answer;
    int result = client_ask(&all->client, "GET",
                            all->all ? "/connector-plugins?connectorsOnly=false"
                                     : "/connector-plugins",
                            NULL, &answer);
    if (result == 0 && all->client.json) {
        client_print_json(json_incref(answer.body));
    } else if (result == 0) {
        struct table *table = table_create(heads, 3);
        json_t *plugin;
        size_t i;
        json_array_foreach(answer.body, i, plugin)
        {
            const char *const cells[] = {client_text(plugin, "type"),
                                         client_text(plugin, "version"),
                                         client_text(plugin, "class")};
            table_add(table, cells);
        }
        table_print(table);
    }
    client_answer_finish(&answer);
    return result;
}

static int run(struct connectors *all, char **words, int count)
{
    static const char *const forms[] = {"list", "create FILE", "update NAME FILE", "delete NAME...", "config NAME", "plugins"};
    const char *action = count > 0 ? words[0] : "list";
    if (strcmp(action, "list") == 0 && count <= 1) {
        return list(all);
    }
    if (strcmp(action, "create") == 0 && count == 2) {
        return create(all, words[1]);
    }
    if (strcmp(action, "update") == 0 && count == 3) {
        return update(all, words[1], words[2]);
    }
    if (strcmp(action, "config") == 0 && count == 2) {
        return config(all, words[1]);
    }
    if (strcmp(action, "plugins") == 0 && count == 1) {
        return plugins(all);
    }
    if (strcmp(action, "delete") == 0 && count > 1) {
        int result = 0;
        for (int i = 1; i < count; i++) {
            int one = delete(all, words[i]);
            result = result ? result : one;
        }
        return result;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        if (strcspn(forms[i], " ") == strlen(action) && strncmp(forms[i], action, strlen(action)) == 0) {
            return client_misuse(&all->client, "it takes `%s`", forms[i]);
        }
    }
    return client_misuse(&all->client, "there is no action '%s'", action);
}

int client_connectors(int argc, char **argv)
{
    struct connectors all = {.client = {.verb = argv[0], .help = help}};
    const struct client_option options[] = {
        {"--name", NULL, &all.name},
        {"--state", NULL, &all.state},
        {"--patch", &all.patch, NULL},
        {"--all", &all.all, NULL},
    };
    int count, result = client_parse(&all.client, argc, argv, options,
                                     sizeof(options) / sizeof(options[0]), &count);
    if (result < 0) {
        result = run(&all, argv + 1, count);
    }
    client_finish(&all.client);
    return result;
}
