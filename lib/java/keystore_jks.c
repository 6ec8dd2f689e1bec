/*
 * JKS: big-endian, magic, version, count, then entries; behind them SHA-1 over the password, a
 * phrase and all before. Private keys are hidden by a stream of SHA-1 over the password (Sun's key
 * protector, sun.security.provider.KeyProtector). Both take the password as UTF-16BE.
 */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/keystore_priv.h"
#include "lib/util/utf8.h"

enum { DIGEST = 20, ENTRY_KEY = 1, ENTRY_TRUSTED = 2, ENTRY_SECRET = 3 };

static const char phrase[] = "Mighty Aphrodite";
static const char protector_oid[] = "1.3.6.1.4.1.42.2.17.1.1";

struct cursor {
    const unsigned char *at, *end;
    bool short_of; /* something was read past the end */
};

static const unsigned char *take(struct cursor *cursor, size_t size)
{
    if (cursor->short_of || (size_t)(cursor->end - cursor->at) < size) {
        cursor->short_of = true;
        return NULL;
    }
    cursor->at += size;
    return cursor->at - size;
}

static uint32_t take_number(struct cursor *cursor, size_t bytes)
{
    const unsigned char *p = take(cursor, bytes);
    uint32_t number = 0;
    for (size_t i = 0; p && i < bytes; i++) {
        number = number << 8 | p[i];
    }
    return number;
}

/* Bytes behind their length. */
static const unsigned char *take_sized(struct cursor *cursor, size_t length_bytes, size_t *ret_size)
{
    *ret_size = take_number(cursor, length_bytes);
    return take(cursor, *ret_size);
}

/* -- passwords -- */

struct secret {
    unsigned char *bytes; /* UTF-16BE */
    size_t size;
};

static bool secret_of(const char *password, struct secret *ret)
{
    size_t length = strlen(password);
    ret->size = 0;
    ret->bytes = malloc(length * 2 + 2);
    const char *p = password, *end = password + length;
    while (ret->bytes && p < end) {
        uint32_t c = utf8_decode_lossy(&p, end);
        uint32_t units[2] = {c, 0};
        size_t count = 1;
        if (c > 0xffff) {
            units[0] = 0xd800 + ((c - 0x10000) >> 10);
            units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
            count = 2;
        }
        for (size_t i = 0; i < count; i++) {
            ret->bytes[ret->size++] = (unsigned char)(units[i] >> 8);
            ret->bytes[ret->size++] = (unsigned char)units[i];
        }
    }
    return ret->bytes != NULL;
}

static void secret_finish(struct secret *secret)
{
    if (secret->bytes) {
        explicit_bzero(secret->bytes, secret->size);
    }
    free(secret->bytes);
}

/* SHA-1 over up to three pieces. */
static bool digest(unsigned char out[DIGEST], const struct secret *secret, const void *a,
                   size_t a_size, const void *b, size_t b_size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 &&
                EVP_DigestUpdate(context, secret->bytes, secret->size) == 1 &&
                EVP_DigestUpdate(context, a, a_size) == 1 &&
                EVP_DigestUpdate(context, b, b_size) == 1 &&
                EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static int check_integrity(struct keystore_read *read, const unsigned char *data, size_t size)
{
    unsigned char sum[DIGEST];
    struct secret secret = {0};
    bool made = secret_of(read->options->password, &secret) &&
                digest(sum, &secret, phrase, sizeof(phrase) - 1, data, size - DIGEST);
    secret_finish(&secret);
    if (!made) {
        return keystore_fail(read, "out of memory");
    }
    if (memcmp(sum, data + size - DIGEST, DIGEST) != 0) {
        return keystore_fail(read, "Keystore was tampered with, or password was incorrect");
    }
    return 0;
}

/* -- the key -- */

/* salt, hidden bytes, check sum -> PKCS#8, in place behind the salt. */
static int uncover(struct keystore_read *read, const struct secret *secret, unsigned char *hidden,
                   size_t size)
{
    unsigned char pad[DIGEST], sum[DIGEST];
    unsigned char *plain = hidden + DIGEST;
    size_t plain_size = size - 2 * DIGEST;
    memcpy(pad, hidden, DIGEST); /* the salt begins the chain */
    for (size_t i = 0; i < plain_size; i++) {
        if (i % DIGEST == 0 && !digest(pad, secret, pad, DIGEST, NULL, 0)) {
            return keystore_fail(read, "out of memory");
        }
        plain[i] ^= pad[i % DIGEST];
    }
    if (!digest(sum, secret, plain, plain_size, NULL, 0)) {
        return keystore_fail(read, "out of memory");
    }
    if (memcmp(sum, plain + plain_size, DIGEST) != 0) {
        return keystore_fail(read, "Cannot recover key: the password of the key is wrong");
    }
    const unsigned char *p = plain;
    read->key = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)plain_size);
    return read->key ? 0 : keystore_fail(read, "the private key is damaged");
}

static int recover_key(struct keystore_read *read, const unsigned char *der, size_t size)
{
    const char *password = keystore_key_password(read);
    if (!password) {
        return keystore_fail(read, "its key needs a password, and none is given");
    }
    const unsigned char *p = der;
    X509_SIG *wrapped = d2i_X509_SIG(NULL, &p, (long)size);
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OCTET_STRING *octets = NULL;
    const ASN1_OBJECT *oid = NULL;
    char name[64] = "";
    if (wrapped) {
        X509_SIG_get0(wrapped, &algorithm, &octets);
        X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
        OBJ_obj2txt(name, sizeof(name), oid, 1);
    }
    int result;
    int length = octets ? ASN1_STRING_length(octets) : 0;
    if (strcmp(name, protector_oid) != 0 || length <= 2 * DIGEST) {
        result = wrapped && *name && strcmp(name, protector_oid) != 0
                     ? keystore_fail(read, "the private key is protected by %s, which is not known",
                                     name)
                     : keystore_fail(read, "the private key is damaged");
    } else {
        struct secret secret = {0};
        unsigned char *hidden = malloc((size_t)length);
        if (hidden && secret_of(password, &secret)) {
            memcpy(hidden, ASN1_STRING_get0_data(octets), (size_t)length);
            result = uncover(read, &secret, hidden, (size_t)length);
        } else {
            result = keystore_fail(read, "out of memory");
        }
        if (hidden) {
            explicit_bzero(hidden, (size_t)length); /* invariant 7 */
        }
        free(hidden);
        secret_finish(&secret);
    }
    X509_SIG_free(wrapped);
    return result;
}

/* -- entries -- */

static X509 *take_certificate(struct keystore_read *read, struct cursor *cursor, uint32_t version)
{
    size_t size, type_size = 5;
    const unsigned char *type = (const unsigned char *)"X.509";
    if (version == 2) {
        type = take_sized(cursor, 2, &type_size);
    }
    const unsigned char *der = take_sized(cursor, 4, &size);
    if (!der || !type) {
        return NULL; /* the caller looks at the cursor */
    }
    if (type_size != 5 || memcmp(type, "X.509", 5) != 0) {
        (void)keystore_fail(read, "a certificate in it is not of type X.509");
        return NULL;
    }
    X509 *certificate = d2i_X509(NULL, &der, (long)size);
    if (!certificate) {
        (void)keystore_fail(read, "a certificate in it is damaged");
    }
    return certificate;
}

/* The key of the first key entry and its chain; of others only their certificates. */
static int read_key_entry(struct keystore_read *read, struct cursor *cursor, uint32_t version,
                          const char *alias, size_t alias_size)
{
    size_t size;
    const unsigned char *der = take_sized(cursor, 4, &size);
    uint32_t count = take_number(cursor, 4);
    bool wanted = read->options->want == KEYSTORE_KEY && read->key_count == 0;
    if (!der || cursor->short_of) {
        return 0;
    }
    read->key_count++;
    if (wanted) {
        read->alias = strndup(alias, alias_size);
        if (recover_key(read, der, size) != 0) {
            return -1;
        }
    }
    for (uint32_t i = 0; i < count && !cursor->short_of; i++) {
        X509 *certificate = take_certificate(read, cursor, version);
        if (!certificate) {
            return cursor->short_of ? 0 : -1;
        }
        /* Java trusts a key's own certificate, too (sun.security.validator.TrustStoreUtil). */
        if (wanted || i == 0) {
            if (keystore_add(read, wanted ? read->chain : read->trusted, certificate) != 0) {
                return -1;
            }
        } else {
            X509_free(certificate);
        }
    }
    return 0;
}

static int read_entry(struct keystore_read *read, struct cursor *cursor, uint32_t version)
{
    size_t alias_size;
    uint32_t tag = take_number(cursor, 4);
    const char *alias = (const char *)take_sized(cursor, 2, &alias_size);
    (void)take(cursor, 8); /* when it was made */
    if (cursor->short_of) {
        return 0;
    }
    switch (tag) {
    case ENTRY_KEY:
        return read_key_entry(read, cursor, version, alias, alias_size);
    case ENTRY_TRUSTED: {
        X509 *certificate = take_certificate(read, cursor, version);
        return certificate ? keystore_add(read, read->trusted, certificate)
                           : (cursor->short_of ? 0 : -1);
    }
    default:
        return keystore_fail(read, "an entry of unknown kind %u; the file is damaged", tag);
    }
}

int keystore_jks(struct keystore_read *read, const unsigned char *data, size_t size)
{
    struct cursor cursor = {data, data + size, false};
    (void)take_number(&cursor, 4); /* magic, known */
    uint32_t version = take_number(&cursor, 4), count = take_number(&cursor, 4);
    if (cursor.short_of || size < 12 + DIGEST) {
        return keystore_fail(read, "it is truncated (%zu bytes)", size);
    }
    if (version != 1 && version != 2) {
        return keystore_fail(read, "JKS version %u is not known; 1 and 2 are", version);
    }
    if (count > KEYSTORE_ENTRIES_MAX) {
        return keystore_fail(read, "it says to have %u entries; at most %d are read", count,
                             KEYSTORE_ENTRIES_MAX);
    }
    cursor.end -= DIGEST;
    /* The entries first: a file cut short is told as such, not as a wrong password. */
    struct cursor walk = cursor;
    struct keystore_options skim = {.want = KEYSTORE_TRUSTED, .name = read->options->name};
    struct keystore_read probe = {.options = &skim,
                                  .trusted = sk_X509_new_null(),
                                  .message = read->message,
                                  .message_size = read->message_size};
    int result = probe.trusted ? 0 : keystore_fail(read, "out of memory");
    for (uint32_t i = 0; result == 0 && i < count && !walk.short_of; i++) {
        result = read_entry(&probe, &walk, version);
    }
    sk_X509_pop_free(probe.trusted, X509_free);
    if (result != 0) {
        return -1;
    }
    if (walk.short_of || walk.at != walk.end) {
        return keystore_fail(read, walk.short_of ? "it is truncated (%zu bytes)"
                                                 : "bytes follow its last entry (%zu bytes)",
                             size);
    }
    if (read->options->password && check_integrity(read, data, size) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (read_entry(read, &cursor, version) != 0) {
            return -1;
        }
    }
    return 0;
}
