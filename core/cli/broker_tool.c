#include "core/cli/broker_tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/cli.h"

enum { NAMED_MS = 3000 /* between looks for why nothing is connected */ };

int tool_misuse(const struct tool *tool, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "sluice %s: ", tool->verb);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; `sluice %s --help` tells more\n", tool->verb);
    va_end(args);
    return CLI_BAD_INPUT;
}

static int exit_code(enum error_code code)
{
    switch (code) {
    case ERROR_SYNTAX:
    case ERROR_CONFIG:
    case ERROR_USAGE:
    case ERROR_EXISTS:
    case ERROR_NOT_FOUND:
    case ERROR_UNKNOWN_TOPIC:
    case ERROR_UNKNOWN_PARTITION:
    case ERROR_TOPIC_EXISTS:
    case ERROR_INVALID_TOPIC:
    case ERROR_TOO_LARGE:
        return CLI_BAD_INPUT;
    case ERROR_BROKER_UNAVAILABLE:
    case ERROR_TIMEOUT: /* it does not answer */
    case ERROR_AUTHENTICATION:
    case ERROR_AUTHORIZATION:
    case ERROR_SYSTEM:
    case ERROR_BUSY:
        return CLI_ENVIRONMENT;
    default:
        return CLI_FAILED;
    }
}

int tool_fail(const struct tool *tool, struct error *error)
{
    int code = exit_code(error->code);
    fprintf(stderr, "sluice %s: [SLUICE-%d] %s\n", tool->verb, error->code,
            error->message ? error->message : "it failed");
    for (const struct error *cause = error->cause; cause; cause = cause->cause) {
        fprintf(stderr, "  because: %s\n", cause->message ? cause->message : "?");
    }
    error_clear(error);
    return code;
}

static int take_value(struct tool *tool, const struct tool_option *option, const char *value)
{
    if (option->number) {
        char *end;
        errno = 0;
        *option->number = strtoll(value, &end, 10);
        if (errno != 0 || end == value || *end != '\0') {
            return tool_misuse(tool, "%s %s: a whole number is expected", option->name, value);
        }
    } else if (option->list) {
        const char *equals = strchr(value, '=');
        char *name = equals ? strndup(value, (size_t)(equals - value)) : NULL;
        if (!name || equals == value) {
            free(name);
            return tool_misuse(tool, "%s %s: KEY=VALUE is expected", option->name, value);
        }
        properties_set(option->list, name, equals + 1);
        free(name);
    } else {
        *option->text = value;
    }
    return -1;
}

int tool_parse(struct tool *tool, int argc, char **argv, const struct tool_option *options,
               size_t count)
{
    for (int i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        size_t size = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        const struct tool_option *option = NULL;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(tool->help, stdout);
            return CLI_OK;
        }
        for (size_t n = 0; n < count && !option; n++) {
            if (strlen(options[n].name) == size && strncmp(options[n].name, argv[i], size) == 0) {
                option = &options[n];
            }
        }
        if (!option) {
            return tool_misuse(tool, "unknown option %s", argv[i]);
        }
        if (option->flag) {
            if (equals) {
                return tool_misuse(tool, "%s takes no value", option->name);
            }
            *option->flag = true;
            continue;
        }
        if (!equals && i + 1 == argc) {
            return tool_misuse(tool, "%s needs a value", option->name);
        }
        int code = take_value(tool, option, equals ? equals + 1 : argv[++i]);
        if (code >= 0) {
            return code;
        }
    }
    return -1;
}

/*
 * Whether anybody is there at all, before a producer or consumer tries for as long as they do. A cause
 * that the client has named (refused, no such host) is told at once: a user watches, and can try again.
 */
static int reach(struct broker *broker, struct error *error)
{
    struct broker_cluster cluster = {0};
    int64_t deadline = clock_monotonic_ms() + TOOL_TIMEOUT_MS;
    int result;
    do {
        error_clear(error);
        result = broker_cluster(broker, NAMED_MS, &cluster, error);
    } while (result != 0 && error->code == ERROR_TIMEOUT && !error->cause &&
             clock_monotonic_ms() < deadline);
    char *named = error->code == ERROR_TIMEOUT && error->cause && error->cause->message
                      ? strdup(error->cause->message)
                      : NULL;
    if (named) {
        error_clear(error);
        (void)error_set(error, ERROR_BROKER_UNAVAILABLE, "%s", named);
    }
    free(named);
    broker_cluster_free(&cluster);
    return result;
}

int tool_open(struct tool *tool)
{
    struct error error = {0};
    if (tool->command_config &&
        properties_load_file(&tool->properties, tool->command_config, &error) != 0) {
        return tool_fail(tool, &error);
    }
    for (size_t i = 0; i < tool->client.count; i++) {
        properties_set(&tool->properties, tool->client.items[i].name, tool->client.items[i].value);
    }
    if (tool->servers) {
        properties_set(&tool->properties, "bootstrap.servers", tool->servers);
    }
    if (!properties_get(&tool->properties, "bootstrap.servers")) {
        return tool_misuse(tool, "--bootstrap-server is missing (local:DIR for an embedded log)");
    }
    return broker_open(&tool->properties, &tool->broker, &error) == 0 &&
                   reach(tool->broker, &error) == 0
               ? -1
               : tool_fail(tool, &error);
}

void tool_close(struct tool *tool)
{
    broker_close(tool->broker);
    tool->broker = NULL;
    properties_finish(&tool->properties);
    properties_finish(&tool->client);
}
