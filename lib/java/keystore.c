/* Which format a store is, and the result as PEM; see keystore.h. */
#include "lib/java/keystore_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int keystore_fail(struct keystore_read *read, const char *format, ...)
{
    va_list args;
    int used = snprintf(read->message, read->message_size, "%s: ",
                        read->options->name ? read->options->name : "key store");
    if (used >= 0 && (size_t)used < read->message_size) {
        va_start(args, format);
        (void)vsnprintf(read->message + used, read->message_size - (size_t)used, format, args);
        va_end(args);
    }
    return -1;
}

int keystore_add(struct keystore_read *read, STACK_OF(X509) *to, X509 *certificate)
{
    if (sk_X509_num(to) >= KEYSTORE_ENTRIES_MAX) {
        X509_free(certificate);
        return keystore_fail(read, "more than %d certificates", KEYSTORE_ENTRIES_MAX);
    }
    if (!certificate || sk_X509_push(to, certificate) <= 0) {
        X509_free(certificate);
        return keystore_fail(read, "out of memory");
    }
    return 0;
}

const char *keystore_key_password(const struct keystore_read *read)
{
    return read->options->key_password ? read->options->key_password : read->options->password;
}

/* -- the format -- */

static bool is_pem(const unsigned char *data, size_t size)
{
    return memmem(data, size, "-----BEGIN ", 11) != NULL;
}

static int read_binary(struct keystore_read *read, const unsigned char *data, size_t size)
{
    if (size >= 4 && memcmp(data, "\xfe\xed\xfe\xed", 4) == 0) {
        return keystore_jks(read, data, size);
    }
    if (size >= 4 && memcmp(data, "\xce\xce\xce\xce", 4) == 0) {
        return keystore_fail(read, "it is a JCEKS store, which is not supported; convert it with "
                                   "`keytool -importkeystore -deststoretype PKCS12`");
    }
    if (is_pem(data, size)) {
        return keystore_fail(read, "it is a PEM file, but the type of the store is %s; set the "
                                   "type to PEM",
                             read->options->type ? read->options->type : "JKS");
    }
    if (size > 0 && data[0] == 0x30) {
        return keystore_pkcs12(read, data, size);
    }
    return keystore_fail(read, size == 0 ? "it is empty"
                                         : "Invalid keystore format: neither JKS nor PKCS12");
}

static int read_any(struct keystore_read *read, const unsigned char *data, size_t size)
{
    const char *type = read->options->type ? read->options->type : "JKS";
    if (strcasecmp(type, "PEM") == 0) {
        if (!is_pem(data, size)) {
            return keystore_fail(read, size >= 4 && (data[0] == 0x30 || data[0] == 0xfe)
                                           ? "it is a binary key store, but its type is said to be "
                                             "PEM; set the type to JKS or PKCS12"
                                           : "no PEM text (-----BEGIN ..) in it");
        }
        return keystore_pem(read, (const char *)data, size);
    }
    if (strcasecmp(type, "JKS") != 0 && strcasecmp(type, "PKCS12") != 0) {
        return keystore_fail(read, "type %s is not supported; JKS, PKCS12 and PEM are", type);
    }
    return read_binary(read, data, size);
}

/* -- the result -- */

static char *text_of(BIO *bio)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    char *text = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (text) {
        memcpy(text, data, (size_t)size);
        text[size] = '\0';
    }
    return text;
}

static char *pem_of(const STACK_OF(X509) *certificates)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL;
    for (int i = 0; good && i < sk_X509_num(certificates); i++) {
        good = PEM_write_bio_X509(bio, sk_X509_value(certificates, i)) == 1;
    }
    char *text = good ? text_of(bio) : NULL;
    BIO_free(bio);
    return text;
}

static int make_key(struct keystore_read *read, struct keystore *ret)
{
    if (!read->key) {
        return keystore_fail(read, "no private key is in it");
    }
    if (sk_X509_num(read->chain) == 0) {
        return keystore_fail(read, "no certificate of the private key is in it");
    }
    EVP_PKEY *key = EVP_PKCS82PKEY(read->key);
    int good = key ? X509_check_private_key(sk_X509_value(read->chain, 0), key) : 0;
    EVP_PKEY_free(key);
    if (!key) {
        return keystore_fail(read, "the private key cannot be used: damaged, or its algorithm is "
                                   "not known");
    }
    if (!good) {
        return keystore_fail(read, "the private key does not belong to the certificate");
    }
    BIO *bio = BIO_new(BIO_s_secmem());
    if (bio && PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, read->key) == 1) {
        ret->key = text_of(bio);
    }
    BIO_free(bio);
    ret->chain = pem_of(read->chain);
    ret->alias = read->alias;
    read->alias = NULL;
    ret->key_count = read->key_count;
    return ret->key && ret->chain ? 0 : keystore_fail(read, "out of memory");
}

static int make_trusted(struct keystore_read *read, struct keystore *ret)
{
    if (sk_X509_num(read->trusted) == 0) {
        return keystore_fail(read, "no certificate to trust is in it");
    }
    ret->trusted = pem_of(read->trusted);
    ret->trusted_count = (size_t)sk_X509_num(read->trusted);
    return ret->trusted ? 0 : keystore_fail(read, "out of memory");
}

int keystore_read(const void *data, size_t size, const struct keystore_options *options,
                  struct keystore *ret, char *message, size_t message_size)
{
    *ret = (struct keystore){0};
    struct keystore_read read = {
        .options = options,
        .trusted = sk_X509_new_null(),
        .chain = sk_X509_new_null(),
        .message = message,
        .message_size = message_size,
    };
    int result = -1;
    if (!read.trusted || !read.chain) {
        result = keystore_fail(&read, "out of memory");
    } else if (size > KEYSTORE_SIZE_MAX) {
        result = keystore_fail(&read, "larger than %zu MiB", KEYSTORE_SIZE_MAX >> 20);
    } else if (read_any(&read, data, size) == 0) {
        result = options->want == KEYSTORE_KEY ? make_key(&read, ret) : make_trusted(&read, ret);
    }
    sk_X509_pop_free(read.trusted, X509_free);
    sk_X509_pop_free(read.chain, X509_free);
    PKCS8_PRIV_KEY_INFO_free(read.key);
    free(read.alias);
    ERR_clear_error(); /* the reasons were told; they are nobody else's */
    if (result != 0) {
        keystore_finish(ret);
    }
    return result;
}

int keystore_read_file(const char *path, const struct keystore_options *options,
                       struct keystore *ret, char *message, size_t message_size)
{
    *ret = (struct keystore){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t capacity = 64 << 10, size = 0;
    unsigned char *data = fd >= 0 ? malloc(capacity) : NULL;
    ssize_t got = 0;
    while (data && (got = read(fd, data + size, capacity - size)) > 0) {
        size += (size_t)got;
        if (size > KEYSTORE_SIZE_MAX) {
            break; /* keystore_read() says so */
        }
        unsigned char *more = size == capacity ? malloc(capacity *= 2) : data;
        if (more != data) {
            if (more) {
                memcpy(more, data, size);
            }
            explicit_bzero(data, size);
            free(data);
            data = more;
        }
    }
    int error = fd < 0 || got < 0 ? errno : data ? 0 : ENOMEM;
    if (fd >= 0) {
        close(fd);
    }
    struct keystore_options named = *options;
    named.name = options->name ? options->name : path;
    int result = -1;
    if (error) {
        struct keystore_read failed = {
            .options = &named, .message = message, .message_size = message_size};
        result = keystore_fail(&failed, "%s", strerror(error));
    } else {
        result = keystore_read(data, size, &named, ret, message, message_size);
    }
    if (data) {
        explicit_bzero(data, size);
    }
    free(data);
    return result;
}

void keystore_finish(struct keystore *keystore)
{
    if (!keystore) {
        return;
    }
    if (keystore->key) {
        explicit_bzero(keystore->key, strlen(keystore->key)); /* invariant 7 */
    }
    free(keystore->key);
    free(keystore->chain);
    free(keystore->trusted);
    free(keystore->alias);
    *keystore = (struct keystore){0};
}
