/*
 * What a failed connection is really about. librdkafka tells of TLS in OpenSSL's words, and of a broker
 * that closes a connection only that it did; here the certificate is looked at while it is refused,
 * and the broker's port is asked what it speaks. Callbacks run on librdkafka's threads.
 */
#include <limits.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/broker/kafka_probe.h"
#include "core/broker/kafka_security.h"

enum { PROBES_MAX = 5, PROBE_EVERY_MS = 5000 };

/* -- certificates -- */

static char *time_text(const ASN1_TIME *time, char *text, size_t size)
{
    struct tm utc;
    if (ASN1_TIME_to_tm(time, &utc) != 1 || strftime(text, size, "%Y-%m-%d %H:%M UTC", &utc) == 0) {
        (void)snprintf(text, size, "?");
    }
    return text;
}

/* Names that a certificate is good for, as "kafka.example, 10.0.0.1". */
static char *names_text(X509 *certificate, char *text, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && used < size; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char one[256] = "";
        if (name->type == GEN_DNS) {
            (void)snprintf(one, sizeof(one), "%.*s", ASN1_STRING_length(name->d.dNSName),
                           ASN1_STRING_get0_data(name->d.dNSName));
        } else if (name->type == GEN_IPADD && ASN1_STRING_length(name->d.iPAddress) == 4) {
            const unsigned char *ip = ASN1_STRING_get0_data(name->d.iPAddress);
            (void)snprintf(one, sizeof(one), "%d.%d.%d.%d", ip[0], ip[1], ip[2], ip[3]);
        }
        if (*one) {
            int more = snprintf(text + used, size - used, "%s%s", used ? ", " : "", one);
            used += more > 0 ? (size_t)more : 0;
        }
    }
    GENERAL_NAMES_free(names);
    if (used == 0) {
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text,
                                        (int)size);
    }
    return text;
}

static bool is_anchor(const struct kafka_security *security, const X509 *certificate)
{
    unsigned char digest[32];
    if (X509_digest(certificate, EVP_sha256(), digest, NULL) != 1) {
        return false;
    }
    for (size_t i = 0; i < security->anchor_count; i++) {
        if (memcmp(security->anchors[i], digest, sizeof(digest)) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_about_trust(int error)
{
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || error == X509_V_ERR_CERT_UNTRUSTED;
}

static void describe(const struct kafka_security *security, X509 *certificate, const char *broker,
                     int error, char *text, size_t size)
{
    char when[40], names[200], who[200];
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        (void)snprintf(text, size, "the certificate of broker %s expired on %s", broker,
                       time_text(X509_get0_notAfter(certificate), when, sizeof(when)));
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        (void)snprintf(text, size, "the certificate of broker %s is not valid before %s", broker,
                       time_text(X509_get0_notBefore(certificate), when, sizeof(when)));
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        (void)snprintf(text, size,
                       "the certificate of broker %s is not for that host name, but for %s: use a "
                       "name it has, or set ssl.endpoint.identification.algorithm to nothing",
                       broker, names_text(certificate, names, sizeof(names)));
        return;
    default:
        break;
    }
    if (is_about_trust(error)) {
        X509_NAME_oneline(X509_get_issuer_name(certificate), who, sizeof(who));
        (void)snprintf(text, size,
                       "the certificate of broker %s is not trusted: its issuer %s is not in %s",
                       broker, who, security->trust ? security->trust : "the trust store");
    } else {
        (void)snprintf(text, size, "the certificate of broker %s is refused: %s", broker,
                       X509_verify_cert_error_string(error));
    }
}

static int refuse(struct kafka_security *security, const char *fault, char *text, size_t size)
{
    (void)snprintf(text, size, "%s", fault);
    pthread_mutex_lock(&security->lock);
    (void)snprintf(security->certificate_fault, sizeof(security->certificate_fault), "%s", fault);
    pthread_mutex_unlock(&security->lock);
    return 0;
}

/*
 * One verification, within one call on one thread: OpenSSL asks about what is wrong with the chain's end
 * first, then about each certificate from there down to the broker's own, whose signatures it has
 * checked by then.
 *
 * Java ends a chain at any certificate of its trust store, be it a root or not, while OpenSSL wants a
 * root. So a chain whose end is not trusted is held to be pending until one of its certificates is
 * found in the trust store, and refused at the broker's own certificate at the latest.
 */
static _Thread_local struct {
    int pending; /* what is wrong with the end of the chain; X509_V_OK: nothing */
    char fault[400];
} chain;

static int look(struct kafka_security *security, X509 *certificate, const char *broker,
                int *x509_error, int depth, char *text, size_t size)
{
    char fault[sizeof(chain.fault)];
    if (is_about_trust(*x509_error)) {
        describe(security, certificate, broker, *x509_error, fault, sizeof(fault));
        bool known = is_anchor(security, certificate);
        if (!known && (depth == 0 || security->anchor_count == 0)) {
            return refuse(security, fault, text, size);
        }
        if (!known) {
            chain.pending = *x509_error;
            memcpy(chain.fault, fault, sizeof(fault));
        }
        *x509_error = X509_V_OK;
        return 1;
    }
    if (*x509_error != X509_V_OK) {
        describe(security, certificate, broker, *x509_error, fault, sizeof(fault));
        return refuse(security, fault, text, size);
    }
    if (chain.pending != X509_V_OK && is_anchor(security, certificate)) {
        chain.pending = X509_V_OK;
    }
    if (chain.pending != X509_V_OK && depth == 0) {
        *x509_error = chain.pending;
        return refuse(security, chain.fault, text, size);
    }
    return 1;
}

static int verify(rd_kafka_t *rk, const char *broker, int32_t broker_id, int *x509_error, int depth,
                  const char *der, size_t der_size, char *text, size_t size, void *opaque)
{
    struct kafka_security *security = ((struct kafka_opaque *)opaque)->config->security;
    const unsigned char *p = (const unsigned char *)der;
    (void)rk;
    (void)broker_id;
    if (*x509_error == X509_V_OK && chain.pending == X509_V_OK) {
        return 1;
    }
    X509 *certificate = d2i_X509(NULL, &p, (long)der_size);
    int good = certificate ? look(security, certificate, broker, x509_error, depth, text, size)
                           : refuse(security, "a certificate of the broker is damaged", text, size);
    X509_free(certificate);
    if (!good || depth == 0) {
        chain.pending = X509_V_OK; /* this verification is over */
    }
    return good;
}

void kafka_diagnose_prepare(struct kafka_config *config)
{
    if (config->security->tls) {
        rd_kafka_conf_set_ssl_cert_verify_cb(config->conf, verify);
    }
}

/* -- faults -- */

/* What a TLS alert of the broker's is about: it refuses our certificate, or the lack of one. */
static bool explain_alert(const struct kafka_security *security, const char *reason, char *text,
                          size_t size)
{
    static const char *const absent[] = {"certificate required", "alert bad certificate",
                                         "alert handshake failure", "certificate_required",
                                         "unexpected message"};
    static const char *const refused[] = {
        "alert unknown ca",      "alert certificate unknown", "alert bad certificate",
        "alert unsupported certificate", "alert certificate revoked", "alert access denied",
        "certificate required"};
    if (strstr(reason, "alert certificate expired")) {
        (void)snprintf(text, size, "the broker says that our certificate (%s) is expired",
                       security->identity ? security->identity : "?");
        return true;
    }
    for (size_t i = 0; !security->identity && i < sizeof(absent) / sizeof(absent[0]); i++) {
        if (strstr(reason, absent[i])) {
            (void)snprintf(text, size, "the broker asks for a client certificate, and none is set: "
                                       "set ssl.keystore.location (%s)",
                           absent[i]);
            return true;
        }
    }
    for (size_t i = 0; security->identity && i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strstr(reason, refused[i])) {
            (void)snprintf(text, size, "the broker does not accept our certificate (%s): %s",
                           security->identity, refused[i]);
            return true;
        }
    }
    return false;
}

/* Of "sasl_ssl://host:port/1: text" the address; else the first of bootstrap.servers. */
static void address_of(const struct kafka_security *security, const char *reason, char *address,
                       size_t size)
{
    const char *start = strstr(reason, "://");
    size_t length = start ? strcspn(start + 3, "/ ") : 0;
    if (start && length > 0 && length < size && strchr(start + 3, ':')) {
        (void)snprintf(address, size, "%.*s", (int)length, start + 3);
    } else {
        (void)snprintf(address, size, "%s", security->host ? security->host : "");
    }
}

/* Connections that end before anything was said: the wrong protocol, or a broker that is just going. */
static bool explain_port(struct kafka_security *security, const char *reason, char *text,
                         size_t size)
{
    char address[300];
    pthread_mutex_lock(&security->lock);
    /* A broker that is down is asked again, but not forever: the wrong port is a fault of the beginning. */
    int64_t now = clock_monotonic_ms();
    bool due = !security->port_fault[0] && security->probes < PROBES_MAX &&
               (security->probes == 0 || now - security->probed_at >= PROBE_EVERY_MS);
    security->probes += due;
    security->probed_at = due ? now : security->probed_at;
    pthread_mutex_unlock(&security->lock);
    address_of(security, reason, address, sizeof(address));
    if (due) {
        char fault[sizeof(security->port_fault)] = "";
        enum kafka_port port = kafka_probe(address, security->tls);
        switch (port) {
        case KAFKA_PORT_TLS:
            (void)snprintf(fault, sizeof(fault), "the port of broker %s speaks SSL, but "
                                                 "security.protocol is %s: set it to %s",
                           address, security->sasl ? "SASL_PLAINTEXT" : "PLAINTEXT",
                           security->sasl ? "SASL_SSL" : "SSL or SASL_SSL");
            break;
        case KAFKA_PORT_PLAINTEXT:
        case KAFKA_PORT_SASL:
            if (security->tls) {
                (void)snprintf(fault, sizeof(fault), "the port of broker %s does not speak SSL, but "
                                                     "security.protocol is %s: set it to %s",
                               address, security->sasl ? "SASL_SSL" : "SSL",
                               security->sasl ? "SASL_PLAINTEXT" : "PLAINTEXT or SASL_PLAINTEXT");
            } else if (port == KAFKA_PORT_SASL && !security->sasl) {
                (void)snprintf(fault, sizeof(fault), "the port of broker %s wants SASL, but "
                                                     "security.protocol is PLAINTEXT: set it to "
                                                     "SASL_PLAINTEXT, with sasl.mechanism and "
                                                     "sasl.jaas.config",
                               address);
            }
            break;
        default:
            break;
        }
        pthread_mutex_lock(&security->lock);
        (void)snprintf(security->port_fault, sizeof(security->port_fault), "%s", fault);
        pthread_mutex_unlock(&security->lock);
    }
    pthread_mutex_lock(&security->lock);
    bool found = security->port_fault[0] != '\0';
    if (found) {
        (void)snprintf(text, size, "%s", security->port_fault);
    }
    pthread_mutex_unlock(&security->lock);
    return found;
}

bool kafka_config_closed_early(const char *text)
{
    const char *after = strstr(text, "(after ");
    long ms = after ? strtol(after + 7, NULL, 10) : LONG_MAX;
    return strstr(text, "Disconnected") && ms < 2000 &&
           (strstr(after, "in state APIVERSION_QUERY") || strstr(after, "in state UP"));
}

static bool may_be_wrong_port(rd_kafka_resp_err_t code, const char *reason)
{
    return code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || kafka_config_closed_early(reason) ||
           strstr(reason, "SSL listener") || strstr(reason, "PLAINTEXT broker listener") ||
           strstr(reason, "wrong version number") || strstr(reason, "packet length too long") ||
           strstr(reason, "record layer failure");
}

rd_kafka_resp_err_t kafka_config_fault(struct kafka_config *config, rd_kafka_resp_err_t code,
                                       const char *reason, char *text, size_t size, bool *ret_final)
{
    struct kafka_security *security = config->security;
    (void)snprintf(text, size, "%s", reason ? reason : "");
    *ret_final = false;
    if (!reason || !security) {
        return code;
    }
    if (strstr(reason, "OAUTHBEARER token")) {
        *ret_final = true;
        return security->tokens && kafka_tokens_good(security->tokens)
                   ? RD_KAFKA_RESP_ERR_NO_ERROR /* told as a warning; the old token serves */
                   : RD_KAFKA_RESP_ERR__AUTHENTICATION;
    }
    if (security->tls && (code == RD_KAFKA_RESP_ERR__SSL || strstr(reason, "SSL"))) {
        pthread_mutex_lock(&security->lock);
        bool refused = strstr(reason, "certificate verify failed") && security->certificate_fault[0];
        if (refused) {
            (void)snprintf(text, size, "%s", security->certificate_fault);
        }
        pthread_mutex_unlock(&security->lock);
        if (refused || explain_alert(security, reason, text, size)) {
            *ret_final = true;
            return RD_KAFKA_RESP_ERR__SSL;
        }
    }
    if (may_be_wrong_port(code, reason) && explain_port(security, reason, text, size)) {
        *ret_final = true;
        return RD_KAFKA_RESP_ERR__SSL;
    }
    return code;
}
