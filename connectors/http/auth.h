/*
 * Who we are to a server: nobody, basic, bearer, an API key, or OAuth2 with client credentials, whose
 * token is fetched, kept until shortly before it ends, and fetched again after a 401. One thread.
 */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include <sluice/host.h>

#include "lib/http/client.h"

enum auth_kind { AUTH_NONE, AUTH_STATIC, AUTH_OAUTH2 };

struct auth {
    enum auth_kind kind;
    char *header; /**< "Authorization: ..": kept, or the token's; NULL: none yet */
    const char *token_url, *client_id, *client_secret, *scope, *token_property;
    bool in_url;  /**< credentials in the body instead of a basic header */
    int64_t renew_at_ms; /**< monotonic */
};

/** Entries of the option tables that auth_read() reads. */
#define AUTH_OPTIONS                                                                               \
    {HTTP_OPTION("auth.type", STRING), .default_value = "none", .importance = SLUICE_MEDIUM,      \
     .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = auth_types, .group = "Authentication",       \
     .doc = "none, basic (connection.user and connection.password), bearer (bearer.token), "       \
            "api_key (api.key.header and api.key.value) or oauth2 (client credentials)."},         \
        {HTTP_OPTION("connection.user", STRING), .importance = SLUICE_MEDIUM,                      \
         .group = "Authentication", .doc = "User of basic authentication."},                       \
        {HTTP_OPTION("connection.password", PASSWORD), .importance = SLUICE_MEDIUM,                \
         .group = "Authentication", .doc = "Password of basic authentication."},                   \
        {HTTP_OPTION("bearer.token", PASSWORD), .importance = SLUICE_MEDIUM,                       \
         .group = "Authentication", .doc = "Token of bearer authentication."},                     \
        {HTTP_OPTION("api.key.header", STRING), .default_value = "X-API-Key",                      \
         .importance = SLUICE_LOW, .group = "Authentication", .doc = "Header of the API key."},    \
        {HTTP_OPTION("api.key.value", PASSWORD), .importance = SLUICE_MEDIUM,                      \
         .group = "Authentication", .doc = "The API key."},                                        \
        {HTTP_OPTION("oauth2.token.url", STRING), .importance = SLUICE_MEDIUM,                     \
         .group = "Authentication", .doc = "Where tokens are given."},                             \
        {HTTP_OPTION("oauth2.client.id", STRING), .importance = SLUICE_MEDIUM,                     \
         .group = "Authentication", .doc = "Client id."},                                          \
        {HTTP_OPTION("oauth2.client.secret", PASSWORD), .importance = SLUICE_MEDIUM,               \
         .group = "Authentication", .doc = "Client secret."},                                      \
        {HTTP_OPTION("oauth2.client.scope", STRING), .importance = SLUICE_LOW,                     \
         .group = "Authentication", .doc = "Scope that is asked for."},                            \
        {HTTP_OPTION("oauth2.client.mode", STRING), .default_value = "header",                     \
         .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = auth_modes,    \
         .group = "Authentication", .doc = "Where id and secret stand: header, or url (the body)."}, \
        {HTTP_OPTION("oauth2.token.property", STRING), .default_value = "access_token",            \
         .importance = SLUICE_LOW, .group = "Authentication", .doc = "Member of the answer that is the token."}

/** The names that Aiven's sink has for some of them. */
#define AUTH_OPTIONS_OF_AIVEN                                                                      \
    {HTTP_OPTION("http.authorization.type", STRING), .importance = SLUICE_LOW,                     \
     .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = auth_types_of_aiven,                         \
     .group = "Authentication",                                                                    \
     .doc = "As auth.type: none, oauth2, or static (http.headers.authorization)."},                \
        {HTTP_OPTION("http.headers.authorization", PASSWORD), .importance = SLUICE_LOW,            \
         .group = "Authentication",                                                                \
         .doc = "http.authorization.type=static: value of the header Authorization."},             \
        {HTTP_OPTION("oauth2.access.token.url", STRING), .importance = SLUICE_LOW,                 \
         .group = "Authentication", .doc = "As oauth2.token.url."},                                \
        {HTTP_OPTION("oauth2.client.authorization.mode", STRING), .importance = SLUICE_LOW,        \
         .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = auth_modes, .group = "Authentication",   \
         .doc = "As oauth2.client.mode."},                                                         \
        {HTTP_OPTION("oauth2.response.token.property", STRING), .importance = SLUICE_LOW,          \
         .group = "Authentication", .doc = "As oauth2.token.property."}

#define HTTP_OPTION(option_name, option_type) \
    .size = sizeof(struct sluice_option), .name = (option_name), .type = SLUICE_OPTION_##option_type

extern const char *const auth_types[], *const auth_types_of_aiven[], *const auth_modes[];

/** -1 with a sentence that names the key which is missing. */
int auth_read(const struct sluice_host *host, const struct sluice_config *config, struct auth *auth,
              char *message, size_t size);
void auth_finish(struct auth *auth);
/** Makes the header ready, asking for a token where there is none that holds. -1 with a sentence. */
int auth_prepare(struct auth *auth, const struct http_options *options, char *message, size_t size);
/** The server did not take the header: a token is asked for anew. True where that can help. */
bool auth_refused(struct auth *auth);

#endif
