/*
 * Java's key stores, read into PEM texts that OpenSSL, GnuTLS and librdkafka take: JKS (Sun's old
 * binary form), PKCS12 (as OpenSSL and as keytool write it) and PEM. Which of JKS and PKCS12 a file
 * is, its bytes tell, as the JDK does (keystore.type.compat). Pure but for reading a file: [any
 * thread].
 */
#ifndef LIB_JAVA_KEYSTORE_H
#define LIB_JAVA_KEYSTORE_H

#include <stddef.h>

/** Largest store that is read, and most entries of one. */
#define KEYSTORE_SIZE_MAX ((size_t)16 << 20)
enum { KEYSTORE_ENTRIES_MAX = 10000 };

enum keystore_want {
    KEYSTORE_KEY,     /**< a private key and its chain: an identity */
    KEYSTORE_TRUSTED, /**< certificates to trust; keys are not decrypted */
};

struct keystore_options {
    enum keystore_want want;
    const char *type;         /**< JKS, PKCS12 or PEM, any case; NULL: JKS (Kafka's default) */
    const char *password;     /**< of the store; NULL: none is given, nothing is checked by it */
    const char *key_password; /**< of the key; NULL: the store's */
    const char *name;         /**< for messages: the file's path, or the key of a configuration */
};

/** What was asked for; every text is malloc'ed and NUL-terminated. */
struct keystore {
    char *key;     /**< PKCS#8 PEM, in clear: a secret. NULL when certificates were asked for */
    char *chain;   /**< certificates of the key, its own first */
    char *trusted; /**< certificates to trust */
    size_t key_count, trusted_count;
    char *alias; /**< of the key that was taken: the first of the store; NULL: it has none */
};

/**
 * -1 with a sentence in message: which store, what is wrong (password, truncated, another type, no
 * entry of the wanted sort), what to do. *ret is then empty.
 */
int keystore_read(const void *data, size_t size, const struct keystore_options *options,
                  struct keystore *ret, char *message, size_t message_size)
    __attribute__((warn_unused_result));
int keystore_read_file(const char *path, const struct keystore_options *options,
                       struct keystore *ret, char *message, size_t message_size)
    __attribute__((warn_unused_result));
/** Wipes the key. NULL and zeroed ones are fine. */
void keystore_finish(struct keystore *keystore);

#endif
