/* The default chain, single sources, and a role on top; see credentials.h. Blocking; no state of its own. */
#include "lib/aws/credentials_chain.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* -- what several sources need -- */

bool aws_credentials_set(char *field, size_t field_size, const char *value)
{
    size_t size = value ? strlen(value) : 0;
    if (size >= field_size) {
        return false;
    }
    memcpy(field, value ? value : "", size);
    field[size] = '\0';
    return true;
}

int64_t aws_parse_time(const char *text)
{
    struct tm utc = {0};
    const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) : NULL;
    if (!end) {
        return 0;
    }
    while (*end == '.' || isdigit((unsigned char)*end)) {
        end++;
    }
    int64_t seconds = timegm(&utc);
    int hours = 0, minutes = 0;
    if ((*end == '+' || *end == '-') && sscanf(end + 1, "%2d:%2d", &hours, &minutes) == 2) {
        seconds -= (*end == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
    }
    return seconds;
}

char *aws_read_file(const char *path, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    char *text = malloc(max + 1);
    size_t size = 0;
    ssize_t got = 1;
    while (text && got > 0 && size < max) {
        got = read(fd, text + size, max - size);
        size += got > 0 ? (size_t)got : 0;
    }
    int saved = errno;
    close(fd);
    if (!text || got < 0 || size == max) {
        free(text);
        errno = !text ? ENOMEM : got < 0 ? saved : EFBIG;
        return NULL;
    }
    while (size > 0 && isspace((unsigned char)text[size - 1])) {
        size--;
    }
    text[size] = '\0';
    return text;
}

enum aws_fetch aws_credentials_json(const char *json, size_t json_size, const char *token_name,
                                    const char *from, struct aws_credentials *ret, char *message,
                                    size_t size)
{
    json_error_t error;
    json_t *root = json_loadb(json ? json : "", json_size, 0, &error);
    const char *code = json_string_value(json_object_get(root, "Code"));
    const char *access_key = json_string_value(json_object_get(root, "AccessKeyId"));
    const char *secret_key = json_string_value(json_object_get(root, "SecretAccessKey"));
    const char *token = json_string_value(json_object_get(root, token_name));
    const json_t *end = json_object_get(root, "Expiration");
    bool ends = end && !json_is_null(end);
    enum aws_fetch result = AWS_FAILED;
    *ret = (struct aws_credentials){0};
    if (!root) {
        snprintf(message, size, "%s answered with something that is not JSON", from);
    } else if (code && strcmp(code, "Success") != 0) {
        snprintf(message, size, "%s answered %s", from, code);
    } else if (!access_key || !secret_key) {
        snprintf(message, size, "%s answered without AccessKeyId and SecretAccessKey", from);
    } else if (!aws_credentials_set(ret->access_key, sizeof(ret->access_key), access_key) ||
               !aws_credentials_set(ret->secret_key, sizeof(ret->secret_key), secret_key) ||
               !aws_credentials_set(ret->token, sizeof(ret->token), token)) {
        snprintf(message, size, "%s answered with credentials that are too long", from);
    } else {
        ret->expires = ends ? aws_parse_time(json_string_value(end)) : AWS_NEVER_EXPIRES;
        result = AWS_FETCHED;
        if (ends && ret->expires == AWS_NEVER_EXPIRES) { /* they would be used for ever */
            snprintf(message, size,
                     "%s answered with an Expiration that is no time (2026-01-31T12:00:00Z is one)",
                     from);
            result = AWS_FAILED;
        }
    }
    json_decref(root);
    return result;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL; /* empty counts as unset */
}

enum aws_fetch aws_fetch_environment(struct aws_credentials *ret, char *message, size_t size)
{
    const char *access_key = environment("AWS_ACCESS_KEY_ID");
    const char *secret_key = environment("AWS_SECRET_ACCESS_KEY");
    *ret = (struct aws_credentials){0};
    if (!access_key && !secret_key) {
        return AWS_NOT_HERE;
    }
    if (!access_key || !secret_key) {
        snprintf(message, size, "%s is set, but %s is not",
                 access_key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                 access_key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
        return AWS_FAILED;
    }
    if (!aws_credentials_set(ret->access_key, sizeof(ret->access_key), access_key) ||
        !aws_credentials_set(ret->secret_key, sizeof(ret->secret_key), secret_key) ||
        !aws_credentials_set(ret->token, sizeof(ret->token), environment("AWS_SESSION_TOKEN"))) {
        snprintf(message, size, "the credentials in the environment are too long");
        return AWS_FAILED;
    }
    return AWS_FETCHED;
}

/* -- the chain -- */

/* False: no memory. A role that got lost would leave its base's rights. */
static bool copy(char **ret, const char *text)
{
    *ret = text && *text ? strdup(text) : NULL;
    return *ret || !text || !*text;
}

bool aws_chain_init(struct aws_chain *chain, const struct aws_credentials_options *options,
                    char *message, size_t size)
{
    *chain = (struct aws_chain){.source = options->source};
    if (!aws_credentials_set(chain->fixed.access_key, sizeof(chain->fixed.access_key),
                             options->access_key) ||
        !aws_credentials_set(chain->fixed.secret_key, sizeof(chain->fixed.secret_key),
                             options->secret_key) ||
        !aws_credentials_set(chain->fixed.token, sizeof(chain->fixed.token), options->token)) {
        snprintf(message, size, "the access key, the secret key or the session token is too long");
        return false;
    }
    if (!copy(&chain->profile, options->profile) || !copy(&chain->region, options->region) ||
        !copy(&chain->role_arn, options->role_arn) ||
        !copy(&chain->role_external_id, options->role_external_id) ||
        !copy(&chain->role_session_name, options->role_session_name) ||
        !copy(&chain->sts_endpoint, options->sts_endpoint)) {
        snprintf(message, size, "out of memory");
        return false;
    }
    return true;
}

void aws_chain_finish(struct aws_chain *chain)
{
    explicit_bzero(&chain->fixed, sizeof(chain->fixed)); /* invariant 7 */
    free(chain->profile);
    free(chain->region);
    free(chain->role_arn);
    free(chain->role_external_id);
    free(chain->role_session_name);
    free(chain->sts_endpoint);
    *chain = (struct aws_chain){0};
}

static enum aws_fetch fetch_from(const struct aws_chain *chain, enum aws_source source,
                                 struct aws_credentials *ret, char *message, size_t size)
{
    switch (source) {
    case AWS_SOURCE_ENVIRONMENT:
        return aws_fetch_environment(ret, message, size);
    case AWS_SOURCE_WEB_IDENTITY:
        return aws_fetch_web_identity(chain->region, chain->sts_endpoint, ret, message, size);
    case AWS_SOURCE_PROFILE:
        return aws_fetch_profile(chain->profile, chain->region, ret, message, size);
    case AWS_SOURCE_CONTAINER:
        return aws_fetch_container(ret, message, size);
    case AWS_SOURCE_INSTANCE:
        return aws_fetch_instance(ret, message, size);
    default:
        *ret = chain->fixed; /* static; empty for anonymous */
        return AWS_FETCHED;
    }
}

static const char *const names[] = {
    [AWS_SOURCE_DEFAULT] = "default chain", [AWS_SOURCE_STATIC] = "configuration",
    [AWS_SOURCE_ENVIRONMENT] = "environment", [AWS_SOURCE_WEB_IDENTITY] = "web identity",
    [AWS_SOURCE_PROFILE] = "profile files", [AWS_SOURCE_CONTAINER] = "container",
    [AWS_SOURCE_INSTANCE] = "instance metadata", [AWS_SOURCE_ANONYMOUS] = "anonymous",
};

/* Every source's reason, so that the user sees at once which of them was meant to work. */
static bool fetch_first(struct aws_chain *chain, struct aws_credentials *ret, char *name,
                        size_t name_size, char *message, size_t size)
{
    static const enum aws_source order[] = {AWS_SOURCE_ENVIRONMENT, AWS_SOURCE_WEB_IDENTITY,
                                            AWS_SOURCE_PROFILE, AWS_SOURCE_CONTAINER,
                                            AWS_SOURCE_INSTANCE};
    char why[1024] = "";
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        char reason[300] = "not configured";
        enum aws_fetch result = fetch_from(chain, order[i], ret, reason, sizeof(reason));
        if (result == AWS_FETCHED) {
            snprintf(name, name_size, "%s", names[order[i]]);
            chain->source = order[i];
            return true;
        }
        size_t used = strlen(why);
        snprintf(why + used, sizeof(why) - used, "%s%s: %s", i > 0 ? "; " : "", names[order[i]],
                 reason);
    }
    snprintf(message, size, "no AWS credentials found (%s)", why);
    return false;
}

bool aws_chain_fetch(struct aws_chain *chain, struct aws_credentials *ret, char *name,
                     size_t name_size, char *message, size_t size)
{
    if (chain->source == AWS_SOURCE_DEFAULT) {
        if (!fetch_first(chain, ret, name, name_size, message, size)) {
            return false;
        }
    } else {
        char reason[700] = "not configured";
        if (fetch_from(chain, chain->source, ret, reason, sizeof(reason)) != AWS_FETCHED) {
            snprintf(message, size, "no AWS credentials from %s: %s", names[chain->source], reason);
            return false;
        }
        snprintf(name, name_size, "%s", names[chain->source]);
    }
    if (!chain->role_arn) {
        return true;
    }
    struct aws_credentials base = *ret;
    struct aws_role role = {
        .arn = chain->role_arn,
        .external_id = chain->role_external_id,
        .session_name = chain->role_session_name,
        .region = chain->region,
        .endpoint = chain->sts_endpoint,
    };
    enum aws_fetch result = aws_fetch_role(&role, &base, NULL, ret, message, size);
    explicit_bzero(&base, sizeof(base)); /* invariant 7 */
    size_t used = strlen(name);
    snprintf(name + used, name_size - used, ", role %s", chain->role_arn);
    return result == AWS_FETCHED;
}
