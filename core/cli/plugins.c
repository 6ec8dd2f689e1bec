/* `sluice plugins list|describe|check|new`. Single-threaded; plugin code runs in sluice-host only.
 */
#include "core/cli/plugins.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"

static const char help[] =
    "usage: sluice plugins list [--plugin-path P] [--json]\n"
    "       sluice plugins describe CLASS [--plugin-path P] [--json]\n"
    "       sluice plugins check FILE.so [--class C] [--config FILE] [--plugin-path P]\n"
    "                                    [--timeout SECONDS] [--json]\n"
    "       sluice plugins new KIND NAME [--dir D]\n"
    "\n"
    "  list      every class there is: the built-in ones and those on P, a comma-separated list\n"
    "            of shared objects and folders, as plugin.path\n"
    "  describe  a class and its options\n"
    "  check     runs conformance tests on a plugin, each in a process of its own\n"
    "  new       writes a project to start from; KIND is source, sink, transform, predicate\n"
    "            or converter\n"
    "\n"
    "Exit status: 0, 1 a check failed, 2 bad arguments, no such class, or a project that is there\n"
    "already, 3 a file is missing.\n";

const char *plugins_option(int argc, char **argv, int *i, const char *name)
{
    size_t size = strlen(name);
    if (strncmp(argv[*i], name, size) != 0) {
        return NULL;
    }
    if (argv[*i][size] == '=') {
        return argv[*i] + size + 1;
    }
    if (argv[*i][size] != '\0' || *i + 1 >= argc) {
        return NULL;
    }
    return argv[++*i];
}

int plugins_usage(const char *subcommand, const char *argument)
{
    if (argument) {
        fprintf(stderr, "sluice plugins %s: '%s' is not understood, or lacks its value\n",
                subcommand, argument);
    } else {
        fprintf(stderr, "sluice plugins %s: something is missing\n", subcommand);
    }
    fputs("`sluice plugins --help` shows how it is called\n", stderr);
    return CLI_BAD_INPUT;
}

static void add_path(json_t *paths, const char *path)
{
    char *real = realpath(path, NULL); /* one that is not there is told by the scan */
    json_array_append_new(paths, json_string(real ? real : path));
    free(real);
}

json_t *plugins_path(const char *plugin_path)
{
    json_t *paths = json_array();
    char *copy = strdup(plugin_path ? plugin_path : ""), *rest = copy, *path;
    while (rest && (path = strsep(&rest, ","))) {
        path += strspn(path, " \t");
        for (size_t size = strlen(path); size > 0 && (path[size - 1] == ' ' || path[size - 1] == '\t');) {
            path[--size] = '\0'; /* blanks inside are the path's own */
        }
        if (*path) {
            add_path(paths, path);
        }
    }
    free(copy);
    char *own = cli_find("plugins");
    if (own) {
        json_array_append_new(paths, json_string(own));
    }
    free(own);
    return paths;
}

const char *plugins_kind(const char *id)
{
    static char word[64];
    static const char start[] = "sluice.", end[] = "/1";
    size_t size = strlen(id);
    if (strncmp(id, start, sizeof(start) - 1) == 0 && size < sizeof(word) &&
        size > sizeof(start) + sizeof(end) && strcmp(id + size - sizeof(end) + 1, end) == 0) {
        (void)snprintf(word, sizeof(word), "%.*s", (int)(size - sizeof(start) - sizeof(end) + 2),
                       id + sizeof(start) - 1);
        return word;
    }
    return id;
}

int verb_plugins(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } subcommands[] = {
        {"check", plugins_check},
        {"describe", plugins_describe},
        {"list", plugins_list},
        {"new", plugins_new},
    };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return CLI_OK;
        }
    }
    for (size_t i = 0; argc > 1 && i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            return subcommands[i].run(argc - 1, argv + 1);
        }
    }
    fputs(help, stderr);
    return CLI_BAD_INPUT;
}
