/* What the readers of the three formats share; inside lib/java only. */
#ifndef LIB_JAVA_KEYSTORE_PRIV_H
#define LIB_JAVA_KEYSTORE_PRIV_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "lib/java/keystore.h"

/* A read under way: what was asked for, and what has been found. */
struct keystore_read {
    const struct keystore_options *options;
    STACK_OF(X509) *trusted, *chain; /* owned */
    PKCS8_PRIV_KEY_INFO *key;        /* owned */
    char *alias;                     /* owned */
    size_t key_count;
    char *message;
    size_t message_size;
};

/* Says what is wrong, behind the store's name; returns -1. */
int keystore_fail(struct keystore_read *read, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes the certificate over in any case. */
int keystore_add(struct keystore_read *read, STACK_OF(X509) *to, X509 *certificate);
/* The password of the key: its own, else the store's; NULL: none. */
const char *keystore_key_password(const struct keystore_read *read);

int keystore_jks(struct keystore_read *read, const unsigned char *data, size_t size);
int keystore_pkcs12(struct keystore_read *read, const unsigned char *data, size_t size);
int keystore_pem(struct keystore_read *read, const char *data, size_t size);

#endif
