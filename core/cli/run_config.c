#include "core/cli/run_config.h"

#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/cli/cli.h"
#include "core/config/client_keys.h"
#include "core/config/framework.h"
#include "core/worker/connector_file.h"

#define DEFAULT_DATA "./sluice-data"
#define LOCAL "local:"

static int complain(const struct run_config *config, const struct error *error)
{
    fprintf(stderr, "sluice %s: [SLUICE-%d] %s\n", config->verb, (int)error->code,
            error->message);
    return error->code == ERROR_SYSTEM ? CLI_ENVIRONMENT : CLI_BAD_INPUT;
}

/* -- connectors -- */

/* Takes over what file holds. */
static int add_connector(struct run_config *config, const char *path, struct connector_file *file)
{
    struct run_connector *list =
        realloc(config->connectors, (config->connector_count + 1) * sizeof(*list));
    if (!list) {
        abort();
    }
    config->connectors = list;
    config->connectors[config->connector_count++] =
        (struct run_connector){file->name, path, file->config, file->initial_state};
    if (!file->named) {
        fprintf(stderr, "sluice %s: %s has no 'name'; '%s', the file's base name, serves\n",
                config->verb, path, file->name);
    }
    for (size_t i = 0; i + 1 < config->connector_count; i++) {
        if (strcmp(config->connectors[i].name, file->name) == 0) {
            fprintf(stderr,
                    "sluice %s: %s and %s both describe a connector '%s'; give one another name\n",
                    config->verb, config->connectors[i].path, path, file->name);
            return CLI_BAD_INPUT;
        }
    }
    return 0;
}

static int take_connector(struct run_config *config, const char *path, const char *data,
                          size_t size)
{
    struct connector_file file = {0};
    struct error error = {0};
    if (connector_file_parse(path, data, size, &file, &error) != 0) {
        int result = complain(config, &error);
        error_clear(&error);
        return result;
    }
    return add_connector(config, path, &file);
}

static int take_worker(struct run_config *config, const char *path,
                       const struct properties *properties)
{
    if (config->worker_path) {
        fprintf(stderr,
                "sluice %s: %s and %s both are without connector.class; at most one file is the "
                "worker's\n",
                config->verb, config->worker_path, path);
        return CLI_BAD_INPUT;
    }
    config->worker_path = path;
    properties_copy(&config->worker, properties);
    return 0;
}

enum file_kind { FILE_WORKER, FILE_CONNECTOR, FILE_EITHER };

static int load_file(struct run_config *config, const char *path, enum file_kind kind)
{
    struct error error = {0};
    struct properties properties = {0};
    char *data = NULL;
    size_t size = 0;
    int result = 0;
    if (properties_read_file(path, &data, &size, &error) != 0) {
        result = complain(config, &error);
        error_clear(&error);
        return result;
    }
    if (kind != FILE_WORKER && data[strspn(data, " \t\r\n")] == '{') {
        result = take_connector(config, path, data, size);
    } else if (properties_load(&properties, data, size, path, &error) != 0) {
        result = complain(config, &error);
        error_clear(&error);
    } else if (kind == FILE_CONNECTOR ||
               (kind == FILE_EITHER && properties_get(&properties, "connector.class"))) {
        result = take_connector(config, path, data, size);
    } else {
        result = take_worker(config, path, &properties);
    }
    free(data);
    properties_finish(&properties);
    return result;
}

/* -- the worker -- */

static void set_default(struct properties *properties, const char *name, const char *value)
{
    if (!properties_get(properties, name)) {
        properties_set(properties, name, value);
    }
}

static char *format(const char *front, const char *back)
{
    char *text = NULL;
    if (asprintf(&text, "%s%s", front, back) < 0) {
        abort();
    }
    return text;
}

/*
 * The data folder: --data; else the embedded log's own; else one beside the offset file and named
 * after it, since workers may keep several of these in one folder; else ours.
 */
static void find_folders(struct run_config *config, const char *data)
{
    struct properties *worker = &config->worker;
    if (strcmp(config->verb, "run") == 0) { /* needs no other server */
        char *log = format(LOCAL, data ? data : DEFAULT_DATA);
        set_default(worker, "bootstrap.servers", log);
        free(log);
    } else {
        set_default(worker, "bootstrap.servers", "localhost:9092"); /* as Connect */
    }
    if (!config->worker_path) {
        set_default(worker, "key.converter", "org.apache.kafka.connect.storage.StringConverter");
        set_default(worker, "value.converter", "org.apache.kafka.connect.json.JsonConverter");
        set_default(worker, "value.converter.schemas.enable", "false");
        set_default(worker, "listeners", "http://127.0.0.1:8083");
    }
    const char *servers = properties_get(worker, "bootstrap.servers");
    const char *offsets = properties_get(worker, "offset.storage.file.filename");
    if (servers && strncmp(servers, LOCAL, strlen(LOCAL)) == 0) {
        config->log_dir = strdup(servers + strlen(LOCAL));
    }
    if (data || !config->worker_path) {
        config->data_dir = strdup(data ? data : DEFAULT_DATA);
    } else if (config->log_dir) {
        config->data_dir = strdup(config->log_dir);
    } else if (offsets && *offsets) {
        config->data_dir = format(offsets, ".sluice");
    } else {
        config->data_dir = strdup(DEFAULT_DATA);
    }
    if (!offsets) {
        char *path =
            format(config->log_dir ? config->log_dir : config->data_dir, "/connect.offsets");
        properties_set(worker, "offset.storage.file.filename", path);
        free(path);
    }
    set_default(worker, "listeners", "http://:8083");
}

/* Every error at once; keys that nobody knows are named, with what may have been meant. */
static int check_worker(const struct run_config *config)
{
    const struct sluice_option *const tables[] = {framework_worker, framework_standalone, NULL};
    struct config_report report = {0};
    const char *path = config->worker_path ? config->worker_path : "the worker's configuration";
    config_validate(tables, &config->worker, &report);
    for (size_t i = 0; i < report.count; i++) {
        const struct config_value *value = &report.values[i];
        for (size_t k = 0; k < value->error_count; k++) {
            fprintf(stderr, "sluice %s: %s: %s\n", config->verb, path, value->errors[k]);
        }
        const struct client_key *key = value->option ? NULL : client_key_find(value->name);
        bool of_clients = key && (key->clients & CLIENT_ADMIN); /* the worker's own take it */
        if (!value->option && !of_clients && value->error_count == 0) {
            const char *near = framework_nearest(value->name, tables);
            fprintf(stderr,
                    "sluice %s: %s: warning: the key '%s' is not known and has no effect%s%s%s\n",
                    config->verb, path, value->name, near ? "; is '" : "", near ? near : "",
                    near ? "' meant?" : "");
        }
    }
    int result = report.error_count > 0 ? CLI_BAD_INPUT : 0;
    config_report_finish(&report);
    return result;
}

static int check_log_dir(const struct run_config *config)
{
    if (config->log_dir && !*config->log_dir) {
        fprintf(stderr, "sluice %s: bootstrap.servers=local: names no folder\n", config->verb);
        return CLI_BAD_INPUT;
    }
    return 0;
}

int run_config_load(struct run_config *config, char **paths, size_t count, const char *data,
                    bool may_be_none)
{
    int result = 0;
    *config = (struct run_config){.verb = "run"};
    for (size_t i = 0; i < count; i++) {
        int one = load_file(config, paths[i], FILE_EITHER);
        result = result ? result : one;
    }
    if (result == 0 && config->connector_count == 0 && !config->worker_path && !may_be_none) {
        fprintf(stderr, "sluice run: no file is given; `sluice run --help` tells how to use it\n");
        result = CLI_BAD_INPUT;
    }
    if (result == 0) {
        find_folders(config, data);
        result = check_log_dir(config);
        result = result ? result : check_worker(config);
    }
    if (result != 0) {
        run_config_finish(config);
    }
    return result;
}

int run_config_load_standalone(struct run_config *config, char **paths, size_t count)
{
    *config = (struct run_config){.verb = "standalone"};
    int result = load_file(config, paths[0], FILE_WORKER) != 0 ? CLI_BAD_INPUT : 0;
    if (result == 0) {
        result = check_worker(config);
    }
    if (result == 0) {
        find_folders(config, NULL);
        result = check_log_dir(config);
    }
    for (size_t i = 1; i < count && (result == 0 || result == CLI_ENVIRONMENT); i++) {
        if (load_file(config, paths[i], FILE_CONNECTOR) != 0) {
            result = CLI_ENVIRONMENT; /* Connect's "Stopping after connector error" */
        }
    }
    if (result != 0) {
        run_config_finish(config);
    }
    return result;
}

void run_config_finish(struct run_config *config)
{
    for (size_t i = 0; i < config->connector_count; i++) {
        free(config->connectors[i].name);
        json_decref(config->connectors[i].config);
    }
    free(config->connectors);
    properties_finish(&config->worker);
    free(config->log_dir);
    free(config->data_dir);
    *config = (struct run_config){.verb = config->verb};
}
