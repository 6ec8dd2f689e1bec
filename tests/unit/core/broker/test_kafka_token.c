/* Tokens: claims that are read and made, and AWS credentials that clients share. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/broker/kafka_token.h"

static char message[900];

static void test_unsecured(void **state)
{
    struct jaas jaas;
    char principal[100], again[100];
    int64_t expires, read;
    (void)state;
    assert_int_equal(0, jaas_parse("M required unsecuredLoginStringClaim_sub=\"alice \\\"a\\\"\" "
                                   "unsecuredLoginNumberClaim_n=\"1.5\" "
                                   "unsecuredLoginListClaim_scope=\",a,b\" "
                                   "unsecuredLoginLifetimeSeconds=\"60\";",
                                   &jaas, message, sizeof(message)));
    char *token =
        kafka_jwt_unsecured(&jaas, 1000, &expires, principal, sizeof(principal), message, sizeof(message));
    assert_non_null(token);
    assert_true(expires == 1060 * 1000);
    assert_string_equal("alice \"a\"", principal);
    assert_memory_equal("eyJhbGciOiJub25lIn0.", token, 20);
    assert_int_equal('.', token[strlen(token) - 1]);
    assert_true(kafka_jwt_read(token, "sub", &read, again, sizeof(again)));
    assert_true(read == expires);
    assert_string_equal(principal, again);
    free(token);
    jaas_finish(&jaas);
    assert_int_equal(0, jaas_parse("M required unsecuredLoginStringClaim_sub=a "
                                   "unsecuredLoginLifetimeSeconds=\"9999999999999999999\";",
                                   &jaas, message, sizeof(message)));
    token = kafka_jwt_unsecured(&jaas, 1000, &expires, principal, sizeof(principal), message, sizeof(message));
    assert_non_null(token);
    assert_true(expires > 1000 * 1000);
    free(token);
    jaas_finish(&jaas);
    static const char *const bad[] = {"M required;", "M required unsecuredLoginStringClaim_sub=\"\";",
                                      ("M required unsecuredLoginStringClaim_sub=a "
                                       "unsecuredLoginNumberClaim_n=x;")};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(0, jaas_parse(bad[i], &jaas, message, sizeof(message)));
        message[0] = '\0';
        assert_null(kafka_jwt_unsecured(&jaas, 1000, &expires, principal, sizeof(principal), message,
                                        sizeof(message)));
        assert_true(message[0] != '\0');
        jaas_finish(&jaas);
    }
}

static void test_what_is_no_token(void **state)
{
    static const char *const texts[] = {"", "opaque", "a.b", "a..c", "a.!!!.c", "a.e30", "a.W10.c"};
    char principal[20];
    int64_t expires;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(kafka_jwt_read(texts[i], "sub", &expires, principal, sizeof(principal)));
        assert_true(expires == 0);
    }
    assert_true(kafka_jwt_read("a.e30.c", "sub", &expires, principal, sizeof(principal))); /* {} */
    assert_true(kafka_jwt_read("a.eyJleHAiOjFlMzAwfQ.c", "sub", &expires, principal, sizeof(principal)));
    assert_true(expires > 0); /* {"exp":1e300} */
    assert_string_equal("", principal);
}

/* -- credentials -- */

static void *take_token(void *user)
{
    struct jaas jaas;
    struct kafka_token token = {0};
    char text[400];
    if (jaas_parse("IAMLoginModule required;", &jaas, text, sizeof(text)) != 0) {
        return NULL;
    }
    struct kafka_aws *aws = kafka_aws_acquire(&jaas, "b-1.x.kafka.eu-west-1.amazonaws.com:9098");
    if (aws && kafka_aws_token(aws, &token, text, sizeof(text)) == 0 &&
        token.expires_ms > (int64_t)time(NULL) * 1000) {
        *(int *)user = 1;
    }
    kafka_token_finish(&token);
    kafka_aws_release(aws);
    jaas_finish(&jaas);
    return NULL;
}

static int fetches;

static void count_fetches(void *user, enum log_level level, const char *logger, const char *context,
                          const char *text)
{
    (void)user;
    (void)level;
    (void)logger;
    (void)context;
    fetches += strstr(text, "AWS credentials of environment") != NULL; /* under the log's lock */
}

/* Clients that start together and end at any time; while one is left, nothing is fetched anew. */
static void test_shared(void **state)
{
    enum { CLIENTS = 8 };
    pthread_t threads[CLIENTS];
    int good[CLIENTS] = {0}, kept = 0;
    struct jaas jaas;
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    log_set_writer(count_fetches, NULL);
    assert_int_equal(0, jaas_parse("IAMLoginModule required;", &jaas, message, sizeof(message)));
    struct kafka_aws *aws = kafka_aws_acquire(&jaas, "b-1.x.kafka.eu-west-1.amazonaws.com:9098");
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(0, pthread_create(&threads[i], NULL, take_token, &good[i]));
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(1, good[i]);
    }
    assert_int_equal(1, fetches);
    kafka_aws_release(aws);
    (void)take_token(&kept); /* after the last one was gone */
    assert_int_equal(1, kept);
    assert_int_equal(2, fetches);
    jaas_finish(&jaas);
    log_set_writer(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unsecured),
        cmocka_unit_test(test_what_is_no_token),
        cmocka_unit_test(test_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
