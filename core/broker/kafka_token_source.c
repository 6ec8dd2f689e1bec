/* Tokens of an identity provider, of a file, or made here; see kafka_token.h. */
#include <ctype.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/broker/kafka_security.h"
#include "core/broker/kafka_token.h"
#include "lib/aws/uri.h"
#include "lib/http/client.h"
#include "lib/java/keystore.h"

enum { BODY_MAX = 64 << 10, TOKEN_MAX = 64 << 10, TRIES = 3, LIFE_MS = 3600 * 1000 };

static void wipe(char *text)
{
    if (text) {
        explicit_bzero(text, strlen(text)); /* invariant 7 */
    }
    free(text);
}

static const char *get(const struct properties *properties, const char *name)
{
    const char *value = properties_get(properties, name);
    return value && *value ? value : NULL;
}

static int number(const struct properties *properties, const char *name, int fallback)
{
    const char *value = get(properties, name);
    long read = value ? strtol(value, NULL, 10) : 0;
    return read > 0 && read < 600000 ? (int)read : fallback;
}

/* Stores of the endpoint's TLS are options of the login module (JaasOptionsUtils). */
static int read_trust(struct token_source *source, struct error *error)
{
    const char *location = jaas_get(&source->jaas, "ssl.truststore.location");
    char reason[600];
    struct keystore store;
    const struct keystore_options options = {
        .want = KEYSTORE_TRUSTED,
        .type = jaas_get(&source->jaas, "ssl.truststore.type"),
        .password = jaas_get(&source->jaas, "ssl.truststore.password"),
    };
    if (!location) {
        return 0;
    }
    if (keystore_read_file(location, &options, &store, reason, sizeof(reason)) != 0) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "Failed to load SSL truststore (ssl.truststore.location in "
                               "sasl.jaas.config): %s",
                               reason);
    }
    source->ca_pem = store.trusted;
    store.trusted = NULL;
    keystore_finish(&store);
    return 0;
}

int token_source_init(struct token_source *source, const struct properties *properties,
                      const char *servers, struct jaas *jaas, bool msk, struct error *error)
{
    const char *endpoint = get(properties, "sasl.oauthbearer.token.endpoint.url");
    const char *subject = get(properties, "sasl.oauthbearer.sub.claim.name");
    const char *encode = get(properties, "sasl.oauthbearer.header.urlencode");
    *source = (struct token_source){
        .jaas = *jaas,
        .servers = strdup(servers),
        .endpoint = endpoint ? strdup(endpoint) : NULL,
        .subject = strdup(subject ? subject : "sub"),
        .encode = encode && strcasecmp(encode, "true") == 0,
        .connect_ms = number(properties, "sasl.login.connect.timeout.ms", 10000),
        .read_ms = number(properties, "sasl.login.read.timeout.ms", 10000),
    };
    *jaas = (struct jaas){0};
    if (msk) {
        source->kind = TOKEN_MSK_IAM;
        source->aws = kafka_aws_acquire(&source->jaas, servers);
        return source->aws ? 0 : error_set(error, ERROR_NO_MEMORY, "No memory for a Kafka client");
    }
    if (!endpoint) {
        source->kind = TOKEN_UNSECURED;
        return 0;
    }
    if (strncmp(endpoint, "file:", 5) == 0) {
        source->kind = TOKEN_FILE;
        return 0;
    }
    source->kind = TOKEN_OIDC;
    if (strncmp(endpoint, "https://", 8) != 0 && strncmp(endpoint, "http://", 7) != 0) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "Invalid value %s for configuration "
                               "sasl.oauthbearer.token.endpoint.url: it begins with https://, "
                               "http:// or file:",
                               endpoint);
    }
    const char *id = jaas_get(&source->jaas, "clientId");
    if (!id || !jaas_get(&source->jaas, "clientSecret")) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "The OAuth configuration option %s value must be non-null "
                               "(sasl.jaas.config)",
                               id ? "clientSecret" : "clientId");
    }
    return read_trust(source, error);
}

void token_source_finish(struct token_source *source)
{
    kafka_aws_release(source->aws);
    jaas_finish(&source->jaas);
    free(source->servers);
    free(source->endpoint);
    free(source->subject);
    free(source->ca_pem);
    *source = (struct token_source){0};
}

void kafka_token_finish(struct kafka_token *token)
{
    wipe(token->text);
    token->text = NULL;
}

/* Takes the text over. */
static int accept_token(const struct token_source *source, char *text, int64_t life_ms,
                        struct kafka_token *ret, char *message, size_t size)
{
    int64_t now = (int64_t)time(NULL) * 1000;
    char principal[sizeof(ret->principal)] = "";
    bool jwt = kafka_jwt_read(text, source->subject, &ret->expires_ms, principal, sizeof(principal));
    if (!jwt || ret->expires_ms == 0) {
        ret->expires_ms = now + (life_ms > 0 ? life_ms : LIFE_MS);
    }
    if (ret->expires_ms <= now) {
        (void)snprintf(message, size, "the token is expired");
        wipe(text);
        return -1;
    }
    const char *id = jaas_get(&source->jaas, "clientId");
    (void)snprintf(ret->principal, sizeof(ret->principal), "%s",
                   *principal ? principal : id ? id : "sluice");
    ret->text = text;
    return 0;
}

/* -- a file -- */

static int fetch_file(const struct token_source *source, struct kafka_token *ret, char *message,
                      size_t size)
{
    const char *path = source->endpoint + 5;
    while (path[0] == '/' && path[1] == '/') {
        path++; /* file:///path */
    }
    char *text = NULL;
    size_t length = 0;
    struct error error = {0};
    if (properties_read_file(path, &text, &length, &error) != 0) {
        (void)snprintf(message, size, "%s", error.message);
        error_clear(&error);
        return -1;
    }
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        text[--length] = '\0';
    }
    if (length == 0 || length > TOKEN_MAX || strpbrk(text, " \t\r\n")) {
        (void)snprintf(message, size, "%s holds no token", path);
        wipe(text);
        return -1;
    }
    return accept_token(source, text, 0, ret, message, size);
}

/* -- an identity provider -- */

static int append_basic(struct buffer *header, const char *id, const char *secret, bool encode)
{
    struct buffer pair;
    buffer_init(&pair, BODY_MAX);
    if (encode) {
        aws_uri_encode(&pair, id, strlen(id), false);
        (void)buffer_append_char(&pair, ':');
        aws_uri_encode(&pair, secret, strlen(secret), false);
    } else {
        (void)buffer_printf(&pair, "%s:%s", id, secret);
    }
    unsigned char *text = pair.failed ? NULL : malloc((pair.size + 2) / 3 * 4 + 1);
    int result = -1;
    if (text) {
        EVP_EncodeBlock(text, (unsigned char *)pair.data, (int)pair.size);
        result = buffer_printf(header, "Authorization: Basic %s", (char *)text);
        explicit_bzero(text, strlen((char *)text)); /* invariant 7 */
    }
    free(text);
    if (pair.data) {
        explicit_bzero(pair.data, pair.size);
    }
    buffer_finish(&pair);
    return result;
}

static int read_reply(const struct token_source *source, const struct http_reply *reply,
                      struct kafka_token *ret, char *message, size_t size)
{
    json_t *body = reply->body.data ? json_loadb(reply->body.data, reply->body.size, 0, NULL) : NULL;
    const char *token = json_string_value(json_object_get(body, "access_token"));
    const char *fault = json_string_value(json_object_get(body, "error"));
    const char *more = json_string_value(json_object_get(body, "error_description"));
    json_int_t life = json_integer_value(json_object_get(body, "expires_in"));
    int result = -1;
    if (reply->failure != HTTP_FINE) {
        (void)snprintf(message, size, "the token endpoint %s cannot be reached: %s",
                       source->endpoint, reply->message);
    } else if (reply->status != 200 && reply->status != 201) {
        (void)snprintf(message, size, "the token endpoint %s answered %d%s%s%s%s", source->endpoint,
                       reply->status, fault ? ": " : "", fault ? fault : "", more ? ": " : "",
                       more ? more : "");
    } else if (!token || !*token || strlen(token) > TOKEN_MAX) {
        (void)snprintf(message, size, "the token endpoint %s answered without access_token",
                       source->endpoint);
    } else {
        char *text = strdup(token);
        int64_t seconds = life < 0 ? 0 : life < INT32_MAX ? (int64_t)life : INT32_MAX;
        result = text ? accept_token(source, text, seconds * 1000, ret, message, size) : -1;
    }
    json_decref(body);
    return result;
}

static int fetch_oidc(const struct token_source *source, struct kafka_token *ret, char *message,
                      size_t size)
{
    const char *scope = jaas_get(&source->jaas, "scope");
    struct buffer header, form;
    buffer_init(&header, BODY_MAX * 2);
    buffer_init(&form, BODY_MAX);
    (void)buffer_append_text(&form, "grant_type=client_credentials");
    if (scope && *scope) {
        (void)buffer_append_text(&form, "&scope=");
        aws_uri_encode(&form, scope, strlen(scope), false);
    }
    int result = append_basic(&header, jaas_get(&source->jaas, "clientId"),
                              jaas_get(&source->jaas, "clientSecret"), source->encode);
    if (result != 0 || form.failed) {
        (void)snprintf(message, size, "clientId, clientSecret or scope is too long");
        result = -1;
    }
    bool again = result == 0;
    for (int try = 1; again; try++) {
        const char *headers[] = {header.data, "Accept: application/json",
                                 "Content-Type: application/x-www-form-urlencoded", NULL};
        const struct http_options options = {.connect_timeout_ms = source->connect_ms,
                                             .ca_pem = source->ca_pem};
        const struct http_request request = {
            .method = "POST",
            .url = source->endpoint,
            .headers = headers,
            .body = form.data,
            .body_size = form.size,
            .total_timeout_ms = source->connect_ms + source->read_ms,
        };
        struct http_reply reply;
        http_fetch(&options, &request, &reply);
        result = read_reply(source, &reply, ret, message, size);
        again = result != 0 && try < TRIES &&
                (reply.failure == HTTP_CONNECT || reply.failure == HTTP_BROKEN ||
                 reply.status >= 500 || reply.status == 429);
        if (reply.body.data) {
            explicit_bzero(reply.body.data, reply.body.capacity); /* invariant 7 */
        }
        http_reply_finish(&reply);
        if (again) {
            struct timespec pause = {0, 300 * 1000000L * try};
            nanosleep(&pause, NULL);
        }
    }
    if (header.data) {
        explicit_bzero(header.data, header.size);
    }
    buffer_finish(&header);
    buffer_finish(&form);
    return result;
}

int token_fetch(struct token_source *source, struct kafka_token *ret, char *message, size_t size)
{
    *ret = (struct kafka_token){0};
    switch (source->kind) {
    case TOKEN_MSK_IAM:
        return kafka_aws_token(source->aws, ret, message, size);
    case TOKEN_FILE:
        return fetch_file(source, ret, message, size);
    case TOKEN_OIDC:
        return fetch_oidc(source, ret, message, size);
    default:
        ret->text = kafka_jwt_unsecured(&source->jaas, time(NULL), &ret->expires_ms, ret->principal,
                                        sizeof(ret->principal), message, size);
        return ret->text ? 0 : -1;
    }
}
