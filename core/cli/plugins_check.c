/*
 * `sluice plugins check`: asks a host for each check of each class, one process a check, so that
 * one that crashes or hangs is told by its own line and the others still run.
 */
#include "core/cli/plugins.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"
#include "core/cli/host_ask.h"
#include "core/config/properties.h"

enum { TIMEOUT_SECONDS = 10, MEMORY_MEGABYTES = 512 };

struct run {
    const char *path;       /* absolute */
    const char *only_class; /* NULL: all */
    json_t *config;
    json_t *plugin_path;
    int timeout_ms;
    bool json;
    json_t *results;
    int passed, failed, skipped;
};

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void tell(struct run *run, const char *class_name, const char *check, const char *outcome,
                 const char *reason)
{
    if (strcmp(outcome, "ok") == 0) {
        run->passed++;
    } else if (strcmp(outcome, "skipped") == 0) {
        run->skipped++;
    } else {
        run->failed++;
    }
    if (run->json) {
        json_array_append_new(run->results,
                              json_pack("{s:s,s:s,s:s,s:s?}", "class", class_name, "check", check,
                                        "outcome", outcome, "reason", reason));
        return;
    }
    printf("%-8s %s: %s", outcome, class_name, check);
    for (const char *line = reason; line && *line;) { /* further lines of a trace are indented */
        size_t size = strcspn(line, "\n");
        printf("%s%.*s", line == reason ? " - " : "\n         ", (int)size, line);
        line += size + (line[size] == '\n');
    }
    putchar('\n');
    (void)fflush(stdout);
}

/* Asks about one class; a host that ends badly is an answer too. 0, or CLI_ENVIRONMENT. */
static int ask(struct run *run, json_t *plugin, const char *check, struct host_answer *answer)
{
    struct error error = {0};
    json_t *question = json_pack(
        "{s:s,s:s,s:s,s:s,s:O,s:O,s:I}", "type", "check", "path", run->path, "class",
        text_of(plugin, "class"), "kind", text_of(plugin, "kind"), "config", run->config,
        "plugin_path", run->plugin_path, "memory_limit", (json_int_t)MEMORY_MEGABYTES << 20);
    if (check) {
        json_object_set_new(question, "check", json_string(check));
    }
    if (host_ask(question, run->timeout_ms, answer, &error) != 0) {
        fprintf(stderr, "sluice plugins check: %s\n", error.message);
        error_clear(&error);
        return CLI_ENVIRONMENT;
    }
    return 0;
}

static int run_check(struct run *run, json_t *plugin, const char *check)
{
    struct host_answer answer;
    int status = ask(run, plugin, check, &answer);
    if (status == 0) {
        json_t *checked = host_answer_find(&answer, "checked");
        if (answer.failure || !checked) {
            tell(run, text_of(plugin, "class"), check, "not ok",
                 answer.failure ? answer.failure : "the host gave no answer");
            if (!run->json && *answer.log) {
                printf("         its last lines:\n%s", answer.log);
            }
        } else {
            tell(run, text_of(plugin, "class"), check, text_of(checked, "outcome"),
                 json_string_value(json_object_get(checked, "reason")));
        }
    }
    host_answer_finish(&answer);
    return status;
}

static int run_class(struct run *run, json_t *plugin)
{
    struct host_answer answer;
    int status = ask(run, plugin, NULL, &answer);
    json_t *checks = status == 0 ? host_answer_find(&answer, "checks") : NULL;
    if (status == 0 && (answer.failure || !checks)) {
        tell(run, text_of(plugin, "class"), "loads", "not ok",
             answer.failure ? answer.failure : "the host gave no answer");
    }
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(checks, "names"), i, name)
    {
        status = status == 0 ? run_check(run, plugin, json_string_value(name)) : status;
    }
    host_answer_finish(&answer);
    return status;
}

/* Loading is the first check; its answer lists the classes. */
static int run_file(struct run *run)
{
    struct host_answer answer;
    struct error error = {0};
    json_t *question = json_pack("{s:s,s:[s]}", "type", "scan", "paths", run->path);
    int status = 0;
    if (host_ask(question, run->timeout_ms, &answer, &error) != 0) {
        fprintf(stderr, "sluice plugins check: %s\n", error.message);
        error_clear(&error);
        host_answer_finish(&answer);
        return CLI_ENVIRONMENT;
    }
    json_t *plugins = host_answer_find(&answer, "plugins");
    json_t *refused = host_answer_find(&answer, "plugin_error");
    const char *name = strrchr(run->path, '/') + 1;
    if (plugins && !answer.failure) {
        size_t i, found = 0;
        json_t *plugin;
        tell(run, name, "loads", "ok", NULL);
        json_array_foreach(json_object_get(plugins, "plugins"), i, plugin)
        {
            if (status == 0 &&
                (!run->only_class || strcmp(run->only_class, text_of(plugin, "class")) == 0)) {
                found++;
                status = run_class(run, plugin);
            }
        }
        if (found == 0) {
            tell(run, name, "has the class", "not ok", run->only_class);
        }
    } else {
        tell(run, name, "loads", "not ok",
             answer.failure ? answer.failure
             : refused      ? text_of(refused, "message")
                            : "the host gave no answer");
    }
    host_answer_finish(&answer);
    return status;
}

/* What a connector's file says to a transform or predicate: `transforms.x.field=f` is `field=f`. */
static void add_inner(struct run *run, const struct properties *properties)
{
    static const char *const families[] = {"transforms.", "predicates."};
    for (size_t i = 0; i < properties->count; i++) {
        const char *name = properties->items[i].name;
        for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
            size_t family = strlen(families[f]);
            const char *dot = strncmp(name, families[f], family) == 0 ? strchr(name + family, '.') : NULL;
            if (dot && !json_object_get(run->config, dot + 1)) {
                json_object_set_new(run->config, dot + 1, json_string(properties->items[i].value));
            }
        }
    }
}

static int load_config(struct run *run, const char *path)
{
    struct properties properties = {0};
    struct error error = {0};
    int result = properties_load_file(&properties, path, &error);
    if (result != 0) {
        fprintf(stderr, "sluice plugins check: %s\n", error.message);
        result = error.code == ERROR_SYSTEM ? CLI_ENVIRONMENT : CLI_BAD_INPUT;
    }
    for (size_t i = 0; result == 0 && i < properties.count; i++) {
        json_object_set_new(run->config, properties.items[i].name,
                            json_string(properties.items[i].value));
    }
    if (result == 0) {
        add_inner(run, &properties);
    }
    properties_finish(&properties);
    error_clear(&error);
    return result;
}

static int conclude(const struct run *run)
{
    if (run->json) {
        json_t *all = json_pack("{s:O,s:i,s:i,s:i}", "checks", run->results, "passed", run->passed,
                                "failed", run->failed, "skipped", run->skipped);
        (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(all);
    } else if (run->skipped > 0) {
        printf("%d passed, %d failed, %d skipped\n", run->passed, run->failed, run->skipped);
    } else {
        printf("%d passed, %d failed\n", run->passed, run->failed);
    }
    return run->failed > 0 ? CLI_FAILED : CLI_OK;
}

int plugins_check(int argc, char **argv)
{
    const char *file = NULL, *config = NULL, *plugin_path = NULL, *value;
    long seconds = TIMEOUT_SECONDS;
    struct run run = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            run.json = true;
        } else if ((value = plugins_option(argc, argv, &i, "--class"))) {
            run.only_class = value;
        } else if ((value = plugins_option(argc, argv, &i, "--config"))) {
            config = value;
        } else if ((value = plugins_option(argc, argv, &i, "--plugin-path"))) {
            plugin_path = value;
        } else if ((value = plugins_option(argc, argv, &i, "--timeout"))) {
            char *end;
            seconds = strtol(value, &end, 10);
            if (*end || seconds < 1 || seconds > 3600) {
                fputs("sluice plugins check: --timeout takes 1 to 3600 seconds\n", stderr);
                return CLI_BAD_INPUT;
            }
        } else if (!file && argv[i][0] != '-') {
            file = argv[i];
        } else {
            return plugins_usage("check", argv[i]);
        }
    }
    char path[PATH_MAX];
    if (!file) {
        return plugins_usage("check", NULL);
    }
    if (!realpath(file, path)) {
        fprintf(stderr, "sluice plugins check: '%s' cannot be read: %m\n", file);
        return CLI_ENVIRONMENT;
    }
    run.path = path;
    run.timeout_ms = (int)seconds * 1000;
    run.config = json_object();
    run.results = json_array();
    run.plugin_path = plugins_path(plugin_path);
    int status = config ? load_config(&run, config) : 0;
    status = status == 0 ? run_file(&run) : status;
    status = status == 0 ? conclude(&run) : status;
    json_decref(run.config);
    json_decref(run.results);
    json_decref(run.plugin_path);
    return status;
}
