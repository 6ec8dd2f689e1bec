/* Certificate and private key of https listeners, as PEM texts. Any thread. */
#ifndef CONNECTORS_REST_KEYSTORE_H
#define CONNECTORS_REST_KEYSTORE_H

#include <stddef.h>

#include <sluice/version.h>

struct rest_keystore {
    char *key;          /* PEM, unencrypted */
    char *certificates; /* PEM, the server's first */
};

/**
 * Reads a PEM file with certificates and key, or a PKCS12 file; passwords may be NULL. -1 with a
 * sentence in message, which never holds a password.
 */
int rest_keystore_load(const char *path, const char *store_password, const char *key_password,
                       struct rest_keystore *keystore, char *message, size_t size) SLUICE_CHECKED;
/** Wipes and frees; zeroed ones are fine. */
void rest_keystore_finish(struct rest_keystore *keystore);

#endif
