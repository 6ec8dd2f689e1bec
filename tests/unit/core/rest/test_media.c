/* Content-Type and Accept as Jersey takes them; each line was asked of the JVM's worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/rest/media.h"

#define JSON "application/json"

static const struct {
    const char *header;
    enum rest_media media;
    const char *parameters;
} accepts[] = {
    {NULL, REST_MEDIA_WILDCARD, NULL},
    {"", REST_MEDIA_WILDCARD, NULL},
    {" ", REST_MEDIA_WILDCARD, NULL},
    {"*", REST_MEDIA_WILDCARD, NULL},
    {"*/json", REST_MEDIA_WILDCARD, NULL},
    {"application", REST_MEDIA_WILDCARD, NULL},
    {"nonsense", REST_MEDIA_OTHER, NULL},
    {"text/html,nonsense", REST_MEDIA_OTHER, NULL},
    {"*/*;q=0", REST_MEDIA_WILDCARD, NULL},
    {"application/json;q=0", REST_MEDIA_EXACT, NULL},
    {"application/json;q=1.000", REST_MEDIA_EXACT, NULL},
    {"application/json,", REST_MEDIA_EXACT, NULL},
    {"application/json;", REST_MEDIA_EXACT, NULL},
    {"text/html;q=0.3, application/json", REST_MEDIA_EXACT, NULL},
    {"application/json;q=0.5;charset=utf-8", REST_MEDIA_EXACT, ";charset=utf-8"},
    {"APPLICATION/json;Charset=UTF-8", REST_MEDIA_EXACT, ";charset=utf-8"},
    {"text/plain,application/json;a=\"b c\"", REST_MEDIA_EXACT, ";a=\"b c\""},
    {"application/json;x=1;y=2, application/json;z=1", REST_MEDIA_EXACT, ";x=1;y=2"},
    {"*/*,application/json;charset=utf-8", REST_MEDIA_EXACT, ";charset=utf-8"},
    {"application/*, application/json;v=1;q=0.2", REST_MEDIA_WILDCARD, NULL},
    {"application/*;x=1", REST_MEDIA_WILDCARD, NULL},
    {",", REST_MEDIA_MALFORMED, NULL},
    {"text/html,,application/json", REST_MEDIA_MALFORMED, NULL},
    {"a/b/c", REST_MEDIA_MALFORMED, NULL},
    {"application/", REST_MEDIA_MALFORMED, NULL},
    {"/json", REST_MEDIA_MALFORMED, NULL},
    {"application/json;q", REST_MEDIA_MALFORMED, NULL},
    {"application/json;q=", REST_MEDIA_MALFORMED, NULL},
    {"application/json;q=x", REST_MEDIA_MALFORMED, NULL},
    {"application/json;q=1.5", REST_MEDIA_MALFORMED, NULL},
    {"application/json;q=0.1234", REST_MEDIA_MALFORMED, NULL},
    {"application/json;q=-1", REST_MEDIA_MALFORMED, NULL},
    {"application/json, text/plain;q=z", REST_MEDIA_MALFORMED, NULL},
    {"application/json;a=\"b", REST_MEDIA_MALFORMED, NULL},
};

static const struct {
    const char *header;
    enum rest_media media;
} contents[] = {
    {"application/json", REST_MEDIA_EXACT},
    {" Application/JSON ", REST_MEDIA_EXACT},
    {"application/json;", REST_MEDIA_EXACT},
    {"application/json ; charset=\"utf-8\"", REST_MEDIA_EXACT},
    {"application/json;a=b;c=\"d;e\"", REST_MEDIA_EXACT},
    {"application/*", REST_MEDIA_WILDCARD},
    {"*/*", REST_MEDIA_WILDCARD},
    {"text/plain", REST_MEDIA_OTHER},
    {"application/vnd.api+json", REST_MEDIA_OTHER},
    {"", REST_MEDIA_MALFORMED},
    {"*", REST_MEDIA_MALFORMED},
    {"json", REST_MEDIA_MALFORMED},
    {"/", REST_MEDIA_MALFORMED},
    {"a/b/c", REST_MEDIA_MALFORMED},
    {"application /json", REST_MEDIA_MALFORMED},
    {"application/json; a = b", REST_MEDIA_MALFORMED},
    {"application/json;charset", REST_MEDIA_MALFORMED},
    {"application/json, text/plain", REST_MEDIA_MALFORMED},
};

static void test_accept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
        char *parameters = NULL;
        print_message("%s\n", accepts[i].header ? accepts[i].header : "(none)");
        assert_int_equal(rest_media_accept(accepts[i].header, JSON, &parameters), accepts[i].media);
        if (accepts[i].parameters) {
            assert_non_null(parameters);
            assert_string_equal(parameters, accepts[i].parameters);
        } else {
            assert_null(parameters);
        }
        free(parameters);
    }
}

static void test_content(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        print_message("%s\n", contents[i].header);
        assert_int_equal(rest_media_content(contents[i].header, JSON), contents[i].media);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
