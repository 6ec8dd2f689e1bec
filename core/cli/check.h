/*
 * `sluice check`: one file being checked, what was found in it, and the plugins it may name.
 * Shared by check*.c; single-threaded.
 */
#ifndef CORE_CLI_CHECK_H
#define CORE_CLI_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "core/config/framework.h"

struct finding {
    bool error;  /* else a warning */
    char *key;   /* NULL: of the file */
    size_t line; /* 0: unknown */
    char *message;
    char *hint; /* NULL: none */
};

enum check_type { CHECK_UNKNOWN, CHECK_CLIENT, CHECK_WORKER, CHECK_SOURCE, CHECK_SINK };

struct check_file {
    const char *path;
    enum check_type type;
    struct properties properties;
    struct properties lines; /* key -> number of its line, as text */
    struct finding *findings;
    size_t count, errors;
};

/** Reads .properties, or JSON as connect-standalone takes it. 0; CLI_ENVIRONMENT: cannot be read.
 */
int check_file_read(struct check_file *file, const char *path);
void check_file_finish(struct check_file *file);
/** Adds a finding on a key (NULL: the file). hint may be NULL. Copies. */
void check_error(struct check_file *file, const char *key, const char *hint, const char *format,
                 ...) PRINTF_LIKE(4, 5);
void check_warning(struct check_file *file, const char *key, const char *hint, const char *format,
                   ...) PRINTF_LIKE(4, 5);
/** True where a key's value is for a configuration provider to say: `${file:/x:y}`. */
bool check_is_variable(const char *value);

/** A plugin's descriptor and its table, for names only: what is valid a host says. */
struct check_plugin {
    json_t *descriptor;
    struct sluice_option *table; /* texts are the descriptor's */
};

struct check_plugins {
    json_t *path; /* array of files and folders */
    struct check_plugin *items;
    size_t count;
};

/** Scans plugin_path (NULL: the built-in folder alone) in a host. CLI_OK, else told on stderr. */
int check_plugins_scan(struct check_plugins *plugins, const char *plugin_path);
void check_plugins_finish(struct check_plugins *plugins);
/** kind NULL: any. NULL where none is called so. */
const struct check_plugin *check_plugins_find(const struct check_plugins *plugins, const char *kind,
                                              const char *name);
/**
 * Short name of the class of that kind that was most likely meant; NULL: none is near. Owned by the
 * caller.
 */
char *check_plugins_nearest(const struct check_plugins *plugins, const char *kind,
                            const char *name);
/**
 * Has a host validate properties for a plugin and adds what it says, keys with prefix in front.
 */
void check_plugin_validate(const struct check_plugins *plugins, const struct check_plugin *plugin,
                           const struct properties *properties, const char *prefix,
                           struct check_file *file);

/** Keys of Kafka's clients below a prefix (`producer.`, ..): values, and what cannot be honoured. */
void check_clients(struct check_file *file);
/** Keys of an admin client, as a table: a worker's own clients take them without a prefix. */
const struct sluice_option *check_admin_keys(void);
/**
 * A client.properties, or what was added to a kafka-rest.properties (`client.*`): true where it is one, and then
 * checked.
 */
bool check_client_file(struct check_file *file);
/** What there is to say about a worker's or connector's configuration. */
void check_config(struct check_file *file, const struct check_plugins *plugins);

#endif
