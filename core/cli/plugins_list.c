/* `sluice plugins list` and `describe`: what a scan of plugin.path says, for people or as JSON. */
#include "core/cli/plugins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"
#include "core/cli/host_ask.h"
#include "core/plugin/names.h"

enum { SCAN_WITHIN = 30000, MOST_CRASHES = 100 };

struct catalogue {
    json_t *plugins; /* descriptors, each with "path" added */
    json_t *errors;  /* {path, message} */
};

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int by_class(const void *a, const void *b)
{
    return strcmp(text_of(*(json_t *const *)a, "class"), text_of(*(json_t *const *)b, "class"));
}

static void sort(json_t *array)
{
    size_t count = json_array_size(array);
    json_t **items = calloc(count + 1, sizeof(json_t *));
    if (!items) {
        return; /* unsorted is still right */
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = json_incref(json_array_get(array, i));
    }
    qsort(items, count, sizeof(*items), by_class);
    json_array_clear(array);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, items[i]);
    }
    free(items);
}

/* Takes what came; the path that was being loaded when nothing came any more, or NULL. */
static const char *take(struct catalogue *catalogue, const struct host_answer *answer)
{
    const char *loading = NULL;
    size_t i, k;
    json_t *message, *plugin;
    json_array_foreach(answer->messages, i, message)
    {
        const char *type = text_of(message, "type");
        const char *path = text_of(message, "path");
        if (strcmp(type, "loading") == 0) {
            loading = path;
        } else if (strcmp(type, "plugins") == 0) {
            loading = NULL;
            json_array_foreach(json_object_get(message, "plugins"), k, plugin)
            {
                json_object_set_new(plugin, "path", json_string(path));
                json_array_append(catalogue->plugins, plugin);
            }
        } else if (strcmp(type, "plugin_error") == 0) {
            loading = NULL;
            json_array_append_new(catalogue->errors, json_pack("{s:s,s:s}", "path", path, "message",
                                                               text_of(message, "message")));
        }
    }
    return loading;
}

/* A file that takes the host with it when it is loaded is told, and left out the next time. */
static int scan(const char *plugin_path, struct catalogue *catalogue)
{
    json_t *skip = json_array();
    int status = CLI_OK;
    bool again = true;
    while (again && status == CLI_OK) {
        struct host_answer answer;
        struct error error = {0};
        json_t *question = json_pack("{s:s,s:o,s:O}", "type", "scan", "paths",
                                     plugins_path(plugin_path), "skip", skip);
        catalogue->plugins = json_array();
        catalogue->errors = json_array();
        again = false;
        if (host_ask(question, SCAN_WITHIN, &answer, &error) != 0) {
            fprintf(stderr, "sluice plugins: %s\n", error.message);
            status = CLI_ENVIRONMENT;
        } else if (answer.failure) {
            const char *blamed = take(catalogue, &answer);
            fprintf(stderr, "! %s%s%s\n", blamed ? blamed : "", blamed ? ": " : "", answer.failure);
            again = blamed && json_array_size(skip) < MOST_CRASHES;
            status = again ? CLI_OK : CLI_FAILED;
            if (again) {
                json_array_append_new(skip, json_string(blamed));
                json_decref(catalogue->plugins);
                json_decref(catalogue->errors);
            }
        } else {
            (void)take(catalogue, &answer);
        }
        error_clear(&error);
        host_answer_finish(&answer);
    }
    json_decref(skip);
    sort(catalogue->plugins);
    return status;
}

static void finish(struct catalogue *catalogue)
{
    json_decref(catalogue->plugins);
    json_decref(catalogue->errors);
}

static void print_json(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
}

int plugins_list(int argc, char **argv)
{
    const char *plugin_path = NULL, *value;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if ((value = plugins_option(argc, argv, &i, "--plugin-path"))) {
            plugin_path = value;
        } else {
            return plugins_usage("list", argv[i]);
        }
    }
    struct catalogue catalogue;
    int status = scan(plugin_path, &catalogue);
    size_t i;
    json_t *one;
    if (json) {
        json_array_foreach(catalogue.plugins, i, one)
        {
            json_object_del(one, "options");
        }
        json_t *all =
            json_pack("{s:O,s:O}", "plugins", catalogue.plugins, "errors", catalogue.errors);
        print_json(all);
        json_decref(all);
    } else {
        json_array_foreach(catalogue.plugins, i, one)
        {
            printf("%-18s %-66s %-8s %s\n", plugins_kind(text_of(one, "kind")),
                   text_of(one, "class"), text_of(one, "version"), text_of(one, "doc"));
        }
        json_array_foreach(catalogue.errors, i, one)
        {
            fprintf(stderr, "! %s\n", text_of(one, "message"));
        }
    }
    finish(&catalogue);
    return status;
}

/* -- describe -- */

static bool is_called(json_t *plugin, const char *name)
{
    size_t i;
    json_t *alias;
    if (names_match(text_of(plugin, "class"), name)) {
        return true;
    }
    json_array_foreach(json_object_get(plugin, "aliases"), i, alias)
    {
        if (names_match(json_string_value(alias), name)) {
            return true;
        }
    }
    return false;
}

static void print_texts(const char *label, json_t *list)
{
    size_t i;
    json_t *text;
    json_array_foreach(list, i, text)
    {
        printf("%s%s", i ? ", " : label, json_string_value(text));
    }
    if (json_array_size(list) > 0) {
        putchar('\n');
    }
}

static void print_option(json_t *option)
{
    const char *standard = json_string_value(json_object_get(option, "default"));
    printf("\n  %s  (%s, %s", text_of(option, "name"), text_of(option, "type"),
           text_of(option, "importance"));
    if (json_is_true(json_object_get(option, "required"))) {
        fputs(", required)\n", stdout);
    } else if (standard) {
        printf(", default '%s')\n", standard);
    } else {
        fputs(")\n", stdout);
    }
    printf("      %s\n", text_of(option, "doc"));
    print_texts("      one of: ", json_object_get(option, "values"));
    if (*text_of(option, "unavailable")) {
        printf("      not available: %s\n", text_of(option, "unavailable"));
    }
}

static void print_plugin(json_t *plugin)
{
    size_t i;
    json_t *option;
    printf("%s  %s %s\n  %s\n  from %s\n", text_of(plugin, "class"),
           plugins_kind(text_of(plugin, "kind")), text_of(plugin, "version"),
           text_of(plugin, "doc"), text_of(plugin, "path"));
    print_texts("  also called ", json_object_get(plugin, "aliases"));
    json_array_foreach(json_object_get(plugin, "options"), i, option)
    {
        if (!json_is_true(json_object_get(option, "internal"))) {
            print_option(option);
        }
    }
}

int plugins_describe(int argc, char **argv)
{
    const char *plugin_path = NULL, *class_name = NULL, *value;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if ((value = plugins_option(argc, argv, &i, "--plugin-path"))) {
            plugin_path = value;
        } else if (!class_name && argv[i][0] != '-') {
            class_name = argv[i];
        } else {
            return plugins_usage("describe", argv[i]);
        }
    }
    if (!class_name) {
        return plugins_usage("describe", NULL);
    }
    struct catalogue catalogue;
    int status = scan(plugin_path, &catalogue);
    size_t i, found = 0;
    json_t *plugin;
    json_array_foreach(catalogue.plugins, i, plugin)
    {
        if (!is_called(plugin, class_name)) {
            continue;
        }
        found++;
        if (json) {
            print_json(plugin);
        } else {
            print_plugin(plugin);
        }
    }
    if (status == CLI_OK && found == 0) {
        fprintf(stderr,
                "sluice plugins describe: no class is called '%s'; `sluice plugins list` shows "
                "all, --plugin-path names further ones\n",
                class_name);
        status = CLI_BAD_INPUT;
    }
    finish(&catalogue);
    return status;
}
