/* Routing, base64 and JSON text of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/rest/base64.h"
#include "connectors/rest/request.h"
#include "connectors/rest/route.h"

#define JSON_V2 "application/vnd.kafka.json.v2+json"

/* Status of a refusal, or -kind. */
static int find(const char *method, const char *path, const char *type, const char *accept,
                struct rest_route *route)
{
    struct rest_fault fault = {0};
    return rest_route_find(method, path, type, accept, route, &fault) != 0 ? fault.status
                                                                          : -(int)route->kind;
}

/* The same of paths below /streams; 0: it is none. */
static int find_stream(const char *method, const char *path, struct rest_route *route)
{
    struct rest_fault fault = {0};
    int result = rest_route_streams(method, path, route, &fault);
    return result > 0 ? -(int)route->kind : fault.status;
}

static void test_stream_routes(void **state)
{
    (void)state;
    struct rest_route route;
    assert_int_equal(find_stream("GET", "/streams", &route), -REST_STREAMS);
    assert_int_equal(find_stream("GET", "/streams/a-b", &route), -REST_STREAM);
    assert_string_equal(route.topic, "a-b");
    assert_int_equal(find_stream("POST", "/streams/a", &route), -REST_STREAM_CREATE);
    assert_int_equal(find_stream("DELETE", "/streams/a", &route), -REST_STREAM_DELETE);
    assert_int_equal(find_stream("PUT", "/streams/a%2Fb/record", &route), -REST_STREAM_RECORD);
    assert_string_equal(route.topic, "a/b");
    assert_int_equal(find_stream("PUT", "/streams/a/records/", &route), -REST_STREAM_RECORDS);
    assert_int_equal(find_stream("OPTIONS", "/streams/a/records", &route), -REST_OPTIONS);
    assert_string_equal(route.allow, "PUT, OPTIONS");
    assert_int_equal(find_stream("POST", "/streams/a/record", &route), 405);
    assert_int_equal(find_stream("PUT", "/streams/a/other", &route), 404);
    assert_int_equal(find_stream("PUT", "/streams/a/record/x", &route), 404);
    assert_int_equal(find_stream("GET", "/topics", &route), 0);
    assert_int_equal(find_stream("GET", "/", &route), 0);
    assert_int_equal(find_stream("GET", "/streamsx", &route), 0);
    assert_int_equal(find_stream("GET", "/streams/%zz", &route), 0); /* left to the others, who refuse it */
}

static void test_base_paths(void **state)
{
    (void)state;
    static const char *const stages[] = {"/prod", "/v1/test"};
    static const struct {
        const char *path, *below;
    } cases[] = {
        {"/prod/topics/a", "/topics/a"},     {"/v1/test/streams/a/record", "/streams/a/record"},
        {"http://h:1/prod/topics", "/topics"}, {"/prod", "/"},
        {"/prod/", "/"},                     {"/production/topics", "/production/topics"},
        {"/prod/prod/topics", "/prod/topics"}, {"/topics/prod", "/topics/prod"},
        {"/v1", "/v1"},                      {"*", "*"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(rest_route_below(cases[i].path, stages, 2), cases[i].below);
        assert_ptr_equal(rest_route_below(cases[i].path, NULL, 0), cases[i].path);
    }
}

/* Who uses what is not here learns that it is not a matter of the address. */
static void test_apis_that_are_not_here(void **state)
{
    (void)state;
    static const char *const paths[][2] = {
        {"/v3/clusters", "v3 is not served"},
        {"/v3/clusters/a/topics/b/records", "v3 is not served"},
        {"/consumers/a/instances/b/records", "that of consumers is not served"},
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct rest_route route;
        struct rest_fault fault = {0};
        assert_int_not_equal(rest_route_find("POST", paths[i][0], JSON_V2, NULL, &route, &fault), 0);
        assert_int_equal(fault.status, 404);
        assert_non_null(strstr(fault.message, paths[i][1]));
    }
}

static void test_routes(void **state)
{
    (void)state;
    struct rest_route route;
    assert_int_equal(find("POST", "/topics/a", JSON_V2, NULL, &route), -REST_PRODUCE);
    assert_string_equal(route.topic, "a");
    assert_false(route.partitioned);
    assert_int_equal(find("POST", "/topics/a/", JSON_V2 "; charset=utf-8", NULL, &route),
                     -REST_PRODUCE);
    assert_int_equal(find("POST", "/topics/a/partitions/7",
                          "Application/VND.kafka.binary.v2+json", NULL, &route),
                     -REST_PRODUCE);
    assert_true(route.partitioned);
    assert_int_equal(route.partition, 7);
    assert_int_equal(find("POST", "/topics/a", NULL, NULL, &route), -REST_PRODUCE);
    assert_int_equal(find("GET", "/", NULL, NULL, &route), -REST_ROOT);
    assert_int_equal(find("GET", "/topics", NULL, NULL, &route), -REST_TOPICS);
    assert_int_equal(find("GET", "/topics/a", NULL, NULL, &route), -REST_TOPIC);
    assert_int_equal(find("GET", "/topics/a/partitions", NULL, NULL, &route), -REST_PARTITIONS);
    assert_int_equal(find("GET", "/topics/a/partitions/3", NULL, NULL, &route), -REST_PARTITION);
    assert_int_equal(find("GET", "/topics/a/partitions/3/offsets", NULL, NULL, &route),
                     -REST_OFFSETS);
    assert_int_equal(find("HEAD", "/brokers", NULL, NULL, &route), -REST_BROKERS);
    assert_int_equal(find("POST", "/topics/a", "application/json", NULL, &route), 415);
    assert_int_equal(find("POST", "/topics/a", "application/vnd.kafka.protobuf.v2+json", NULL, &route),
                     -REST_PRODUCE);
    assert_int_equal(route.format, REST_FORMAT_PROTOBUF);
    assert_int_equal(find("POST", "/topics/a", "nonsense", NULL, &route), 400);
    assert_int_equal(find("POST", "/topics/a", JSON_V2 ", application/json", NULL, &route), 400);
    assert_int_equal(find("POST", "/topics/a", JSON_V2 "; charset", NULL, &route), 400);
    assert_int_equal(find("POST", "/topics/a", JSON_V2 ";", NULL, &route), -REST_PRODUCE);
    assert_int_equal(find("GET", "/topics;x=y/a;b=c/partitions", NULL, NULL, &route), -REST_PARTITIONS);
    assert_string_equal(route.topic, "a");
    assert_int_equal(find("GET", "http://h:1/topics/a#x", NULL, NULL, &route), -REST_TOPIC);
    assert_string_equal(route.topic, "a");
    assert_int_equal(find("GET", "//topics", NULL, NULL, &route), 404);
    assert_int_equal(find("GET", "/topics//a", NULL, NULL, &route), 404);
    assert_int_equal(find("GET", "/%74opics", NULL, NULL, &route), 404);
    assert_int_equal(find("GET", "topics", NULL, NULL, &route), 400);
    assert_int_equal(find("GET", "*", NULL, NULL, &route), 400);
    assert_int_equal(find("POST", "/topics", JSON_V2, NULL, &route), 405);
    assert_int_equal(find("PUT", "/topics/a", JSON_V2, NULL, &route), 405);
    assert_int_equal(find("GET", "/topics/a/partitions/x", NULL, NULL, &route), 404);
    assert_int_equal(find("GET", "/topics/a/partitions/99999999999", NULL, NULL, &route), 404);
    assert_int_equal(find("GET", "/topics/a/partitions/1/offsets/2", NULL, NULL, &route), 404);
    assert_int_equal(find("GET", "/consumers/g", NULL, NULL, &route), 404);
}

static void test_escapes(void **state)
{
    (void)state;
    struct rest_route route;
    assert_int_equal(find("POST", "/topics/my%2Dtopic%5f1", JSON_V2, NULL, &route),
                     -REST_PRODUCE);
    assert_string_equal(route.topic, "my-topic_1");
    assert_int_equal(find("POST", "/topics/a%2Fpartitions%2F1", JSON_V2, NULL, &route),
                     -REST_PRODUCE);
    assert_string_equal(route.topic, "a/partitions/1");
    assert_false(rest_topic_valid(route.topic));
    assert_int_equal(find("POST", "/topics/a%00b", JSON_V2, NULL, &route), 400);
    assert_int_equal(find("POST", "/topics/a%4", JSON_V2, NULL, &route), 400);
    assert_int_equal(find("POST", "/topics/a%zz", JSON_V2, NULL, &route), 400);
    char path[2000] = "/topics/";
    memset(path + 8, 'a', 300);
    assert_int_equal(find("POST", path, JSON_V2, NULL, &route), -REST_PRODUCE);
    assert_false(rest_topic_valid(route.topic));
    memset(path + 8, 'a', 1900);
    assert_int_equal(find("POST", path, JSON_V2, NULL, &route), -REST_PRODUCE);
    assert_false(rest_topic_valid(route.topic));
}

static void test_accept(void **state)
{
    (void)state;
    struct rest_route route;
    static const char *const cases[][2] = {
        {"*/*", "application/vnd.kafka.v2+json"},
        {"application/*", "application/vnd.kafka.v2+json"},
        {"application/json", "application/json"},
        {"text/html, application/json;q=0.5", "application/json"},
        {"application/json;q=0.5, application/vnd.kafka.v2+json", "application/vnd.kafka.v2+json"},
        {"application/json , */*;q=0.1", "application/vnd.kafka.v2+json"},
        {"application/vnd.kafka.v2+json;q=0", "application/vnd.kafka.v2+json"},
        {"application/vnd.kafka.v2+json, application/vnd.kafka+json, application/json",
         "application/vnd.kafka.v2+json"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(find("POST", "/topics/a", JSON_V2, cases[i][0], &route),
                         -REST_PRODUCE);
        assert_string_equal(route.type, cases[i][1]);
    }
    assert_int_equal(find("POST", "/topics/a", JSON_V2, "text/html", &route), 406);
    assert_int_equal(find("GET", "/topics", NULL, "application/vnd.kafka+json", &route), 406);
    assert_int_equal(find("GET", "/topics", NULL, "nonsense", &route), 406);
    assert_int_equal(find("GET", "/topics", NULL, ",;,", &route), 400);
    assert_int_equal(find("GET", "/topics", NULL, "application/json;q=2", &route), 400);
    assert_int_equal(find("GET", "/topics", NULL, "application/json;q=x", &route), 400);
}

static void test_topic_names(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'x', sizeof(name));
    name[249] = '\0';
    assert_true(rest_topic_valid(name));
    name[249] = 'x';
    name[250] = '\0';
    assert_false(rest_topic_valid(name));
    assert_true(rest_topic_valid("12471ce1b695.pin"));
    assert_true(rest_topic_valid("..."));
    assert_false(rest_topic_valid(""));
    assert_false(rest_topic_valid("."));
    assert_false(rest_topic_valid(".."));
    assert_false(rest_topic_valid("a b"));
    assert_false(rest_topic_valid("\xc3\xa4"));
}

static void check_base64(const char *text, const char *bytes)
{
    char out[100];
    size_t size = 0;
    int result = rest_base64_decode(text, strlen(text), out, &size);
    if (!bytes) {
        assert_int_equal(result, -1);
        return;
    }
    assert_int_equal(result, 0);
    assert_int_equal(size, strlen(bytes));
    assert_memory_equal(out, bytes, size);
}

static void test_base64(void **state)
{
    (void)state;
    check_base64("", "");
    check_base64("Zg==", "f");
    check_base64("Zg", "f"); /* Guava wants no padding */
    check_base64("Zm8=", "fo");
    check_base64("Zm9v", "foo");
    check_base64("+/8=", "\xfb\xff");
    check_base64("Z", NULL);
    check_base64("Zm9vZ", NULL);
    check_base64("Zm 9v", NULL);
    check_base64("-_8=", NULL);
    check_base64("Zg==Zg==", NULL);
}

static void test_json_text(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    rest_append_json(&buffer, "a\"\\\n\x01 \xc3\xa4 \xf0\x9f\x98\x80 \xff\xc3 \xed\xa0\x80");
    assert_string_equal(buffer.data, "\"a\\\"\\\\\\n\\u0001 \xc3\xa4 \xf0\x9f\x98\x80 "
                                     "\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    buffer_finish(&buffer);
    struct rest_fault fault;
    char longer[600];
    memset(longer, 'x', sizeof(longer));
    memcpy(longer + 509, "\xf0\x9f\x98\x80", 5);
    (void)rest_fault_set(&fault, 400, 400, "%s", longer);
    assert_int_equal(strlen(fault.message), 509); /* not in the middle of a character */
}

static void test_results(void **state)
{
    (void)state;
    struct rest_request *request = rest_request_create();
    assert_int_equal(rest_request_results(request, 3), 0);
    request->results[0].partition = 2;
    request->results[0].offset = INT64_MAX;
    rest_result_fail(&request->results[1], REST_KAFKA_RETRIABLE, "no \"leader\"");
    assert_int_equal(rest_request_answer(request), 200);
    assert_string_equal(request->answer.data,
                        "{\"offsets\":[{\"partition\":2,\"offset\":9223372036854775807,"
                        "\"error_code\":null,\"error\":null},{\"partition\":null,\"offset\":null,"
                        "\"error_code\":50003,\"error\":\"no \\\"leader\\\"\"},{\"partition\":null,"
                        "\"offset\":null,\"error_code\":null,\"error\":null}],"
                        "\"key_schema_id\":null,\"value_schema_id\":null}");
    rest_result_fail(&request->results[2], REST_FORBIDDEN, NULL);
    assert_int_equal(rest_request_answer(request), 403);
    rest_request_reset(request, true);
    assert_int_equal(rest_request_results(request, 1), 0);
    rest_result_fail(&request->results[0], REST_UNAUTHENTICATED, "who?");
    assert_int_equal(rest_request_answer(request), 401);
    rest_request_destroy(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes), cmocka_unit_test(test_apis_that_are_not_here), cmocka_unit_test(test_base_paths),
        cmocka_unit_test(test_stream_routes),      cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_accept),      cmocka_unit_test(test_topic_names),
        cmocka_unit_test(test_base64),      cmocka_unit_test(test_json_text),
        cmocka_unit_test(test_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
