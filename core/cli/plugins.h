/* `sluice plugins`: what its subcommands share. argv[0] is the subcommand. */
#ifndef CORE_CLI_PLUGINS_H
#define CORE_CLI_PLUGINS_H

#include <stdbool.h>

#include <jansson.h>

int plugins_list(int argc, char **argv);
int plugins_describe(int argc, char **argv);
int plugins_check(int argc, char **argv);
int plugins_new(int argc, char **argv);

/** `--name VALUE` or `--name=VALUE` at argv[*i]: its value, with *i moved on; NULL where it is not
 * that. */
const char *plugins_option(int argc, char **argv, int *i, const char *name);
/** Says that an argument is not understood; CLI_BAD_INPUT. */
int plugins_usage(const char *subcommand, const char *argument);
/** Array of the paths of a comma-separated plugin.path, made absolute, and the built-in folder. */
json_t *plugins_path(const char *plugin_path);
/** `sink` of `sluice.sink/1`; other ids as they are. Overwritten by the next call. */
const char *plugins_kind(const char *id);

#endif
