/*
 * TLS of a listener, from the worker's `ssl.*` keys or those below a prefix (kafka-connect.md §9.2):
 * Java's key stores become PEM, Java's names of protocols and ciphers become GnuTLS' priorities.
 * [main thread]
 */
#ifndef CORE_REST_TLS_H
#define CORE_REST_TLS_H

#include "core/base/error.h"
#include "core/config/properties.h"

enum rest_client_auth { CLIENT_AUTH_NONE, CLIENT_AUTH_REQUESTED, CLIENT_AUTH_REQUIRED };

struct rest_tls {
    char *key, *certificates; /* PEM; the key is a secret */
    char *trusted;            /* PEM; NULL: no client is asked for a certificate */
    char *priorities;
    enum rest_client_auth client_auth;
};

/** prefix: `listeners.https.`; where no key begins so, the keys without a prefix count. */
int rest_tls_load(const struct properties *worker, const char *prefix, struct rest_tls *ret,
                  struct error *error) CHECKED;
/** Zeroed ones are fine. */
void rest_tls_finish(struct rest_tls *tls);

/** GnuTLS' priorities for Java's lists (NULL: the default); owned by the caller. Pure. */
int rest_tls_priorities(const char *protocols, const char *ciphers, char **ret,
                        struct error *error) CHECKED;

#endif
