/* Lists of shards that break off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "connectors/kinesis/shards.h"
#include "tests/support/scripted_http.h"

static void quiet(const struct sluice_host *host, enum sluice_log_level level, const char *format, ...)
{
    (void)host;
    (void)level;
    (void)format;
}

/* A shard counts as gone, and its children are read, where a whole list is without it, and only there. */
static void test_shards_are_there_until_a_whole_list_is_without_them(void **state)
{
    (void)state;
    static const struct scripted_answer answers[] = {
        {200, "{\"Shards\":[{\"ShardId\":\"shardId-0\"},{\"ShardId\":\"shardId-1\"}]}"},
        {200, "{\"Shards\":[{\"ShardId\":\"shardId-1\"}],\"NextToken\":\"more\"}"},
        {400, "{\"__type\":\"LimitExceededException\"}"},
        {200, "{\"Shards\":[{\"ShardId\":\"shardId-1\"}]}"},
        {0, NULL}};
    static const char stream[] = "s";
    struct scripted_http server;
    struct sluice_host host = {.log = quiet};
    struct kinesis_access access;
    struct shards shards = {NULL};
    struct aws_fault fault;
    char endpoint[50], message[KINESIS_MESSAGE];
    scripted_http_start(&server, answers);
    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d", server.port);
    struct kinesis_access_settings settings = {
        .endpoint = endpoint, .region = "us-east-1",
        .credentials = {.source = AWS_SOURCE_STATIC, .access_key = "a", .secret_key = "s", .region = "us-east-1"}};
    assert_int_equal(kinesis_access_open(&access, &settings, &host, message, sizeof(message)), 0);
    assert_int_equal(shards_list(&shards, &access, stream, &fault), 0);
    assert_true(shards_find(&shards, stream, "shardId-0")->listed);
    assert_int_equal(shards_list(&shards, &access, stream, &fault), -1);
    assert_int_equal(fault.class, AWS_THROTTLED);
    assert_true(shards_find(&shards, stream, "shardId-0")->listed);
    assert_true(shards_find(&shards, stream, "shardId-1")->listed);
    assert_int_equal(shards_list(&shards, &access, stream, &fault), 0);
    assert_false(shards_find(&shards, stream, "shardId-0")->listed);
    assert_true(shards_find(&shards, stream, "shardId-1")->listed);
    shards_finish(&shards);
    kinesis_access_finish(&access);
    scripted_http_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shards_are_there_until_a_whole_list_is_without_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
