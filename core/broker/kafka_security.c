/* See kafka_security.h. Words of errors are those of Kafka's DefaultSslEngineFactory and JaasContext. */
#include "core/broker/kafka_security.h"

#include <ctype.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/config/framework.h"
#include "lib/java/keystore.h"

#define LOGGER "sluice.broker.kafka.config"
#define INVALID_EXCEPTION "org.apache.kafka.common.errors.InvalidConfigurationException"

enum { REASON = 700 };

static int refuse(struct error *error, const char *text)
{
    return error_set_class(error, ERROR_CONFIG, INVALID_EXCEPTION, "%s", text);
}

/* NULL where it is not given or empty. */
static const char *get(const struct properties *properties, const char *name)
{
    const char *value = properties_get(properties, name);
    return value && *value ? value : NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), wanted = strlen(end);
    return size >= wanted && strcmp(text + size - wanted, end) == 0;
}

/* -- TLS: stores -- */

/* One of the two stores, as the properties describe it. */
struct store {
    const char *location, *type, *password, *key_password;
    const char *inline_text; /* PEM texts in the properties; owned by load() */
    const char *key;         /* of the configuration, for messages */
};

static int read_store(const struct store *store, enum keystore_want want, struct keystore *ret,
                      struct error *error)
{
    char reason[REASON];
    const struct keystore_options options = {
        .want = want,
        .type = store->type,
        .password = store->password,
        .key_password = store->key_password,
        .name = store->location ? store->location : "the PEM text",
    };
    int result = store->location
                     ? keystore_read_file(store->location, &options, ret, reason, sizeof(reason))
                     : keystore_read(store->inline_text, strlen(store->inline_text), &options, ret,
                                     reason, sizeof(reason));
    return result == 0
               ? 0
               : error_set_class(error, ERROR_CONFIG, "org.apache.kafka.common.KafkaException",
                                 "Failed to load SSL %s of type %s (%s): %s",
                                 want == KEYSTORE_KEY ? "keystore" : "truststore",
                                 store->type ? store->type : "JKS", store->key, reason);
}

static bool is_pem(const char *type)
{
    return type && strcasecmp(type, "PEM") == 0;
}

static int set_identity(struct kafka_config *config, const struct properties *properties,
                        struct error *error)
{
    struct store store = {
        .location = get(properties, "ssl.keystore.location"),
        .type = get(properties, "ssl.keystore.type"),
        .password = get(properties, "ssl.keystore.password"),
        .key_password = get(properties, "ssl.key.password"),
        .key = "ssl.keystore.location",
    };
    const char *key = get(properties, "ssl.keystore.key");
    const char *chain = get(properties, "ssl.keystore.certificate.chain");
    bool pem = is_pem(store.type);
    if (!key && !chain && !store.location) {
        return store.password ? refuse(error, "SSL key store is not specified, but key store "
                                              "password is specified.")
                              : 0;
    }
    if ((key || chain) && !pem) {
        return refuse(error, "SSL private key and certificate chain can be specified only for PEM "
                             "(ssl.keystore.type), but key store type is another.");
    }
    if (!key != !chain && !store.location) {
        return refuse(error, key ? "SSL private key is specified, but certificate chain is not "
                                   "specified."
                                 : "SSL certificate chain is specified, but private key is not "
                                   "specified.");
    }
    if ((key || chain) && store.location) {
        return refuse(error, "Both SSL key store location and separate private key are specified.");
    }
    if (pem && store.password) {
        return refuse(error, "SSL key store password cannot be specified with PEM format, only key "
                             "password may be specified.");
    }
    if (!pem && !store.password) {
        return refuse(error, "SSL key store is specified, but key store password is not specified.");
    }
    char *both = NULL;
    if (key) {
        store.key = "ssl.keystore.key, ssl.keystore.certificate.chain";
        if (asprintf(&both, "%s\n%s", key, chain) < 0) {
            return error_set(error, ERROR_NO_MEMORY, "No memory for a Kafka client");
        }
        store.inline_text = both;
    }
    struct keystore read;
    int result = read_store(&store, KEYSTORE_KEY, &read, error);
    if (both) {
        explicit_bzero(both, strlen(both)); /* invariant 7 */
        free(both);
    }
    if (result == 0) {
        if (read.key_count > 1) {
            log_info(LOGGER, "%s has %zu private keys; the first is used: %s", store.location,
                     read.key_count, read.alias ? read.alias : "(no alias)");
        }
        result = kafka_config_set(config, "ssl.keystore.key", "ssl.key.pem", read.key, error) != 0
                     ? -1
                     : kafka_config_set(config, "ssl.keystore.certificate.chain",
                                        "ssl.certificate.pem", read.chain, error);
        config->security->identity = strdup(store.location ? store.location : store.key);
    }
    keystore_finish(&read);
    return result;
}

/* What Java takes for an anchor: any certificate of the store, be it a root or not. */
static void note_anchors(struct kafka_security *security, const char *pem, size_t count)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    security->anchors = calloc(count ? count : 1, sizeof(*security->anchors));
    X509 *certificate;
    while (bio && security->anchors && security->anchor_count < count &&
           (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        if (X509_digest(certificate, EVP_sha256(), security->anchors[security->anchor_count],
                        NULL) == 1) {
            security->anchor_count++;
        }
        X509_free(certificate);
    }
    BIO_free(bio);
}

static int set_trust(struct kafka_config *config, const struct properties *properties,
                     struct error *error)
{
    struct store store = {
        .location = get(properties, "ssl.truststore.location"),
        .type = get(properties, "ssl.truststore.type"),
        .password = get(properties, "ssl.truststore.password"),
        .inline_text = get(properties, "ssl.truststore.certificates"),
        .key = "ssl.truststore.location",
    };
    bool pem = is_pem(store.type);
    if (!store.location && !store.inline_text) {
        config->security->trust = strdup("the system's certificates (no ssl.truststore.location)");
        return store.password ? refuse(error, "SSL trust store is not specified, but trust store "
                                              "password is specified.")
                              : 0; /* the system's */
    }
    if (store.inline_text && !pem) {
        return refuse(error, "SSL trust store certs can be specified only for PEM "
                             "(ssl.truststore.type), but trust store type is another.");
    }
    if (store.inline_text && store.location) {
        return refuse(error, "Both SSL trust store location and separate trust certificates are "
                             "specified.");
    }
    if (pem && store.password) {
        return refuse(error, "SSL trust store password cannot be specified for PEM format.");
    }
    store.key = store.inline_text ? "ssl.truststore.certificates" : store.key;
    struct keystore read;
    if (read_store(&store, KEYSTORE_TRUSTED, &read, error) != 0) {
        return -1;
    }
    int result = kafka_config_set(config, "ssl.truststore.certificates", "ssl.ca.pem", read.trusted,
                                  error);
    note_anchors(config->security, read.trusted, read.trusted_count);
    if (asprintf(&config->security->trust, "%s%s", store.location ? "ssl.truststore.location=" : "",
                 store.location ? store.location : store.key) < 0) {
        config->security->trust = NULL;
    }
    keystore_finish(&read);
    return result;
}

/* -- TLS: the rest -- */

/* Java's names are the RFCs' (older ones begin with SSL_); OpenSSL's list has its own. */
static int set_ciphers(struct kafka_config *config, const char *value, struct error *error)
{
    char list[4096] = "";
    struct framework_item item;
    size_t others = 0;
    while (framework_next_item(&value, &item)) {
        char name[128];
        bool old = item.size > 4 && strncasecmp(item.text, "SSL_", 4) == 0;
        (void)snprintf(name, sizeof(name), "%s%.*s", old ? "TLS_" : "",
                       (int)(item.size - (old ? 4 : 0)), item.text + (old ? 4 : 0));
        const char *found = OPENSSL_cipher_name(name);
        if (!strstr(name, "_WITH_")) {
            others++; /* TLS 1.3: always on */
        } else if (!found || strcmp(found, "(NONE)") == 0) {
            log_warn(LOGGER, "ssl.cipher.suites: OpenSSL does not offer %s", name);
        } else if (strlen(list) + strlen(found) + 2 < sizeof(list)) {
            (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
                           *list ? ":" : "", found);
        }
    }
    if (!*list && others == 0) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "ssl.cipher.suites: none of the cipher suites is offered by OpenSSL");
    }
    return *list ? kafka_config_set(config, "ssl.cipher.suites", "ssl.cipher.suites", list, error)
                 : 0;
}

static void check_protocols(const char *value)
{
    bool tls12 = false, tls13 = false;
    struct framework_item item;
    while (framework_next_item(&value, &item)) {
        tls12 = tls12 || (item.size == 7 && strncmp(item.text, "TLSv1.2", 7) == 0);
        tls13 = tls13 || (item.size == 7 && strncmp(item.text, "TLSv1.3", 7) == 0);
    }
    if (!tls12 || !tls13) {
        log_warn(LOGGER, "ssl.enabled.protocols cannot be honoured: TLS 1.2 and TLS 1.3 are both "
                         "offered, and the broker chooses");
    }
}

static int set_tls(struct kafka_config *config, const struct properties *properties,
                   struct error *error)
{
    const char *names = properties_get(properties, "ssl.endpoint.identification.algorithm");
    const char *ciphers = get(properties, "ssl.cipher.suites");
    const char *protocols = get(properties, "ssl.enabled.protocols");
    char text[16] = "https";
    if (names) {
        size_t start = strspn(names, " \t");
        (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(names + start, " \t"),
                       names + start);
    }
    if (*text && strcasecmp(text, "https") != 0) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "Invalid value %s for configuration "
                               "ssl.endpoint.identification.algorithm: it is https, or empty for "
                               "none",
                               names);
    }
    if (kafka_config_set(config, "ssl.endpoint.identification.algorithm",
                         "ssl.endpoint.identification.algorithm", *text ? "https" : "none",
                         error) != 0) {
        return -1;
    }
    if (protocols) {
        check_protocols(protocols);
    }
    if (ciphers && set_ciphers(config, ciphers, error) != 0) {
        return -1;
    }
    return set_trust(config, properties, error) != 0 ? -1
                                                     : set_identity(config, properties, error);
}

/* -- SASL -- */

/* JAAS of the one module that the mechanism wants; jaas is empty where it failed. */
static int read_jaas(const struct properties *properties, const char *mechanism,
                     struct jaas *ret, struct error *error)
{
    char reason[300];
    const char *text = get(properties, "sasl.jaas.config");
    if (!text) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "sasl.jaas.config is missing: sasl.mechanism=%s needs a login module "
                               "(there is no JVM whose java.security.auth.login.config could have "
                               "one)",
                               mechanism);
    }
    if (jaas_parse(text, ret, reason, sizeof(reason)) != 0) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "Invalid value [hidden] for configuration sasl.jaas.config: %s",
                               reason);
    }
    return 0;
}

static int wrong_module(const struct jaas *jaas, const char *mechanism, const char *wanted,
                        struct error *error)
{
    return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                           "sasl.jaas.config has the login module %s, but sasl.mechanism=%s needs "
                           "%s",
                           jaas->module, mechanism, wanted);
}

static int set_password(struct kafka_config *config, const struct jaas *jaas, const char *mechanism,
                        struct error *error)
{
    bool plain = strcmp(mechanism, "PLAIN") == 0;
    const char *wanted = plain ? "org.apache.kafka.common.security.plain.PlainLoginModule"
                               : "org.apache.kafka.common.security.scram.ScramLoginModule";
    const char *user = jaas_get(jaas, "username"), *password = jaas_get(jaas, "password");
    if (!ends_with(jaas->module, plain ? ".PlainLoginModule" : ".ScramLoginModule")) {
        return wrong_module(jaas, mechanism, wanted, error);
    }
    const char *token = jaas_get(jaas, "tokenauth");
    if (token && strcasecmp(token, "true") == 0) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "sasl.jaas.config: tokenauth=true (delegation tokens) is not "
                               "supported");
    }
    if (!user || !password) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "sasl.jaas.config has no %s, which %s needs",
                               user ? "password" : "username", mechanism);
    }
    return kafka_config_set(config, "sasl.jaas.config", "sasl.username", user, error) != 0
               ? -1
               : kafka_config_set(config, "sasl.jaas.config", "sasl.password", password, error);
}

static bool is_msk(const struct jaas *jaas, const struct properties *properties)
{
    const char *handler = get(properties, "sasl.login.callback.handler.class");
    return ends_with(jaas->module, ".IAMLoginModule") ||
           (handler && ends_with(handler, ".IAMOAuthBearerLoginCallbackHandler"));
}

/* Handlers whose work is done here; of others the user is told. */
static void check_handlers(const struct properties *properties)
{
    static const char *const keys[] = {"sasl.client.callback.handler.class",
                                       "sasl.login.callback.handler.class"};
    static const char *const known[] = {
        "IAMClientCallbackHandler",          "IAMOAuthBearerLoginCallbackHandler",
        "OAuthBearerLoginCallbackHandler",   "OAuthBearerUnsecuredLoginCallbackHandler",
        "OAuthBearerSaslClientCallbackHandler", "SaslClientCallbackHandler",
    };
    for (size_t k = 0; k < 2; k++) {
        const char *value = get(properties, keys[k]);
        bool is_known = value == NULL;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && !is_known; i++) {
            is_known = ends_with(value, known[i]);
        }
        if (!is_known) {
            log_warn(LOGGER, "%s=%s cannot be honoured: handlers are Java classes, and there is no "
                             "JVM to run them; Kafka's own and those of Amazon MSK are built in",
                     keys[k], value);
        }
    }
}

static int set_token_mechanism(struct kafka_config *config, const struct properties *properties,
                               const char *mechanism, struct jaas *jaas, struct error *error)
{
    bool msk = is_msk(jaas, properties);
    if (strcmp(mechanism, "AWS_MSK_IAM") == 0 && !msk) {
        return wrong_module(jaas, mechanism, "software.amazon.msk.auth.iam.IAMLoginModule", error);
    }
    if (!msk && !ends_with(jaas->module, ".OAuthBearerLoginModule")) {
        return wrong_module(jaas, mechanism,
                            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule",
                            error);
    }
    return kafka_tokens_create(config, properties, jaas, msk, &config->security->tokens, error);
}

static int set_sasl(struct kafka_config *config, const struct properties *properties,
                    struct error *error)
{
    const char *given = get(properties, "sasl.mechanism");
    char mechanism[40] = "GSSAPI";
    if (given) {
        size_t start = strspn(given, " \t");
        (void)snprintf(mechanism, sizeof(mechanism), "%.*s", (int)strcspn(given + start, " \t"),
                       given + start);
    }
    bool password = strcmp(mechanism, "PLAIN") == 0 || strcmp(mechanism, "SCRAM-SHA-256") == 0 ||
                    strcmp(mechanism, "SCRAM-SHA-512") == 0;
    bool token = strcmp(mechanism, "OAUTHBEARER") == 0 || strcmp(mechanism, "AWS_MSK_IAM") == 0;
    if (!password && !token) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "Invalid value %s for configuration sasl.mechanism: %s", mechanism,
                               strcmp(mechanism, "GSSAPI") == 0
                                   ? "Kerberos is not built in. There are PLAIN, SCRAM-SHA-256, "
                                     "SCRAM-SHA-512, OAUTHBEARER and AWS_MSK_IAM"
                                   : "it is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or "
                                     "AWS_MSK_IAM");
    }
    struct jaas jaas = {0};
    check_handlers(properties);
    int result = kafka_config_set(config, "sasl.mechanism", "sasl.mechanisms",
                                  token ? "OAUTHBEARER" : mechanism, error);
    result = result == 0 ? read_jaas(properties, mechanism, &jaas, error) : result;
    if (result == 0) {
        result = password ? set_password(config, &jaas, mechanism, error)
                          : set_token_mechanism(config, properties, mechanism, &jaas, error);
    }
    jaas_finish(&jaas);
    return result;
}

/* -- all of it -- */

int kafka_security_build(struct kafka_config *config, const struct properties *properties,
                         struct error *error)
{
    char protocol[24] = "";
    const char *given = get(properties, "security.protocol");
    struct kafka_security *security = calloc(1, sizeof(*security));
    if (!security) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a Kafka client");
    }
    config->security = security;
    pthread_mutex_init(&security->lock, NULL);
    given = given ? given + strspn(given, " \t") : "plaintext";
    size_t size = strcspn(given, " \t,");
    for (size_t i = 0; i < size && i + 1 < sizeof(protocol); i++) {
        protocol[i] = (char)tolower((unsigned char)given[i]);
        protocol[i + 1] = '\0';
    }
    security->tls = strstr(protocol, "ssl") != NULL;
    security->sasl = strncmp(protocol, "sasl", 4) == 0;
    security->host = strndup(config->servers, strcspn(config->servers, ", "));
    if (kafka_config_set(config, "security.protocol", "security.protocol", protocol, error) != 0 ||
        (security->tls && set_tls(config, properties, error) != 0) ||
        (security->sasl && set_sasl(config, properties, error) != 0)) {
        return -1;
    }
    kafka_diagnose_prepare(config);
    return 0;
}

void kafka_security_destroy(struct kafka_security *security)
{
    if (security) {
        kafka_tokens_destroy(security->tokens);
        pthread_mutex_destroy(&security->lock);
        free(security->anchors);
        free(security->trust);
        free(security->identity);
        free(security->host);
        free(security);
    }
}
