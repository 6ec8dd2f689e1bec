#include "core/rest/tls.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/config/framework.h"
#include "lib/java/keystore.h"
#include "lib/util/buffer.h"

#define LOGGER "sluice.rest"

enum { PRIORITIES_MOST = 8192 };

/* -- names -- */

struct name {
    const char *java, *gnutls;
};

static const struct name protocols[] = {{"TLSv1.3", "VERS-TLS1.3"},
                                        {"TLSv1.2", "VERS-TLS1.2"},
                                        {"TLSv1.1", "VERS-TLS1.1"},
                                        {"TLSv1", "VERS-TLS1.0"}};
static const struct name exchanges[] = {{"ECDHE_ECDSA", "ECDHE-ECDSA"},
                                        {"ECDHE_RSA", "ECDHE-RSA"},
                                        {"DHE_RSA", "DHE-RSA"},
                                        {"RSA", "RSA"}};
static const struct name ciphers[] = {
    {"AES_256_GCM", "AES-256-GCM"}, {"AES_128_GCM", "AES-128-GCM"},
    {"AES_256_CCM", "AES-256-CCM"}, {"AES_128_CCM", "AES-128-CCM"},
    {"AES_256_CBC", "AES-256-CBC"}, {"AES_128_CBC", "AES-128-CBC"},
    {"CHACHA20_POLY1305", "CHACHA20-POLY1305"}};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The entry that text begins with, followed by end or by nothing; *ret_rest is behind it. */
static const char *begins_with(const struct name *table, size_t count, const char *text,
                               const char *end, const char **ret_rest)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(table[i].java);
        if (strncmp(text, table[i].java, size) == 0 &&
            (text[size] == '\0' || strncmp(text + size, end, strlen(end)) == 0)) {
            *ret_rest = text[size] ? text + size + strlen(end) : text + size;
            return table[i].gnutls;
        }
    }
    return NULL;
}

/* Parts of one suite: TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_AES_256_GCM_SHA384. */
static bool add_suite(struct buffer *out, const char *suite)
{
    const char *rest = suite, *exchange = NULL;
    if (strncmp(rest, "TLS_", 4) != 0 && strncmp(rest, "SSL_", 4) != 0) {
        return false;
    }
    rest += 4;
    if (strstr(rest, "_WITH_")) {
        exchange = begins_with(exchanges, COUNT(exchanges), rest, "_WITH_", &rest);
        if (!exchange) {
            return false;
        }
    }
    const char *cipher = begins_with(ciphers, COUNT(ciphers), rest, "_", &rest);
    if (!cipher) {
        return false;
    }
    bool block = strstr(cipher, "CBC") != NULL;
    const char *mac = !block                      ? "AEAD"
                      : strcmp(rest, "SHA") == 0  ? "SHA1"
                      : *rest                     ? rest
                                                  : "SHA1";
    if (exchange) {
        (void)buffer_printf(out, ":+%s", exchange);
    }
    (void)buffer_printf(out, ":+%s:+%s", cipher, mac);
    return true;
}

static int add_protocols(struct buffer *out, const char *list, struct error *error)
{
    struct framework_item item;
    bool any = false;
    for (const char *next = list; framework_next_item(&next, &item);) {
        bool known = item.size == 0;
        for (size_t i = 0; i < COUNT(protocols); i++) {
            if (strlen(protocols[i].java) == item.size &&
                strncasecmp(protocols[i].java, item.text, item.size) == 0) {
                (void)buffer_printf(out, ":+%s", protocols[i].gnutls);
                known = any = true;
            }
        }
        if (!known) {
            log_warn(LOGGER, "ssl.enabled.protocols: '%.*s' is not known here and left out",
                     (int)item.size, item.text);
        }
    }
    return any ? 0
               : error_set(error, ERROR_CONFIG,
                           "ssl.enabled.protocols: none of '%s' is known; TLSv1.2 and TLSv1.3 are",
                           list);
}

static int add_ciphers(struct buffer *out, const char *list, struct error *error)
{
    struct framework_item item;
    bool any = false;
    for (const char *next = list; framework_next_item(&next, &item);) {
        char *suite = strndup(item.text, item.size);
        bool known = suite && *suite && add_suite(out, suite);
        if (suite && *suite && !known) {
            log_warn(LOGGER, "ssl.cipher.suites: '%s' is not known here and left out", suite);
        }
        any = any || known;
        free(suite);
    }
    return any ? 0
               : error_set(error, ERROR_CONFIG, "ssl.cipher.suites: none of '%s' is known here",
                           list);
}

int rest_tls_priorities(const char *enabled, const char *suites, char **ret, struct error *error)
{
    struct buffer out;
    int result = 0;
    buffer_init(&out, PRIORITIES_MOST);
    (void)buffer_append_text(&out, suites && *suites ? "NONE:+COMP-NULL:+GROUP-ALL:+SIGN-ALL:+CTYPE-ALL"
                                                     : "NORMAL:-VERS-ALL");
    result = add_protocols(&out, enabled && *enabled ? enabled : "TLSv1.2,TLSv1.3", error);
    if (result == 0 && suites && *suites) {
        /* of TLS 1.3 the exchange is none of the suite's affair */
        (void)buffer_append_text(&out, ":+ECDHE-RSA:+ECDHE-ECDSA");
        result = add_ciphers(&out, suites, error);
    }
    if (result == 0) {
        *ret = buffer_take(&out);
    } else {
        buffer_finish(&out);
    }
    return result;
}

/* -- stores -- */

struct keys {
    const struct properties *worker;
    const char *prefix;
};

static const char *get(const struct keys *keys, const char *name)
{
    char key[256];
    (void)snprintf(key, sizeof(key), "%s%s", keys->prefix, name);
    const char *value = properties_get(keys->worker, key);
    return value && *value ? value : NULL;
}

/* A store's file, or PEM texts that stand in the configuration itself. */
static int read_store(const struct keys *keys, const char *what, enum keystore_want want,
                      struct keystore *ret, struct error *error)
{
    char name[64], message[512] = "";
    (void)snprintf(name, sizeof(name), "ssl.%s.location", what);
    const char *location = get(keys, name);
    (void)snprintf(name, sizeof(name), "ssl.%s.password", what);
    struct keystore_options options = {.want = want, .password = get(keys, name)};
    (void)snprintf(name, sizeof(name), "ssl.%s.type", what);
    options.type = get(keys, name);
    options.key_password = want == KEYSTORE_KEY ? get(keys, "ssl.key.password") : NULL;
    options.name = location ? location : what;
    int result = 0;
    if (location) {
        result = keystore_read_file(location, &options, ret, message, sizeof(message));
    } else {
        struct buffer text;
        const char *chain = get(keys, "ssl.keystore.certificate.chain"),
                   *key = get(keys, "ssl.keystore.key"),
                   *trusted = get(keys, "ssl.truststore.certificates");
        buffer_init(&text, KEYSTORE_SIZE_MAX);
        if (want == KEYSTORE_KEY && key && chain) {
            (void)buffer_printf(&text, "%s\n%s\n", key, chain);
        } else if (want == KEYSTORE_TRUSTED && trusted) {
            (void)buffer_append_text(&text, trusted);
        }
        options.type = "PEM";
        if (text.size > 0) {
            result = keystore_read(text.data, text.size, &options, ret, message, sizeof(message));
            explicit_bzero(text.data, text.size);
        }
        buffer_finish(&text);
    }
    return result == 0 ? 0
                       : error_set_class(error, ERROR_CONFIG,
                                         "org.apache.kafka.common.config.ConfigException", "%s",
                                         message);
}

static int read_client_auth(const struct keys *keys, enum rest_client_auth *ret,
                            struct error *error)
{
    const char *text = get(keys, "ssl.client.auth");
    if (!text || strcasecmp(text, "none") == 0) {
        *ret = CLIENT_AUTH_NONE;
    } else if (strcasecmp(text, "requested") == 0) {
        *ret = CLIENT_AUTH_REQUESTED;
    } else if (strcasecmp(text, "required") == 0) {
        *ret = CLIENT_AUTH_REQUIRED;
    } else {
        return error_set(error, ERROR_CONFIG,
                         "Invalid value %s for configuration ssl.client.auth: String must be one of: "
                         "required, requested, none",
                         text);
    }
    return 0;
}

static bool has_prefix(const struct properties *worker, const char *prefix)
{
    for (size_t i = 0; i < worker->count; i++) {
        if (strncmp(worker->items[i].name, prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

int rest_tls_load(const struct properties *worker, const char *prefix, struct rest_tls *ret,
                  struct error *error)
{
    const struct keys keys = {worker, has_prefix(worker, prefix) ? prefix : ""};
    struct keystore store = {0}, trust = {0};
    *ret = (struct rest_tls){0};
    int result = read_client_auth(&keys, &ret->client_auth, error);
    result = result == 0 ? read_store(&keys, "keystore", KEYSTORE_KEY, &store, error) : result;
    if (result == 0 && !store.key) {
        result = error_set(error, ERROR_CONFIG,
                           "A listener asks for HTTPS: %sssl.keystore.location has to name a store "
                           "with its key and certificate",
                           keys.prefix);
    }
    if (result == 0 && ret->client_auth != CLIENT_AUTH_NONE) {
        result = read_store(&keys, "truststore", KEYSTORE_TRUSTED, &trust, error);
        if (result == 0 && !trust.trusted) {
            result = error_set(error, ERROR_CONFIG,
                               "ssl.client.auth asks for certificates of clients: "
                               "%sssl.truststore.location has to name those that are trusted",
                               keys.prefix);
        }
    }
    result = result == 0 ? rest_tls_priorities(get(&keys, "ssl.enabled.protocols"),
                                               get(&keys, "ssl.cipher.suites"), &ret->priorities,
                                               error)
                         : result;
    if (result == 0) {
        ret->key = strdup(store.key);
        ret->certificates = strdup(store.chain ? store.chain : "");
        ret->trusted = trust.trusted ? strdup(trust.trusted) : NULL;
    } else {
        rest_tls_finish(ret);
    }
    keystore_finish(&store);
    keystore_finish(&trust);
    return result;
}

void rest_tls_finish(struct rest_tls *tls)
{
    if (tls->key) {
        explicit_bzero(tls->key, strlen(tls->key));
    }
    free(tls->key);
    free(tls->certificates);
    free(tls->trusted);
    free(tls->priorities);
    *tls = (struct rest_tls){0};
}
