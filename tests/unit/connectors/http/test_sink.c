/* The HTTP sink when a batch comes again, which may be less of it: its partitions can have left meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/fake_sink_host.h"
#include "tests/support/scripted_http.h"

static struct scripted_http server;

static struct fake_sink_host *start(void)
{
    static const struct scripted_answer answers[] = {{200, ""}, {200, ""}, {503, "busy"}, {200, ""}, {0, NULL}};
    char url[100], error[500];
    scripted_http_start(&server, answers);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/${partition}@${offset}", server.port);
    const char *const properties[] = {"topics", "t", "http.url", url, NULL};
    struct fake_sink_host *fake =
        fake_sink_host_create(HTTP_PLUGIN, "sluice.http.HttpSinkConnector", properties, error, sizeof(error));
    if (!fake || fake_sink_host_start(fake) != SLUICE_OK) {
        fail_msg("%s", fake ? fake->failure.error.message : error);
    }
    return fake;
}

static void stop(struct fake_sink_host *fake)
{
    fake_sink_host_destroy(fake);
    scripted_http_stop(&server);
}

static struct fake_sink_record at(int32_t partition, int64_t offset)
{
    static const char topic[] = "t";
    return (struct fake_sink_record){.topic = topic, .partition = partition, .offset = offset, .value = "1"};
}

static void test_what_was_sent_is_not_sent_again(void **state)
{
    (void)state;
    struct fake_sink_host *fake = start();
    const struct fake_sink_record all[] = {at(0, 10), at(1, 5), at(0, 11)};
    assert_int_equal(fake_sink_host_put(fake, all, 3), SLUICE_RETRY);
    assert_int_equal(fake_sink_host_put(fake, all, 3), SLUICE_OK);
    stop(fake);
    assert_string_equal(server.taken, "/0@10/1@5/0@11");
}

static void test_what_is_left_of_a_batch_is_sent(void **state)
{
    (void)state;
    struct fake_sink_host *fake = start();
    const struct fake_sink_record all[] = {at(0, 10), at(1, 5), at(0, 11)}, left[] = {at(0, 10), at(0, 11)};
    assert_int_equal(fake_sink_host_put(fake, all, 3), SLUICE_RETRY);
    assert_int_equal(fake_sink_host_put(fake, left, 2), SLUICE_OK);
    stop(fake);
    assert_string_equal(server.taken, "/0@10/1@5/0@10/0@11");
}

static void test_another_batch_with_the_same_beginning_is_sent(void **state)
{
    (void)state;
    struct fake_sink_host *fake = start();
    const struct fake_sink_record all[] = {at(0, 10), at(1, 5), at(0, 11)}, other[] = {at(0, 10), at(0, 11), at(0, 12)};
    assert_int_equal(fake_sink_host_put(fake, all, 3), SLUICE_RETRY);
    assert_int_equal(fake_sink_host_put(fake, other, 3), SLUICE_OK);
    stop(fake);
    assert_string_equal(server.taken, "/0@10/1@5/0@10/0@11/0@12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sent_is_not_sent_again),
        cmocka_unit_test(test_what_is_left_of_a_batch_is_sent),
        cmocka_unit_test(test_another_batch_with_the_same_beginning_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
