/*
 * sluice-client: the verbs that ask an admin API, ours or a JVM worker's. A program of its own, so that
 * the worker does not carry an HTTP client. One thread, one connection.
 */
#ifndef CORE_CLI_CLIENT_CLIENT_H
#define CORE_CLI_CLIENT_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/cli/cli.h"

struct client {
    const char *verb;
    const char *help; /* whole text of --help, but for what all verbs have */
    const char *url, *ca;
    char *user; /* name:password */
    bool json;
    int timeout_ms;
};

/** An option of one verb; one of flag and text is set. */
struct client_option {
    const char *name; /* with its dashes */
    bool *flag;
    const char **text;
};

/**
 * Options before, between and behind the words, which are left in argv from 1 on; *ret_count is their
 * number. -1: go on; else the exit code (--help, or something is wrong and was said).
 */
int client_parse(struct client *client, int argc, char **argv, const struct client_option *options,
                 size_t count, int *ret_count);
void client_finish(struct client *client);

struct client_answer {
    int status;   /* 0: none came */
    json_t *body; /* NULL: none, or no JSON */
};

/**
 * Asks; body (borrowed) may be NULL. path begins with a slash, its names encoded. 0, or the exit code,
 * said on stderr, where no good answer came: CLI_ENVIRONMENT (nobody there, not allowed),
 * CLI_BAD_INPUT (4xx), CLI_FAILED. The answer is the caller's in any case.
 */
int client_ask(const struct client *client, const char *method, const char *path, json_t *body,
               struct client_answer *ret_answer);
/** The same without a word: for answers whose failure has a meaning. */
int client_try(const struct client *client, const char *method, const char *path, json_t *body,
               struct client_answer *ret_answer, char message[512]);
void client_answer_finish(struct client_answer *answer);

/** "/connectors/NAME" and rest, the name encoded. Owned by the caller. */
char *client_path(const char *name, const char *rest);
/** Says it on stderr, with where help is. Returns CLI_BAD_INPUT. */
int client_misuse(const struct client *client, const char *format, ...) PRINTF_LIKE(2, 3);
/** --json: prints it in one line, and steals it. */
void client_print_json(json_t *value);
/** The worker's URL for people: a name and password in it are left out. */
void client_shown_url(const struct client *client, char *shown, size_t size);
/** A text member, or "". */
const char *client_text(json_t *object, const char *name);
/** A member that may hold what comes from records and plugins, as plain_text_append() makes it; owned by the caller. */
char *client_plain_text(json_t *object, const char *name);
/**
 * A connector's file: .properties or JSON (a flat object, or {name, config}); "-": standard input. Else the
 * exit status, said on stderr. *ret_state: JSON's initial_state, or NULL; owned by the caller. New reference.
 */
int client_read_config(const struct client *client, const char *path, json_t **ret_config, char **ret_state);

/** Columns of text on stdout. widths are computed; the last column is as wide as it likes. */
struct table;
struct table *table_create(const char *const *heads, size_t columns);
/** Copies. */
void table_add(struct table *table, const char *const *cells);
/** Prints, unless there are no rows, and frees. */
void table_print(struct table *table);

int client_connectors(int argc, char **argv);
int client_status(int argc, char **argv);
int client_life(int argc, char **argv); /* pause, resume, stop, restart */
int client_offsets(int argc, char **argv);
int client_validate(int argc, char **argv);
int client_logs(int argc, char **argv);
int client_top(int argc, char **argv);

#endif
