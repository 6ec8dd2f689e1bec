/* lib/aws/msk_iam, region: tokens against botocore's SigV4QueryAuth, recorded for one clock; regions of hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "lib/aws/msk_iam.h"
#include "lib/aws/region.h"

enum { NOW = 1795850788 };

static char *decoded(const char *token)
{
    size_t size = strlen(token), full = size;
    char *padded = calloc(1, size + 4), *text = calloc(1, size + 4);
    for (size_t i = 0; i < size; i++) {
        padded[i] = token[i] == '-' ? '+' : token[i] == '_' ? '/' : token[i];
        assert_true(token[i] != '+' && token[i] != '/' && token[i] != '=');
    }
    while (full % 4) {
        padded[full++] = '=';
    }
    assert_true(EVP_DecodeBlock((unsigned char *)text, (unsigned char *)padded, (int)full) > 0);
    free(padded);
    return text;
}

static void test_recorded(void **state)
{
    static const struct {
        const char *region;
        struct aws_credentials credentials;
        const char *signature, *others;
        int64_t expires;
    } cases[] = {
        {"us-east-1",
         {.access_key = "AKIDEXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
         "3dec6393ef390266b50d0ad92730a5912af67db6aace94c056ea50fbaf41412b",
         "X-Amz-Credential=AKIDEXAMPLE%2F20261128%2Fus-east-1%2Fkafka-cluster%2Faws4_request",
         NOW + 900},
        {"eu-central-1",
         {.access_key = "ASIAEXAMPLE",
          .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
          .token = "FwoGZXIvYXdzE+a/b==%",
          .expires = NOW + 600},
         "0929055280ee50b6de6e3614766f23e7545101fa9cdf093e620976611b398be5",
         "X-Amz-Security-Token=FwoGZXIvYXdzE%2Ba%2Fb%3D%3D%25", NOW + 600},
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buffer token;
        int64_t expires;
        char start[200], end[120];
        buffer_init(&token, MSK_IAM_TOKEN_MAX);
        assert_int_equal(0, msk_iam_token(cases[i].region, &cases[i].credentials, NOW, &token, &expires));
        assert_true(expires == cases[i].expires);
        char *url = decoded(token.data);
        (void)snprintf(start, sizeof(start),
                       "https://kafka.%s.amazonaws.com/?Action=kafka-cluster%%3AConnect&",
                       cases[i].region);
        (void)snprintf(end, sizeof(end), "&X-Amz-Signature=%s&User-Agent=sluice%%2F",
                       cases[i].signature);
        assert_memory_equal(start, url, strlen(start));
        assert_non_null(strstr(url, end));
        assert_non_null(strstr(url, cases[i].others));
        assert_non_null(strstr(url, "&X-Amz-Expires=900&"));
        free(url);
        buffer_finish(&token);
    }
}

static void test_regions(void **state)
{
    static const struct {
        const char *hosts, *region;
    } cases[] = {
        {"b-1.pins.abc123.c2.kafka.us-east-1.amazonaws.com:9098", "us-east-1"},
        {"b-1.x.c3.kafka.ap-southeast-2.amazonaws.com:9098,b-2.x.c3.kafka.ap-southeast-2.amazonaws.com:9098",
         "ap-southeast-2"},
        {"boot-abc.c1.kafka-serverless.eu-west-3.amazonaws.com:9098", "eu-west-3"},
        {"b-1.x.kafka.us-gov-west-1.amazonaws.com:9098", "us-gov-west-1"},
        {"b-1.x.kafka.cn-north-1.amazonaws.com.cn:9098", "cn-north-1"},
        {"kafka-us-west-2.corp.example:9098", "us-west-2"},
        {"127.0.0.1:9092", NULL},
        {"broker.example:9092", NULL},
        {"campus-east-1.example:9092", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char region[AWS_REGION_SIZE];
        bool found = aws_region_of_hosts(cases[i].hosts, region);
        assert_int_equal(cases[i].region != NULL, found);
        if (found) {
            assert_string_equal(cases[i].region, region);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_regions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
