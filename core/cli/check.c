/* `sluice check FILE...`: validates worker and connector files offline, every error at once. */
#include "core/cli/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"
#include "core/config/memory.h"

static void usage(FILE *out)
{
    fputs(
        "usage: sluice check [--json] [--plugin-path LIST] FILE...\n"
        "\n"
        "Checks worker and connector configurations (.properties, or JSON as the REST API takes\n"
        "them) without a broker: every error at once, with file, key, cause and hint. Plugins are\n"
        "asked in a process of their own. Unknown keys are warnings.\n"
        "\n"
        "  --json               findings as one JSON object\n"
        "  --plugin-path LIST   files and folders with plugins, beside a worker file's "
        "plugin.path\n"
        "\n"
        "Exit status: 0 no errors, 1 plugins cannot be looked at, 2 errors, 3 a file cannot be\n"
        "read.\n",
        out);
}

static const char *type_name(enum check_type type)
{
    static const char *const names[] = {"unknown", "client", "worker", "source", "sink"};
    return names[type];
}

/** Name of the file without folder and ending: a connector's name where it gives none. */
static char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = memory_text(slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot != name) {
        *dot = '\0';
    }
    return name;
}

/** What files say about each other: names given twice, more than one worker. */
static void check_together(struct check_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = properties_get(&files[i].properties, "name");
        for (size_t k = 0; k < i; k++) {
            const char *other = properties_get(&files[k].properties, "name");
            bool connectors = files[i].type > CHECK_WORKER && files[k].type > CHECK_WORKER;
            if (connectors && name && other && strcmp(name, other) == 0) {
                check_error(&files[i], "name", "give each connector a name of its own",
                            "'%s' is the name of the connector in %s too", name, files[k].path);
            }
            if (files[i].type == CHECK_WORKER && files[k].type == CHECK_WORKER) {
                check_error(&files[i], NULL, "`sluice run` takes one",
                            "%s is a worker's configuration too", files[k].path);
            }
        }
    }
}

/** By line, those of the whole file first. */
static int by_line(const void *a, const void *b)
{
    size_t first = ((const struct finding *)a)->line, second = ((const struct finding *)b)->line;
    return first < second ? -1 : first > second;
}

static void print_finding(const struct check_file *file, const struct finding *finding)
{
    printf("%s", file->path);
    if (finding->line) {
        printf(":%zu", finding->line);
    }
    printf(": %s: ", finding->error ? "error" : "warning");
    if (finding->key) {
        printf("%s: ", finding->key);
    }
    printf("%s\n", finding->message);
    if (finding->hint && *finding->hint) {
        printf("    hint: %s\n", finding->hint);
    }
}

static void print_text(const struct check_file *files, size_t count, size_t errors, size_t warnings)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < files[i].count; k++) {
            print_finding(&files[i], &files[i].findings[k]);
        }
        if (files[i].count == 0) {
            printf("%s: %s, good\n", files[i].path, type_name(files[i].type));
        }
    }
    printf("%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings,
           warnings == 1 ? "" : "s");
}

static json_t *finding_json(const struct finding *finding)
{
    json_t *object = json_object();
    json_object_set_new(object, "severity", json_string(finding->error ? "error" : "warning"));
    json_object_set_new(object, "key", finding->key ? json_string(finding->key) : json_null());
    json_object_set_new(object, "line",
                        finding->line ? json_integer((json_int_t)finding->line) : json_null());
    json_object_set_new(object, "message", json_string(finding->message));
    json_object_set_new(object, "hint", finding->hint ? json_string(finding->hint) : json_null());
    return object;
}

static void print_json(const struct check_file *files, size_t count, size_t errors, size_t warnings)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *findings = json_array();
        for (size_t k = 0; k < files[i].count; k++) {
            json_array_append_new(findings, finding_json(&files[i].findings[k]));
        }
        const char *name = properties_get(&files[i].properties, "name");
        json_t *object = json_object();
        json_object_set_new(object, "file", json_string(files[i].path));
        json_object_set_new(object, "type", json_string(type_name(files[i].type)));
        json_object_set_new(object, "name", name ? json_string(name) : json_null());
        json_object_set_new(object, "findings", findings);
        json_array_append_new(list, object);
    }
    json_t *all = json_object();
    json_object_set_new(all, "files", list);
    json_object_set_new(all, "errors", json_integer((json_int_t)errors));
    json_object_set_new(all, "warnings", json_integer((json_int_t)warnings));
    (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(all);
}

/** plugin.path of the command line and of the worker files, joined; owned by the caller. */
static char *all_plugin_paths(const char *given, const struct check_file *files, size_t count)
{
    char *paths = memory_text(given ? given : "");
    for (size_t i = 0; i < count; i++) {
        const char *more = properties_get(&files[i].properties, "plugin.path");
        if (more && !properties_get(&files[i].properties, "connector.class")) {
            char *joined = NULL;
            int length = asprintf(&joined, "%s%s%s", paths, *paths ? "," : "", more);
            memory_checked(length < 0 ? NULL : joined);
            free(paths);
            paths = joined;
        }
    }
    return paths;
}

static int check(struct check_file *files, size_t count, const char *plugin_path, bool json)
{
    int status = CLI_OK;
    bool *readable = memory_zeroed(count, sizeof(*readable));
    for (size_t i = 0; i < count; i++) {
        int result = check_file_read(&files[i], files[i].path);
        readable[i] = files[i].errors == 0;
        status = result != CLI_OK ? result : status;
    }
    char *paths = all_plugin_paths(plugin_path, files, count);
    struct check_plugins plugins;
    int scanned = check_plugins_scan(&plugins, *paths ? paths : NULL);
    free(paths);
    for (size_t i = 0; i < count && scanned == CLI_OK; i++) {
        if (readable[i]) {
            if (properties_get(&files[i].properties, "connector.class") &&
                !properties_get(&files[i].properties, "name")) {
                char *name = base_name(files[i].path);
                properties_set(&files[i].properties, "name", name); /* as `run` takes it */
                free(name);
            }
            check_config(&files[i], &plugins);
        }
    }
    check_plugins_finish(&plugins);
    free(readable);
    check_together(files, count);
    size_t errors = 0, warnings = 0;
    for (size_t i = 0; i < count; i++) {
        if (files[i].count > 0) {
            qsort(files[i].findings, files[i].count, sizeof(*files[i].findings), by_line);
        }
        errors += files[i].errors;
        warnings += files[i].count - files[i].errors;
    }
    if (scanned == CLI_OK) {
        (json ? print_json : print_text)(files, count, errors, warnings);
    }
    return scanned != CLI_OK  ? scanned
           : status != CLI_OK ? status
           : errors           ? CLI_BAD_INPUT
                              : CLI_OK;
}

int verb_check(int argc, char **argv)
{
    bool json = false;
    const char *plugin_path = NULL;
    struct check_file *files = memory_zeroed((size_t)argc, sizeof(*files));
    size_t count = 0;
    int status = -1;
    for (int i = 1; i < argc && status < 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            usage(stdout);
            status = CLI_OK;
        } else if (strcmp(argv[i], "--plugin-path") == 0 && i + 1 < argc) {
            plugin_path = argv[++i];
        } else if (strncmp(argv[i], "--plugin-path=", 14) == 0) {
            plugin_path = argv[i] + 14;
        } else if (argv[i][0] == '-' && argv[i][1]) {
            fprintf(stderr, "sluice check: '%s' is not understood; --help tells what is\n",
                    argv[i]);
            status = CLI_BAD_INPUT;
        } else {
            files[count++].path = argv[i];
        }
    }
    if (status < 0 && count == 0) {
        usage(stderr);
        status = CLI_BAD_INPUT;
    }
    if (status < 0) {
        status = check(files, count, plugin_path, json);
    }
    for (size_t i = 0; i < count; i++) {
        check_file_finish(&files[i]);
    }
    free(files);
    return status;
}
