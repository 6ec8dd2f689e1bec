/* Authentication of the HTTP connectors. */
#include "connectors/http/auth.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "connectors/http/template.h"

enum { SECRET_MAX = 16384, RENEW_BEFORE_MS = 60000, TOKEN_LIFE_S = 3600, TOKEN_LIFE_MAX_S = 86400, FETCH_MS = 30000 };

const char *const auth_types[] = {"none", "basic", "bearer", "api_key", "oauth2", NULL};
const char *const auth_types_of_aiven[] = {"none", "static", "oauth2", NULL};
const char *const auth_modes[] = {"header", "url", NULL};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static char *basic_header(const char *user, const char *password)
{
    struct buffer plain, header;
    buffer_init(&plain, SECRET_MAX);
    buffer_init(&header, SECRET_MAX * 2);
    buffer_printf(&plain, "%s:%s", user, password);
    buffer_append_text(&header, "Authorization: Basic ");
    size_t room = plain.size / 3 * 4 + 8;
    unsigned char *encoded = malloc(room);
    if (encoded && plain.data) {
        int size = EVP_EncodeBlock(encoded, (const unsigned char *)plain.data, (int)plain.size);
        buffer_append(&header, encoded, (size_t)size);
    }
    free(encoded);
    buffer_finish(&plain);
    return buffer_take(&header);
}

static char *joined(const char *name, const char *value)
{
    struct buffer text;
    buffer_init(&text, SECRET_MAX);
    buffer_printf(&text, "%s%s", name, value);
    return buffer_take(&text);
}

static const char *needed(const struct sluice_config_api *api, const struct sluice_config *config,
                          const char *name, const char *kind, char *message, size_t size)
{
    const char *value = api->get_string(config, name);
    if (!value || !*value || strpbrk(value, "\r\n")) {
        snprintf(message, size, "auth.type=%s needs %s, without line breaks", kind, name);
        return NULL;
    }
    return value;
}

/* The key's value, or that of the name which Aiven's sink has for it. */
static const char *either(const struct sluice_config_api *api, const struct sluice_config *config,
                          const char *name, const char *of_aiven)
{
    return !api->is_set(config, name) && api->is_set(config, of_aiven) ? of_aiven : name;
}

/* http.authorization.type=static: the header's value as it stands. */
static int read_static(const struct sluice_config_api *api, const struct sluice_config *config,
                       struct auth *auth, char *message, size_t size)
{
    const char *value = api->get_string(config, "http.headers.authorization");
    if (!value || !*value || strpbrk(value, "\r\n")) {
        snprintf(message, size, "http.authorization.type=static needs http.headers.authorization, without "
                                "line breaks");
        return -1;
    }
    auth->kind = AUTH_STATIC;
    auth->header = joined("Authorization: ", value);
    return auth->header ? 0 : -1;
}

int auth_read(const struct sluice_host *host, const struct sluice_config *config, struct auth *auth,
              char *message, size_t size)
{
    const struct sluice_config_api *api = host->config;
    const char *kind = api->get_string(config, either(api, config, "auth.type", "http.authorization.type"));
    memset(auth, 0, sizeof(*auth));
    if (strcasecmp(kind, "none") == 0) {
        return 0;
    }
    if (strcasecmp(kind, "static") == 0) {
        return read_static(api, config, auth, message, size);
    }
    auth->kind = AUTH_STATIC;
    if (strcasecmp(kind, "basic") == 0) {
        const char *user = needed(api, config, "connection.user", kind, message, size);
        const char *password =
            user ? needed(api, config, "connection.password", kind, message, size) : NULL;
        auth->header = user && password ? basic_header(user, password) : NULL;
    } else if (strcasecmp(kind, "bearer") == 0) {
        const char *token = needed(api, config, "bearer.token", kind, message, size);
        auth->header = token ? joined("Authorization: Bearer ", token) : NULL;
    } else if (strcasecmp(kind, "api_key") == 0) {
        const char *value = needed(api, config, "api.key.value", kind, message, size);
        const char *name = value ? needed(api, config, "api.key.header", kind, message, size) : NULL;
        char *prefix = name ? joined(name, ": ") : NULL;
        auth->header = value && prefix ? joined(prefix, value) : NULL;
        free(prefix);
    } else {
        auth->kind = AUTH_OAUTH2;
        auth->token_url = needed(api, config, either(api, config, "oauth2.token.url", "oauth2.access.token.url"),
                                 kind, message, size);
        auth->client_id =
            auth->token_url ? needed(api, config, "oauth2.client.id", kind, message, size) : NULL;
        auth->client_secret =
            auth->client_id ? needed(api, config, "oauth2.client.secret", kind, message, size) : NULL;
        auth->scope = api->get_string(config, "oauth2.client.scope");
        auth->token_property = api->get_string(
            config, either(api, config, "oauth2.token.property", "oauth2.response.token.property"));
        auth->in_url = strcasecmp(api->get_string(config, either(api, config, "oauth2.client.mode",
                                                                 "oauth2.client.authorization.mode")),
                                  "url") == 0;
        return auth->token_url && auth->client_id && auth->client_secret ? 0 : -1;
    }
    return auth->header ? 0 : -1;
}

void auth_finish(struct auth *auth)
{
    if (auth->header) {
        explicit_bzero(auth->header, strlen(auth->header));
    }
    free(auth->header);
    memset(auth, 0, sizeof(*auth));
}

static void form_part(struct buffer *to, const char *name, const char *value)
{
    buffer_printf(to, "%s%s=", to->size ? "&" : "", name);
    template_encode(value, strlen(value), to);
}

/* The token and how long it holds, out of the server's answer. */
static int take_token(struct auth *auth, const struct http_reply *reply, char *message, size_t size)
{
    json_error_t error;
    json_t *answer = json_loadb(reply->body.data ? reply->body.data : "", reply->body.size, 0, &error);
    const char *token = json_string_value(json_object_get(answer, auth->token_property));
    json_t *life = json_object_get(answer, "expires_in");
    int64_t seconds = json_is_integer(life) ? json_integer_value(life) : TOKEN_LIFE_S;
    int outcome = -1;
    if (!token || strpbrk(token, "\r\n")) {
        snprintf(message, size, "the answer of oauth2.token.url has no %s", auth->token_property);
    } else if ((auth->header = joined("Authorization: Bearer ", token))) {
        int64_t life_ms = (seconds < TOKEN_LIFE_MAX_S ? seconds < 0 ? 0 : seconds : TOKEN_LIFE_MAX_S) * 1000;
        auth->renew_at_ms =
            now_ms() + (life_ms > 2 * RENEW_BEFORE_MS ? life_ms - RENEW_BEFORE_MS : life_ms / 2);
        outcome = 0;
    }
    json_decref(answer);
    return outcome;
}

int auth_prepare(struct auth *auth, const struct http_options *options, char *message, size_t size)
{
    if (auth->kind != AUTH_OAUTH2 || (auth->header && now_ms() < auth->renew_at_ms)) {
        return 0;
    }
    free(auth->header);
    auth->header = NULL;
    struct buffer form;
    buffer_init(&form, SECRET_MAX);
    form_part(&form, "grant_type", "client_credentials");
    if (auth->scope) {
        form_part(&form, "scope", auth->scope);
    }
    char *basic = NULL;
    if (auth->in_url) {
        form_part(&form, "client_id", auth->client_id);
        form_part(&form, "client_secret", auth->client_secret);
    } else {
        basic = basic_header(auth->client_id, auth->client_secret);
    }
    const char *headers[] = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json",
                             basic, NULL};
    struct http_request request = {.method = "POST", .url = auth->token_url, .headers = headers,
                                   .body = form.data, .body_size = form.size,
                                   .total_timeout_ms = FETCH_MS};
    struct http_reply reply;
    http_fetch(options, &request, &reply);
    int outcome = -1;
    if (reply.failure != HTTP_FINE) {
        snprintf(message, size, "no token from oauth2.token.url: %s", reply.message);
    } else if (reply.status != 200) {
        snprintf(message, size, "no token from oauth2.token.url: it answered %d", reply.status);
    } else {
        outcome = take_token(auth, &reply, message, size);
    }
    http_reply_finish(&reply);
    buffer_finish(&form);
    free(basic);
    return outcome;
}

bool auth_refused(struct auth *auth)
{
    bool fresh = auth->kind == AUTH_OAUTH2 && auth->header;
    if (fresh) {
        auth->renew_at_ms = 0;
    }
    return fresh;
}
