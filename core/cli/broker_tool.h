/*
 * What the verbs topics, produce and consume share: options named as Kafka's tools name them, a
 * broker handle from them, and how an error is told. One thread.
 */
#ifndef CORE_CLI_BROKER_TOOL_H
#define CORE_CLI_BROKER_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/broker/broker.h"
#include "core/config/properties.h"

enum { TOOL_TIMEOUT_MS = 30000 };

/** One of flag, text, number and list is set. */
struct tool_option {
    const char *name; /* with its dashes */
    bool *flag;
    const char **text;
    int64_t *number;
    struct properties *list; /* KEY=VALUE, may be given again */
};

struct tool {
    const char *verb;
    const char *help; /* whole text of --help */
    const char *servers, *command_config;
    struct properties client; /* of --producer-property and the like */
    struct properties properties; /* all of them, once open */
    struct broker *broker;
};

/** -1: go on; else the verb's exit code (--help was asked for, or something is wrong and was said).
 */
int tool_parse(struct tool *tool, int argc, char **argv, const struct tool_option *options,
               size_t count);
/** Puts properties together, opens the broker, and sees that it answers: -1: go on; else the exit code. */
int tool_open(struct tool *tool);
void tool_close(struct tool *tool);
/** Says it on stderr, with its code, and gives the exit code of its kind. Clears it. */
int tool_fail(const struct tool *tool, struct error *error);
/** Wrong use: says it on stderr, with where help is. */
int tool_misuse(const struct tool *tool, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
