#include "core/cli/client/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/config/properties.h"
#include "lib/http/client.h"
#include "lib/util/buffer.h"
#include "lib/util/plain_text.h"

enum { REPLY_MAX = 256 << 20, CONFIG_MAX = 8 << 20, TIMEOUT_S = 100 };

#define DEFAULT_URL "http://127.0.0.1:8083"

static const char common[] =
    "worker\n"
    "  --url URL           admin API (default: SLUICE_URL of the environment, or " DEFAULT_URL ")\n"
    "  --user-file FILE    basic authentication: NAME:PASSWORD in its first line\n"
    "                      (or SLUICE_USER of the environment)\n"
    "  --ca FILE           certificates (PEM) that the worker's is checked against\n"
    "  --timeout SECONDS   for an answer (default 100)\n"
    "  --json              print JSON\n"
    "  --help\n"
    "Exit status: 0 fine, 1 failed, 2 bad input (an unknown connector too), 3 no worker or file, or "
    "not allowed.\n";

int client_misuse(const struct client *client, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "sluice %s: ", client->verb);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; `sluice %s --help` tells more\n", client->verb);
    va_end(args);
    return CLI_BAD_INPUT;
}

/* -- options -- */

/* First line of the file; not on the command line, where `ps` would show it. */
static int read_user(struct client *client, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    struct error error = {0};
    if (properties_read_file(path, &text, &size, &error) != 0) {
        fprintf(stderr, "sluice %s: %s\n", client->verb, error.message);
        error_clear(&error);
        return CLI_ENVIRONMENT;
    }
    text[strcspn(text, "\r\n")] = '\0';
    free(client->user);
    client->user = text;
    return strchr(text, ':') ? -1 : client_misuse(client, "'%s' holds no NAME:PASSWORD", path);
}

static int take_common(struct client *client, const char *name, const char *value)
{
    if (strcmp(name, "--url") == 0) {
        client->url = value;
    } else if (strcmp(name, "--ca") == 0) {
        client->ca = value;
        if (access(value, R_OK) != 0) {
            fprintf(stderr, "sluice %s: '%s' cannot be read: %s\n", client->verb, value,
                    strerror(errno));
            return CLI_ENVIRONMENT;
        }
    } else if (strcmp(name, "--user-file") == 0) {
        return read_user(client, value);
    } else {
        char *end;
        double seconds = strtod(value, &end);
        if (end == value || *end || !(seconds > 0 && seconds < 1e6)) {
            return client_misuse(client, "--timeout takes seconds, not '%s'", value);
        }
        client->timeout_ms = seconds < 0.001 ? 1 : (int)(seconds * 1000); /* 0: for ever */
    }
    return -1;
}

static bool is_common(const char *name)
{
    static const char *const names[] = {"--url", "--ca", "--user-file", "--timeout"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static const struct client_option *find(const struct client_option *options, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

int client_parse(struct client *client, int argc, char **argv, const struct client_option *options,
                 size_t count, int *ret_count)
{
    const char *url = getenv("SLUICE_URL"), *user = getenv("SLUICE_USER");
    client->url = url && *url ? url : DEFAULT_URL;
    client->user = user && *user ? strdup(user) : NULL;
    client->timeout_ms = TIMEOUT_S * 1000;
    int words = 0;
    bool over = false;
    for (int i = 1; i < argc; i++) {
        char *argument = argv[i], name[64];
        if (over || *argument != '-' || strcmp(argument, "-") == 0) {
            argv[++words] = argument;
            continue;
        }
        if (strcmp(argument, "--") == 0) {
            over = true;
            continue;
        }
        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            fputs(client->help, stdout);
            fputs(common, stdout);
            return CLI_OK;
        }
        if (strcmp(argument, "--json") == 0) {
            client->json = true;
            continue;
        }
        size_t size = strcspn(argument, "=");
        (void)snprintf(name, sizeof(name), "%.*s", (int)size, argument);
        const struct client_option *option = find(options, count, name);
        if (option && option->flag && !argument[size]) {
            *option->flag = true;
            continue;
        }
        if ((!option || !option->text) && !is_common(name)) {
            return client_misuse(client, "there is no option '%s'", argument);
        }
        const char *value = argument[size] ? argument + size + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value) {
            return client_misuse(client, "%s takes a value", name);
        }
        if (option) {
            *option->text = value;
        } else {
            int result = take_common(client, name, value);
            if (result >= 0) {
                return result;
            }
        }
    }
    *ret_count = words;
    return -1;
}

void client_finish(struct client *client)
{
    if (client->user) {
        explicit_bzero(client->user, strlen(client->user));
    }
    free(client->user);
    client->user = NULL;
}

/* -- asking -- */

static char *authorization(const char *user)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buffer text;
    size_t size = strlen(user);
    buffer_init(&text, 4096);
    (void)buffer_append_text(&text, "Authorization: Basic ");
    for (size_t i = 0; i < size; i += 3) {
        unsigned bits = (unsigned)(unsigned char)user[i] << 16;
        bits |= i + 1 < size ? (unsigned)(unsigned char)user[i + 1] << 8 : 0;
        bits |= i + 2 < size ? (unsigned)(unsigned char)user[i + 2] : 0;
        (void)buffer_append_char(&text, digits[bits >> 18]);
        (void)buffer_append_char(&text, digits[bits >> 12 & 63]);
        (void)buffer_append_char(&text, i + 1 < size ? digits[bits >> 6 & 63] : '=');
        (void)buffer_append_char(&text, i + 2 < size ? digits[bits & 63] : '=');
    }
    return buffer_take(&text);
}

void client_shown_url(const struct client *client, char *shown, size_t size)
{
    const char *host = strstr(client->url, "://");
    host = host ? host + 3 : client->url;
    size_t front = (size_t)(host - client->url), user = strcspn(host, "/?#");
    while (user > 0 && host[user - 1] != '@') {
        user--;
    }
    (void)snprintf(shown, size, "%.*s%s", (int)front, client->url, host + user); /* invariant 7 */
}

static int exit_code(int status)
{
    return status == 401 || status == 403 ? CLI_ENVIRONMENT
           : status == 409                ? CLI_FAILED
           : status >= 400 && status < 500 ? CLI_BAD_INPUT
                                           : CLI_FAILED;
}

int client_try(const struct client *client, const char *method, const char *path, json_t *body,
               struct client_answer *ret_answer, char message[512])
{
    char *url = NULL, *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    char *login = client->user ? authorization(client->user) : NULL;
    *ret_answer = (struct client_answer){0};
    size_t size = strlen(client->url);
    while (size > 0 && client->url[size - 1] == '/') {
        size--;
    }
    if (asprintf(&url, "%.*s%s", (int)size, client->url, path) < 0) {
        abort();
    }
    const char *headers[] = {"Accept: application/json", "Content-Type: application/json", login,
                             NULL};
    const struct http_options options = {.ca_file = client->ca};
    const struct http_request request = {
        .method = method,
        .url = url,
        .headers = headers,
        .body = text,
        .body_size = text ? strlen(text) : 0,
        .total_timeout_ms = client->timeout_ms,
        .reply_max = REPLY_MAX,
    };
    struct http_reply reply;
    http_fetch(&options, &request, &reply);
    int result = 0;
    if (reply.failure != HTTP_FINE) {
        char shown[200];
        client_shown_url(client, shown, sizeof(shown));
        (void)snprintf(message, 512, "%s does not answer: %s", shown, reply.message);
        result = reply.failure == HTTP_MISUSE ? CLI_BAD_INPUT : CLI_ENVIRONMENT;
    } else {
        ret_answer->status = reply.status;
        ret_answer->body =
            reply.body.size > 0
                ? json_loadb(reply.body.data, reply.body.size, JSON_DECODE_ANY, NULL)
                : NULL;
        if (reply.status < 200 || reply.status >= 300) {
            const char *said = client_text(ret_answer->body, "message");
            (void)snprintf(message, 512, "%s (HTTP %d)",
                           *said                 ? said
                           : reply.status == 401 ? "the worker asks for a name and a password "
                                                   "(--user-file FILE)"
                                                 : "the worker refuses",
                           reply.status);
            result = exit_code(reply.status);
        }
    }
    http_reply_finish(&reply);
    if (login) {
        explicit_bzero(login, strlen(login));
    }
    free(login);
    free(text);
    free(url);
    return result;
}

int client_ask(const struct client *client, const char *method, const char *path, json_t *body,
               struct client_answer *ret_answer)
{
    char message[512];
    int result = client_try(client, method, path, body, ret_answer, message);
    if (result != 0) {
        fprintf(stderr, "sluice %s: %s\n", client->verb, message);
    }
    return result;
}

void client_answer_finish(struct client_answer *answer)
{
    json_decref(answer->body);
    *answer = (struct client_answer){0};
}

char *client_path(const char *name, const char *rest)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    (void)buffer_append_text(&text, "/connectors/");
    for (const char *p = name; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("-._~", *p);
        (void)(plain ? buffer_append_char(&text, *p)
                     : buffer_printf(&text, "%%%02X", (unsigned char)*p));
    }
    (void)buffer_append_text(&text, rest);
    char *path = buffer_take(&text);
    if (!path) {
        abort();
    }
    return path;
}

/* -- texts -- */

void client_print_json(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    puts(text ? text : "null");
    free(text);
    json_decref(value);
}

const char *client_text(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

char *client_plain_text(json_t *object, const char *name)
{
    struct buffer text;
    buffer_init(&text, REPLY_MAX);
    (void)plain_text_append(&text, client_text(object, name));
    char *taken = buffer_take(&text);
    return taken ? taken : strdup("");
}

/* NULL: said. */
static char *read_input(size_t *ret_size, struct error *error)
{
    struct buffer text;
    char part[65536];
    size_t got;
    buffer_init(&text, CONFIG_MAX);
    while ((got = fread(part, 1, sizeof(part), stdin)) > 0) {
        if (buffer_append(&text, part, got) != 0) {
            break;
        }
    }
    *ret_size = text.size;
    if (ferror(stdin)) {
        (void)error_set_errno(error, errno, "Standard input cannot be read");
        buffer_finish(&text);
        return NULL;
    }
    if (text.failed) {
        (void)error_set(error, ERROR_CONFIG, "Standard input is too long for a configuration: more than %d MiB",
                        CONFIG_MAX >> 20);
    } else if (text.size == 0) {
        (void)error_set(error, ERROR_CONFIG, "Standard input holds nothing");
    }
    return buffer_take(&text);
}

/* Numbers and booleans as text, null left out. */
static json_t *strings_of(json_t *object)
{
    json_t *strings = json_object(), *value;
    const char *name;
    json_object_foreach(object, name, value)
    {
        if (json_is_string(value)) {
            json_object_set(strings, name, value);
        } else if (!json_is_null(value)) {
            char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
            json_object_set_new(strings, name, json_string(text ? text : ""));
            free(text);
        }
    }
    return strings;
}

static json_t *config_of_json(json_t *object, char **ret_state)
{
    json_t *inner = json_object_get(object, "config");
    json_t *config = strings_of(json_is_object(inner) ? inner : object);
    json_t *name = json_object_get(object, "name");
    const char *state = json_string_value(json_object_get(object, "initial_state"));
    if (json_is_object(inner) && json_is_string(name) && !json_object_get(config, "name")) {
        json_object_set(config, "name", name);
    }
    if (json_is_object(inner) && state) {
        *ret_state = strdup(state);
    }
    return config;
}

int client_read_config(const struct client *client, const char *path, json_t **ret_config, char **ret_state)
{
    char *text = NULL;
    size_t size = 0;
    json_t *config = NULL;
    json_error_t why;
    struct error error = {0};
    struct properties properties = {0};
    int result = CLI_OK;
    *ret_state = NULL;
    if (strcmp(path, "-") == 0) {
        text = read_input(&size, &error);
        if (!text) {
            goto out;
        }
    } else if (properties_read_file(path, &text, &size, &error) != 0) {
        goto out;
    }
    if (text[strspn(text, " \t\r\n")] == '{') {
        json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
        if (!object) {
            (void)error_set(&error, ERROR_SYNTAX, "%s:%d: %s", path, why.line, why.text);
            goto out;
        }
        config = config_of_json(object, ret_state);
        json_decref(object);
    } else if (properties_load(&properties, text, size, path, &error) == 0) {
        config = json_object();
        for (size_t i = 0; i < properties.count; i++) {
            json_object_set_new(config, properties.items[i].name,
                                json_string(properties.items[i].value));
        }
    }
out:
    if (!config) {
        fprintf(stderr, "sluice %s: %s\n", client->verb, error.message ? error.message : "failed");
        result = error.code == ERROR_SYSTEM ? CLI_ENVIRONMENT : CLI_BAD_INPUT;
    }
    *ret_config = config;
    error_clear(&error);
    properties_finish(&properties);
    free(text);
    return result;
}
