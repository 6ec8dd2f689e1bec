/* Who may use the admin API, and how its TLS is set up: passwords, Java's names of suites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "core/rest/auth.h"
#include "core/rest/tls.h"

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_passwords(void **state)
{
    char folder[] = "/tmp/sluice-test-XXXXXX", users[64], jaas[64], text[256];
    struct properties worker = {0};
    struct rest_auth *auth = NULL;
    struct error error = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(users, sizeof(users), "%s/users", folder);
    (void)snprintf(jaas, sizeof(jaas), "%s/jaas", folder);
    write_file(users, "ann=pass word\nb\\:c=x\n");
    (void)snprintf(text, sizeof(text),
                   "/* { KafkaConnect */ A { b required x=\"}\"; }; KafkaConnect {"
                   "x.PropertyFileLoginModule required file=\"%s\"; };",
                   users);
    write_file(jaas, text);
    properties_set(&worker, "rest.extension.classes", "x.BasicAuthSecurityRestExtension");
    properties_set(&worker, "java.security.auth.login.config", jaas);
    assert_int_equal(rest_auth_load(&worker, &auth, &error), 0);
    assert_true(rest_auth_allows(auth, "Basic YW5uOnBhc3Mgd29yZA=="));  /* ann:pass word */
    assert_true(rest_auth_allows(auth, "basic  YW5uOnBhc3Mgd29yZA==")); /* any case, any blanks */
    assert_false(rest_auth_allows(auth, "asic YW5uOnBhc3Mgd29yZA=Z"));
    assert_false(rest_auth_allows(auth, "Basic YW5uOnBhc3M=")); /* ann:pass */
    assert_false(rest_auth_allows(auth, "Basic YW5u"));         /* ann */
    assert_false(rest_auth_allows(auth, "Basic "));
    assert_false(rest_auth_allows(auth, "Basic \xff\xfe"));
    assert_false(rest_auth_allows(auth, NULL));
    assert_true(rest_auth_allows(NULL, NULL));
    rest_auth_destroy(auth);
    write_file(jaas, "KafkaConnect { x.PropertyFileLoginModule required; ");
    assert_int_equal(rest_auth_load(&worker, &auth, &error), -1);
    assert_non_null(strstr(error.message, jaas));
    error_clear(&error);
    properties_finish(&worker);
    (void)unlink(users);
    (void)unlink(jaas);
    (void)rmdir(folder);
}

static bool gnutls_takes(const char *priorities)
{
    gnutls_priority_t cache;
    bool good = gnutls_priority_init(&cache, priorities, NULL) == 0;
    if (good) {
        gnutls_priority_deinit(cache);
    }
    return good;
}

static void test_suites(void **state)
{
    static const char *const good[] = {
        NULL,
        "TLS_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
        "SSL_RSA_WITH_AES_128_CBC_SHA",
        "TLS_NO_SUCH,TLS_AES_128_GCM_SHA256",
    };
    struct error error = {0};
    char *priorities;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(rest_tls_priorities("TLSv1.2,TLSv1.3", good[i], &priorities, &error), 0);
        assert_true(gnutls_takes(priorities));
        free(priorities);
    }
    assert_int_equal(rest_tls_priorities(NULL, "TLS_NO_SUCH,x,", &priorities, &error), -1);
    assert_non_null(strstr(error.message, "ssl.cipher.suites"));
    error_clear(&error);
    assert_int_equal(rest_tls_priorities("SSLv2", NULL, &priorities, &error), -1);
    assert_non_null(strstr(error.message, "ssl.enabled.protocols"));
    error_clear(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passwords),
        cmocka_unit_test(test_suites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
