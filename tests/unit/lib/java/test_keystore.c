/* lib/java/keystore: stores of keytool and openssl (keystores/make.sh), good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/java/keystore.h"

#define STORES "tests/unit/lib/java/keystores/"

static char message[600];

static char *path_of(const char *name)
{
    static char path[1000];
    (void)snprintf(path, sizeof(path), "%s/" STORES "%s", SLUICE_SOURCE_DIR, name);
    return path;
}

static size_t count(const char *text, const char *what)
{
    size_t found = 0;
    for (const char *p = text; p && (p = strstr(p, what)); p++) {
        found++;
    }
    return found;
}

static char *slurp(const char *name, size_t *ret_size)
{
    FILE *file = fopen(path_of(name), "rb");
    assert_non_null(file);
    char *data = malloc(1 << 20);
    *ret_size = fread(data, 1, (1 << 20) - 1, file);
    data[*ret_size] = '\0';
    fclose(file);
    return data;
}

/* -- what is good -- */

static void test_identities(void **state)
{
    static const struct {
        const char *file, *type, *password, *key_password;
        size_t certificates;
        const char *alias;
    } cases[] = {
        {"client.jks", "JKS", "storepass", "keypass", 2, "client"},
        {"client.jks", NULL, "storepass", "keypass", 2, "client"},
        {"client.jks", NULL, NULL, "keypass", 2, "client"}, /* nothing is checked, as in Java */
        {"client.jks", "pkcs12", "storepass", "keypass", 2, "client"}, /* the bytes tell */
        {"client.p12", "PKCS12", "storepass", NULL, 2, "client"},
        {"client.p12", "JKS", "storepass", NULL, 2, "client"},
        {"client.p12", "PKCS12", "storepass", "ignored", 2, "client"},
        {"client-legacy.p12", "PKCS12", "storepass", NULL, 2, "client"},
        {"client-openssl.p12", "PKCS12", "storepass", NULL, 2, "openssl-client"},
        {"ca.jks", "JKS", "storepass", NULL, 1, "ca"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keystore_options options = {.want = KEYSTORE_KEY,
                                           .type = cases[i].type,
                                           .password = cases[i].password,
                                           .key_password = cases[i].key_password};
        struct keystore store;
        if (keystore_read_file(path_of(cases[i].file), &options, &store, message,
                               sizeof(message)) != 0) {
            fail_msg("case %zu: %s", i, message);
        }
        assert_int_equal(1, count(store.key, "-----BEGIN PRIVATE KEY-----"));
        assert_int_equal(cases[i].certificates, count(store.chain, "-----BEGIN CERTIFICATE-----"));
        assert_string_equal(cases[i].alias, store.alias);
        assert_null(store.trusted);
        keystore_finish(&store);
    }
}

/* All forms of the same identity give the same bytes. */
static void test_forms_agree(void **state)
{
    static const char *const files[] = {"client.jks", "client.p12", "client-legacy.p12",
                                        "client-openssl.p12"};
    size_t size;
    char *key = slurp("client-key.pem", &size), *chain = slurp("client-chain.pem", &size);
    (void)state;
    struct keystore first = {0};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct keystore_options options = {
            .want = KEYSTORE_KEY, .password = "storepass", .key_password = "keypass"};
        struct keystore store;
        assert_int_equal(0, keystore_read_file(path_of(files[i]), &options, &store, message,
                                               sizeof(message)));
        assert_string_equal(key, store.key);
        if (i == 0) {
            first = store;
            continue;
        }
        assert_string_equal(first.chain, store.chain);
        keystore_finish(&store);
    }
    keystore_finish(&first);
    free(key);
    free(chain);
}

static void test_trust(void **state)
{
    static const struct {
        const char *file, *type, *password;
        size_t certificates;
    } cases[] = {
        {"trust.jks", "JKS", "pass w\xc3\xb6rd\xe2\x82\xac", 1},
        {"trust.jks", "JKS", NULL, 1},
        {"trust.p12", "PKCS12", "storepass", 1},
        {"trust-openssl.p12", "PKCS12", "storepass", 1},
        {"client.jks", "JKS", "storepass", 1}, /* of a key, its own certificate; no password of it */
        {"client.p12", "PKCS12", "storepass", 1},
        {"client-chain.pem", "PEM", NULL, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keystore_options options = {
            .want = KEYSTORE_TRUSTED, .type = cases[i].type, .password = cases[i].password};
        struct keystore store;
        if (keystore_read_file(path_of(cases[i].file), &options, &store, message,
                               sizeof(message)) != 0) {
            fail_msg("case %zu: %s", i, message);
        }
        assert_int_equal(cases[i].certificates, store.trusted_count);
        assert_int_equal(store.trusted_count, count(store.trusted, "-----BEGIN CERTIFICATE-----"));
        assert_null(store.key);
        keystore_finish(&store);
    }
}

static char *join(const char *a, const char *b, bool flat)
{
    size_t size;
    char *first = slurp(a, &size), *second = slurp(b, &size), *both;
    assert_true(asprintf(&both, "%s%s", first, second) > 0);
    for (char *p = both; flat && *p; p++) {
        *p = *p == '\n' ? ' ' : *p;
    }
    free(first);
    free(second);
    return both;
}

static void test_pem(void **state)
{
    (void)state;
    for (int flat = 0; flat < 2; flat++) {
        for (int encrypted = 0; encrypted < 2; encrypted++) {
            char *text = join(encrypted ? "client-key-encrypted.pem" : "client-key.pem",
                              "client-chain.pem", flat);
            struct keystore_options options = {.want = KEYSTORE_KEY,
                                               .type = "PEM",
                                               .key_password = encrypted ? "keypass" : NULL,
                                               .name = "ssl.keystore.key"};
            struct keystore store;
            if (keystore_read(text, strlen(text), &options, &store, message, sizeof(message)) !=
                0) {
                fail_msg("%d %d: %s", flat, encrypted, message);
            }
            assert_int_equal(2, count(store.chain, "-----BEGIN CERTIFICATE-----"));
            keystore_finish(&store);
            free(text);
        }
    }
}

/* -- what is bad -- */

static void test_faults(void **state)
{
    static const struct {
        const char *file, *type, *password, *key_password;
        enum keystore_want want;
        const char *expect;
    } cases[] = {
        {"client.jks", "JKS", "wrong", "keypass", KEYSTORE_KEY, "password was incorrect"},
        {"client.jks", "JKS", "storepass", NULL, KEYSTORE_KEY, "Cannot recover key"},
        {"client.jks", "JKS", NULL, NULL, KEYSTORE_KEY, "needs a password"},
        {"client.p12", "PKCS12", "wrong", NULL, KEYSTORE_KEY, "keystore password was incorrect"},
        {"client.p12", "PKCS12", NULL, NULL, KEYSTORE_KEY, "no password is given"},
        {"trust.p12", "PKCS12", NULL, NULL, KEYSTORE_TRUSTED, "no password is given"},
        {"trust.p12", "PKCS12", "", NULL, KEYSTORE_TRUSTED, "keystore password was incorrect"},
        {"trust.jks", "JKS", NULL, NULL, KEYSTORE_KEY, "no private key"},
        {"trust.p12", "PKCS12", "storepass", NULL, KEYSTORE_KEY, "no private key"},
        {"client-key.pem", "PEM", NULL, NULL, KEYSTORE_KEY, "no certificate of the private key"},
        {"client-chain.pem", "PEM", NULL, NULL, KEYSTORE_KEY, "no private key"},
        {"client-key.pem", "PEM", NULL, NULL, KEYSTORE_TRUSTED, "no certificate to trust"},
        {"client-key-encrypted.pem", "PEM", NULL, NULL, KEYSTORE_KEY, "no password of the key"},
        {"client-key-encrypted.pem", "PEM", NULL, "no", KEYSTORE_KEY, "password of the key is wrong"},
        {"client-chain.pem", "PEM", "storepass", NULL, KEYSTORE_TRUSTED, "with PEM format"},
        {"client-chain.pem", "JKS", NULL, NULL, KEYSTORE_TRUSTED, "set the type to PEM"},
        {"client-chain.pem", NULL, NULL, NULL, KEYSTORE_TRUSTED, "the type of the store is JKS"},
        {"trust.jks", "PEM", NULL, NULL, KEYSTORE_TRUSTED, "set the type to JKS or PKCS12"},
        {"trust.jks", "BKS", NULL, NULL, KEYSTORE_TRUSTED, "type BKS is not supported"},
        {"wrong.jceks.jks", "JKS", "storepass", NULL, KEYSTORE_TRUSTED, "JCEKS"},
        {"make.sh", "JKS", NULL, NULL, KEYSTORE_TRUSTED, "Invalid keystore format"},
        {"none.jks", "JKS", NULL, NULL, KEYSTORE_TRUSTED, "No such file or directory"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keystore_options options = {.want = cases[i].want,
                                           .type = cases[i].type,
                                           .password = cases[i].password,
                                           .key_password = cases[i].key_password};
        struct keystore store;
        assert_int_equal(-1, keystore_read_file(path_of(cases[i].file), &options, &store, message,
                                                sizeof(message)));
        if (!strstr(message, cases[i].expect)) {
            fail_msg("case %zu: %s", i, message);
        }
        assert_non_null(strstr(message, cases[i].file)); /* which store */
        assert_null(strstr(message, "storepass"));
        assert_null(store.key);
        assert_null(store.trusted);
    }
}

/* A file cut off anywhere is told as such, and never as a good one. */
static void test_truncated(void **state)
{
    static const char *const files[] = {"client.jks", "client.p12", "client-chain.pem"};
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        size_t size;
        char *data = slurp(files[f], &size);
        struct keystore_options options = {.want = KEYSTORE_TRUSTED,
                                           .type = f == 2 ? "PEM" : "JKS",
                                           .password = f == 2 ? NULL : "storepass"};
        for (size_t cut = 1; cut < size - (f == 2 ? 800 : 0); cut += cut < 200 ? 1 : 37) {
            struct keystore store;
            char *copy = malloc(cut); /* its end is the end of memory: the sanitizer watches */
            memcpy(copy, data, cut);
            int result =
                keystore_read(copy, cut, &options, &store, message, sizeof(message));
            free(copy);
            if (f == 2 && result == 0) { /* the first of two certificates was whole */
                assert_int_equal(1, store.trusted_count);
                keystore_finish(&store);
                continue;
            }
            assert_int_equal(-1, result);
            assert_null(strstr(message, "password"));
        }
        free(data);
    }
}

/* A flipped bit is found wherever it is: by the check sum, or before. */
static void test_damaged(void **state)
{
    size_t size;
    char *data = slurp("client.jks", &size);
    (void)state;
    for (size_t at = 0; at < size; at += 13) {
        struct keystore_options options = {
            .want = KEYSTORE_KEY, .password = "storepass", .key_password = "keypass"};
        struct keystore store;
        data[at] ^= 0x10;
        assert_int_equal(-1, keystore_read(data, size, &options, &store, message, sizeof(message)));
        data[at] ^= 0x10;
    }
    free(data);
}

/* What the keytool of this machine makes today. */
static void test_keytool(void **state)
{
    (void)state;
    if (system("command -v keytool >/dev/null 2>&1") != 0) {
        print_message("skipped: no keytool (a JDK) on this machine\n");
        skip();
    }
    static const char *const types[] = {"JKS", "PKCS12"};
    for (size_t i = 0; i < 2; i++) {
        char folder[] = "/tmp/sluice-keystore-XXXXXX", command[600], path[100];
        assert_non_null(mkdtemp(folder));
        (void)snprintf(path, sizeof(path), "%s/store", folder);
        (void)snprintf(command, sizeof(command),
                       "keytool -genkeypair -alias Fresh -dname CN=x -keyalg EC -keystore %s "
                       "-storetype %s -storepass 'geheim9' -keypass 'geheim9' >/dev/null 2>&1",
                       path, types[i]);
        assert_int_equal(0, system(command));
        struct keystore_options options = {
            .want = KEYSTORE_KEY, .type = types[i], .password = "geheim9"};
        struct keystore store;
        int result = keystore_read_file(path, &options, &store, message, sizeof(message));
        unlink(path);
        rmdir(folder);
        if (result != 0) {
            fail_msg("%s: %s", types[i], message);
        }
        assert_string_equal("fresh", store.alias);
        assert_int_equal(1, count(store.chain, "-----BEGIN CERTIFICATE-----"));
        keystore_finish(&store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identities), cmocka_unit_test(test_forms_agree),
        cmocka_unit_test(test_trust),      cmocka_unit_test(test_pem),
        cmocka_unit_test(test_faults),     cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged),    cmocka_unit_test(test_keytool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
