/* Keystores by OpenSSL, see keystore.h; libmicrohttpd's GnuTLS takes PEM only. */
#include "connectors/rest/keystore.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

struct loaded {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) *chain;
};

static char *text_of(BIO *memory)
{
    char *data = NULL;
    long size = BIO_get_mem_data(memory, &data);
    char *text = size > 0 ? strndup(data, (size_t)size) : NULL;
    if (size > 0) {
        OPENSSL_cleanse(data, (size_t)size);
    }
    return text;
}

static int give_password(char *to, int size, int writing, void *password)
{
    (void)writing;
    int length = password ? (int)strlen(password) : 0;
    if (length > size) {
        return -1;
    }
    if (length > 0) {
        memcpy(to, password, (size_t)length);
    }
    return length;
}

static bool load_pem(BIO *file, const char *password, struct loaded *loaded)
{
    loaded->key = PEM_read_bio_PrivateKey(file, NULL, give_password, (void *)(uintptr_t)password);
    (void)BIO_reset(file);
    loaded->chain = sk_X509_new_null();
    X509 *next;
    while (loaded->chain && (next = PEM_read_bio_X509(file, NULL, give_password, NULL)) != NULL) {
        if (!loaded->certificate) {
            loaded->certificate = next;
        } else if (!sk_X509_push(loaded->chain, next)) {
            X509_free(next);
        }
    }
    return loaded->key && loaded->certificate;
}

static bool load_pkcs12(BIO *file, const char *password, struct loaded *loaded)
{
    PKCS12 *store = d2i_PKCS12_bio(file, NULL);
    bool fine = store && PKCS12_parse(store, password ? password : "", &loaded->key,
                                      &loaded->certificate, &loaded->chain) == 1 &&
                loaded->key && loaded->certificate;
    PKCS12_free(store);
    return fine;
}

static bool write_pem(const struct loaded *loaded, struct rest_keystore *keystore)
{
    BIO *key = BIO_new(BIO_s_mem());
    BIO *certificates = BIO_new(BIO_s_mem());
    bool fine = key && certificates &&
                PEM_write_bio_PrivateKey(key, loaded->key, NULL, NULL, 0, NULL, NULL) == 1 &&
                PEM_write_bio_X509(certificates, loaded->certificate) == 1;
    for (int i = 0; fine && loaded->chain && i < sk_X509_num(loaded->chain); i++) {
        fine = PEM_write_bio_X509(certificates, sk_X509_value(loaded->chain, i)) == 1;
    }
    if (fine) {
        keystore->key = text_of(key);
        keystore->certificates = text_of(certificates);
    }
    BIO_free(key);
    BIO_free(certificates);
    return fine && keystore->key && keystore->certificates;
}

int rest_keystore_load(const char *path, const char *store_password, const char *key_password,
                       struct rest_keystore *keystore, char *message, size_t size)
{
    struct loaded loaded = {0};
    unsigned char magic[4] = {0};
    BIO *file = BIO_new_file(path, "rb");
    if (!file) {
        (void)snprintf(message, size, "The keystore %s (ssl.keystore.location) cannot be read: %s",
                       path, strerror(errno));
        ERR_clear_error();
        return -1;
    }
    (void)BIO_read(file, magic, sizeof(magic));
    (void)BIO_reset(file);
    bool fine = false;
    if (memcmp(magic, "\xfe\xed\xfe\xed", 4) == 0) {
        (void)snprintf(message, size,
                       "The keystore %s (ssl.keystore.location) is a Java keystore (JKS); convert it: "
                       "keytool -importkeystore -srckeystore STORE -destkeystore STORE.p12 "
                       "-deststoretype pkcs12", path);
    } else {
        bool binary = magic[0] == 0x30; /* ASN.1 sequence */
        fine = (binary ? load_pkcs12(file, store_password, &loaded)
                       : load_pem(file, key_password, &loaded)) &&
               write_pem(&loaded, keystore);
        if (!fine) {
            const char *why = ERR_reason_error_string(ERR_peek_last_error());
            (void)snprintf(message, size,
                           "The keystore %s (ssl.keystore.location) holds no private key with "
                           "certificate that can be read with the password given (%s): %s", path,
                           binary ? "ssl.keystore.password" : "ssl.key.password",
                           why ? why : "nothing found");
        }
    }
    ERR_clear_error();
    EVP_PKEY_free(loaded.key);
    X509_free(loaded.certificate);
    sk_X509_pop_free(loaded.chain, X509_free);
    BIO_free(file);
    return fine ? 0 : -1;
}

void rest_keystore_finish(struct rest_keystore *keystore)
{
    if (keystore->key) {
        OPENSSL_cleanse(keystore->key, strlen(keystore->key));
    }
    free(keystore->key);
    free(keystore->certificates);
    *keystore = (struct rest_keystore){0};
}
