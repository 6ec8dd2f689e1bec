/*
 * PEM as Kafka reads it (KIP-651): certificates and a PKCS#8 key, in one text, in any order. Line
 * breaks may be missing or be blanks, as texts in .properties files come.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/keystore_priv.h"

/* One block: -----BEGIN LABEL-----, base64, -----END LABEL-----. */
struct block {
    const char *label;
    size_t label_size;
    unsigned char *der; /* owned: may be a secret */
    size_t size;
};

static void block_finish(struct block *block)
{
    if (block->der) {
        explicit_bzero(block->der, block->size);
    }
    free(block->der);
    block->der = NULL;
}

static bool is_label(const struct block *block, const char *label)
{
    return block->label_size == strlen(label) && memcmp(block->label, label, block->label_size) == 0;
}

static int decode(struct keystore_read *read, const char *text, size_t size, struct block *block)
{
    EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
    char *dense = malloc(size + 1);
    block->der = malloc(size + 4);
    int used = 0, rest = 0;
    size_t count = 0;
    bool good = context && dense && block->der;
    for (size_t i = 0; good && i < size; i++) {
        if (!strchr(" \t\r\n\f", text[i]) || text[i] == '\0') {
            dense[count++] = text[i];
        }
    }
    if (good) {
        EVP_DecodeInit(context);
        good = count > 0 &&
               EVP_DecodeUpdate(context, block->der, &used, (unsigned char *)dense, (int)count) >=
                   0 &&
               EVP_DecodeFinal(context, block->der + used, &rest) == 1;
        explicit_bzero(dense, size);
    }
    block->size = good ? (size_t)(used + rest) : 0;
    free(dense);
    EVP_ENCODE_CTX_free(context);
    return good ? 0
                : keystore_fail(read, "the block %.*s is not base64 (encrypted keys are read as "
                                      "PKCS#8 only: BEGIN ENCRYPTED PRIVATE KEY)",
                                (int)block->label_size, block->label);
}

/* 1: a block; 0: no more; -1: told. */
static int next_block(struct keystore_read *read, const char **at, const char *end,
                      struct block *block)
{
    static const char begin[] = "-----BEGIN ", close[] = "-----END ", dashes[] = "-----";
    const char *start = memmem(*at, (size_t)(end - *at), begin, sizeof(begin) - 1);
    if (!start) {
        return 0;
    }
    block->label = start + sizeof(begin) - 1;
    const char *label_end =
        memmem(block->label, (size_t)(end - block->label), dashes, sizeof(dashes) - 1);
    const char *body = label_end ? label_end + sizeof(dashes) - 1 : NULL;
    const char *stop = body ? memmem(body, (size_t)(end - body), close, sizeof(close) - 1) : NULL;
    block->label_size = label_end ? (size_t)(label_end - block->label) : 0;
    if (!stop || block->label_size > 60) {
        return keystore_fail(read, "it is truncated: a -----BEGIN has no -----END");
    }
    *at = stop + sizeof(close) - 1;
    return decode(read, body, (size_t)(stop - body), block) == 0 ? 1 : -1;
}

static int add_certificate(struct keystore_read *read, const struct block *block)
{
    const unsigned char *p = block->der;
    X509 *certificate = d2i_X509(NULL, &p, (long)block->size);
    if (!certificate) {
        return keystore_fail(read, "a certificate in it is damaged");
    }
    return keystore_add(read, read->options->want == KEYSTORE_KEY ? read->chain : read->trusted,
                        certificate);
}

static PKCS8_PRIV_KEY_INFO *decrypt(struct keystore_read *read, const struct block *block)
{
    const unsigned char *p = block->der;
    const char *password = read->options->key_password;
    if (!password) {
        (void)keystore_fail(read, "its key is encrypted, and no password of the key is given");
        return NULL;
    }
    X509_SIG *wrapped = d2i_X509_SIG(NULL, &p, (long)block->size);
    PKCS8_PRIV_KEY_INFO *key =
        wrapped ? PKCS8_decrypt(wrapped, password, (int)strlen(password)) : NULL;
    if (!key) {
        (void)keystore_fail(read, wrapped ? "Cannot recover key: the password of the key is wrong, "
                                            "or its encryption is not known"
                                          : "the private key is damaged");
    }
    X509_SIG_free(wrapped);
    return key;
}

static int add_key(struct keystore_read *read, const struct block *block)
{
    const unsigned char *p = block->der;
    if (read->options->want != KEYSTORE_KEY || read->key_count++ > 0) {
        return 0;
    }
    if (is_label(block, "ENCRYPTED PRIVATE KEY")) {
        read->key = decrypt(read, block);
        return read->key ? 0 : -1;
    }
    if (is_label(block, "PRIVATE KEY")) {
        read->key = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)block->size);
    } else { /* RSA PRIVATE KEY, EC PRIVATE KEY: OpenSSL's older forms */
        EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)block->size);
        read->key = key ? EVP_PKEY2PKCS8(key) : NULL;
        EVP_PKEY_free(key);
    }
    return read->key ? 0 : keystore_fail(read, "the private key is damaged");
}

int keystore_pem(struct keystore_read *read, const char *data, size_t size)
{
    const char *at = data, *end = data + size;
    struct block block = {0};
    int more;
    if (read->options->password) {
        /* org.apache.kafka: "SSL key store password cannot be specified with PEM format" */
        return keystore_fail(read, "a password of the store cannot be specified with PEM format, "
                                   "only the key's may be (ssl.key.password)");
    }
    while ((more = next_block(read, &at, end, &block)) > 0) {
        static const char key[] = "PRIVATE KEY";
        int result = 0;
        if (is_label(&block, "CERTIFICATE") || is_label(&block, "TRUSTED CERTIFICATE") ||
            is_label(&block, "X509 CERTIFICATE")) {
            result = add_certificate(read, &block);
        } else if (block.label_size >= sizeof(key) - 1 &&
                   memcmp(block.label + block.label_size - (sizeof(key) - 1), key,
                          sizeof(key) - 1) == 0) {
            result = add_key(read, &block);
        }
        block_finish(&block);
        if (result != 0) {
            return -1;
        }
    }
    block_finish(&block);
    return more;
}
