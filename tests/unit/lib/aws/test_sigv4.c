/*
 * Signatures against the worked examples of the S3 documentation (2013-05-24, key of the docs) and
 * `get-vanilla` of the signing test suite.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "lib/aws/sigv4.h"

static const char ACCESS[] = "AKIAIOSFODNN7EXAMPLE";
static const char SECRET[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
static const char HOST[] = "examplebucket.s3.amazonaws.com";
static const char DATE[] = "20130524T000000Z";
enum { TIME = 1369353600 };

static void expect(struct sigv4_request request, const char *signature)
{
    struct sigv4_signer signer;
    struct buffer authorization;
    request.time = TIME;
    buffer_init(&authorization, 4096);
    sigv4_signer_init(&signer, "us-east-1", "s3");
    assert_int_equal(sigv4_sign(&signer, ACCESS, SECRET, &request, &authorization, NULL), 0);
    assert_string_equal(strstr(authorization.data, "Signature=") + 10, signature);
    /* Again, with the derived key kept. */
    assert_int_equal(sigv4_sign(&signer, ACCESS, SECRET, &request, &authorization, NULL), 0);
    assert_string_equal(strstr(authorization.data, "Signature=") + 10, signature);
    sigv4_signer_finish(&signer);
    buffer_finish(&authorization);
}

static void test_get_range(void **state)
{
    (void)state;
    struct sigv4_pair headers[] = {{"Host", HOST}, {"Range", "bytes=0-9"},
                                   {"x-amz-content-sha256", SIGV4_EMPTY_PAYLOAD},
                                   {"x-amz-date", DATE}};
    expect((struct sigv4_request){"GET", "/test.txt", NULL, 0, headers, 4, SIGV4_EMPTY_PAYLOAD, 0},
           "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void test_put(void **state)
{
    (void)state;
    char hash[SIGV4_HASH_SIZE];
    sigv4_hash("Welcome to Amazon S3.", 21, hash);
    struct sigv4_pair headers[] = {{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                   {"Host", HOST},
                                   {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                   {"x-amz-content-sha256", hash},
                                   {"x-amz-date", DATE}};
    expect((struct sigv4_request){"PUT", "/test%24file.text", NULL, 0, headers, 5, hash, 0},
           "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void test_query(void **state)
{
    (void)state;
    struct sigv4_pair headers[] = {{"Host", HOST},
                                   {"x-amz-content-sha256", SIGV4_EMPTY_PAYLOAD},
                                   {"x-amz-date", DATE}};
    struct sigv4_pair lifecycle[] = {{"lifecycle", NULL}};
    struct sigv4_pair list[] = {{"prefix", "J"}, {"max-keys", "2"}};
    expect((struct sigv4_request){"GET", "/", lifecycle, 1, headers, 3, SIGV4_EMPTY_PAYLOAD, 0},
           "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    expect((struct sigv4_request){"GET", "/", list, 2, headers, 3, SIGV4_EMPTY_PAYLOAD, 0},
           "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void test_presigned(void **state)
{
    (void)state;
    struct sigv4_pair headers[] = {{"host", HOST}};
    struct sigv4_request request = {"GET", "/test.txt", NULL, 0, headers, 1,
                                    SIGV4_UNSIGNED_PAYLOAD, TIME};
    struct sigv4_signer signer;
    struct buffer query;
    buffer_init(&query, 4096);
    sigv4_signer_init(&signer, "us-east-1", "s3");
    assert_int_equal(sigv4_presign(&signer, ACCESS, SECRET, NULL, 86400, &request, &query), 0);
    assert_string_equal(
        query.data,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    buffer_finish(&query);
    sigv4_signer_finish(&signer);
}

static void test_canonical_form(void **state)
{
    (void)state;
    struct sigv4_pair headers[] = {{"My-Header", "  a   b  "}, {"host", "h"}, {"my-header", "c"}};
    struct sigv4_pair query[] = {{"b", "2"}, {"a b", "ü+="}, {"b", "1"}};
    struct sigv4_request request = {"GET", "/a%20b", query, 3, headers, 3, "x", 0};
    struct sigv4_signer signer;
    struct buffer authorization, canonical;
    buffer_init(&authorization, 4096);
    buffer_init(&canonical, 4096);
    sigv4_signer_init(&signer, "r", "s");
    assert_int_equal(sigv4_sign(&signer, "a", "b", &request, &authorization, &canonical), 0);
    assert_string_equal(canonical.data,
                        "GET\n/a%20b\na%20b=%C3%BC%2B%3D&b=1&b=2\nhost:h\nmy-header:a b,c\n\n"
                        "host;my-header\nx");
    buffer_finish(&authorization);
    buffer_finish(&canonical);
}

static void test_vanilla(void **state)
{
    (void)state;
    struct sigv4_pair headers[] = {{"Host", "example.amazonaws.com"},
                                   {"X-Amz-Date", "20150830T123600Z"}};
    struct sigv4_request request = {"GET", "/", NULL, 0, headers, 2, SIGV4_EMPTY_PAYLOAD,
                                    1440938160};
    struct sigv4_signer signer;
    struct buffer authorization;
    buffer_init(&authorization, 4096);
    sigv4_signer_init(&signer, "us-east-1", "service");
    assert_int_equal(sigv4_sign(&signer, "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                &request, &authorization, NULL),
                     0);
    assert_string_equal(
        authorization.data,
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    buffer_finish(&authorization);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_range),       cmocka_unit_test(test_put),
        cmocka_unit_test(test_query),           cmocka_unit_test(test_presigned),
        cmocka_unit_test(test_canonical_form),  cmocka_unit_test(test_vanilla),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
