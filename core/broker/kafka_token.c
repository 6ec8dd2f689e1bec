/*
 * SASL/OAUTHBEARER: librdkafka asks for a token when a client starts and again at 80 % of its life, on
 * the background thread of that client, where fetching may block. A token that could not be renewed
 * serves until its end.
 */
#include "core/broker/kafka_token.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/base/log.h"
#include "core/broker/kafka_security.h"

#define LOGGER "sluice.broker.kafka.token"

enum { STAGGER_MS = 1000, MESSAGE = 900, EXTENSIONS_MAX = 50 };

struct kafka_tokens {
    struct token_source source;
    const char *extensions[EXTENSIONS_MAX * 2]; /* name, value, ..; of source.jaas */
    size_t extension_count;                     /* both counted */
    atomic_llong expires_ms;                    /* of the newest token; 0: there was none */
};

/*
 * MSK takes few new IAM connections a second ("Too many connects"), and librdkafka connects once it
 * has a token: tasks that start together get theirs one after another.
 */
static void stagger(void)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof(random), 0) == sizeof(random)) {
        struct timespec pause = {0, (long)(random % STAGGER_MS) * 1000000L};
        nanosleep(&pause, NULL);
    }
}

static void refresh(rd_kafka_t *rk, const char *config, void *opaque)
{
    struct kafka_tokens *tokens =
        ((struct kafka_opaque *)opaque)->config->security->tokens;
    struct kafka_token token;
    char message[MESSAGE] = "", text[512] = "";
    (void)config;
    if (token_fetch(&tokens->source, &token, message, sizeof(message)) != 0) {
        if (kafka_tokens_good(tokens)) {
            log_warn(LOGGER, "%s: no new token, the old one is used as long as it lives: %s",
                     rd_kafka_name(rk), message);
        }
        rd_kafka_oauthbearer_set_token_failure(rk, message);
        return;
    }
    if (tokens->source.kind == TOKEN_MSK_IAM && atomic_load(&tokens->expires_ms) == 0) {
        stagger();
    }
    rd_kafka_resp_err_t code = rd_kafka_oauthbearer_set_token(
        rk, token.text, token.expires_ms, token.principal, tokens->extensions,
        tokens->extension_count, text, sizeof(text));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_debug(LOGGER, "%s: new token of %s, good for %lld s", rd_kafka_name(rk),
                  token.principal, (long long)(token.expires_ms / 1000 - time(NULL)));
        atomic_store(&tokens->expires_ms, token.expires_ms);
    } else {
        rd_kafka_oauthbearer_set_token_failure(rk, text);
    }
    kafka_token_finish(&token);
}

/* `extension_NAME` of OAuthBearerLoginCallbackHandler, `unsecuredLoginExtension_NAME` of the other. */
static int take_extensions(struct kafka_tokens *tokens, struct error *error)
{
    static const char secured[] = "extension_", unsecured[] = "unsecuredLoginExtension_";
    const struct jaas *jaas = &tokens->source.jaas;
    bool made_here = tokens->source.kind == TOKEN_UNSECURED;
    const char *prefix = made_here ? unsecured : secured;
    size_t size = strlen(prefix);
    for (size_t i = 0; i < jaas->option_count; i++) {
        if (strncmp(jaas->options[i].name, prefix, size) != 0) {
            continue;
        }
        if (tokens->extension_count >= 2 * EXTENSIONS_MAX) {
            return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                                   "sasl.jaas.config has more than %d SASL extensions",
                                   EXTENSIONS_MAX);
        }
        tokens->extensions[tokens->extension_count++] = jaas->options[i].name + size;
        tokens->extensions[tokens->extension_count++] = jaas->options[i].value;
    }
    return 0;
}

int kafka_tokens_create(struct kafka_config *config, const struct properties *properties,
                        struct jaas *jaas, bool msk, struct kafka_tokens **ret, struct error *error)
{
    struct kafka_tokens *tokens = calloc(1, sizeof(*tokens));
    if (!tokens) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a Kafka client");
    }
    if (token_source_init(&tokens->source, properties, config->servers, jaas, msk, error) != 0 ||
        take_extensions(tokens, error) != 0) {
        kafka_tokens_destroy(tokens);
        return -1;
    }
    /* MSK refuses clients that come back at once. */
    if (msk && ((!properties_get(properties, "reconnect.backoff.ms") &&
                 kafka_config_set(config, "reconnect.backoff.ms", "reconnect.backoff.ms", "1000",
                                  error) != 0) ||
                (!properties_get(properties, "reconnect.backoff.max.ms") &&
                 kafka_config_set(config, "reconnect.backoff.max.ms", "reconnect.backoff.max.ms",
                                  "10000", error) != 0))) {
        kafka_tokens_destroy(tokens);
        return -1;
    }
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(config->conf, refresh);
    rd_kafka_conf_enable_sasl_queue(config->conf, 1);
    *ret = tokens;
    return 0;
}

void kafka_tokens_destroy(struct kafka_tokens *tokens)
{
    if (tokens) {
        token_source_finish(&tokens->source);
        free(tokens);
    }
}

bool kafka_tokens_good(struct kafka_tokens *tokens)
{
    return atomic_load(&tokens->expires_ms) > (long long)time(NULL) * 1000;
}
