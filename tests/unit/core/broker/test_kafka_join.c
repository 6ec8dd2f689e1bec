/*
 * A first join that is under way when something else is wanted: the member id is told by its answer, and
 * whoever drops that answer leaves a member behind that the group waits for until session.timeout.ms is over.
 */
#include "tests/unit/core/broker/kafka_fixture.h"

#include "core/base/clock.h"

#ifdef LIBRDKAFKA_STATICLIB /* the one that we build; others drop that answer (cmake/Librdkafka.cmake) */

enum { JOIN_GROUP = 11, LEAVE_GROUP = 13, JOIN_MS = 300, SESSION_MS = 10000, SOON_MS = SESSION_MS / 2 };
#define SESSION "10000"

static const char *const topics[] = {"one", "two"};

static void start(struct fixture *fixture)
{
    fixture_start(fixture, topics[0], 1);
    assert_int_equal(rd_kafka_mock_topic_create(fixture->cluster, topics[1], 1, 1), 0);
    rd_kafka_mock_group_initial_rebalance_delay_ms(fixture->cluster, JOIN_MS); /* how long the answer takes */
    rd_kafka_mock_start_request_tracking(fixture->cluster);
}

static void subscribe(struct broker_consumer *consumer, size_t count)
{
    struct error error = {0};
    assert_int_equal(broker_consumer_subscribe(consumer, topics, count, &error), 0);
}

static void poll(struct broker_consumer *consumer)
{
    struct broker_chunk *chunk;
    struct error error = {0};
    assert_int_equal(broker_consumer_poll(consumer, 5, 10, 1000, &chunk, &error), 0);
    broker_chunk_release(chunk);
}

/* How often the cluster was asked this. */
static size_t asked(struct fixture *fixture, int16_t key)
{
    size_t count, found = 0;
    rd_kafka_mock_request_t **requests = rd_kafka_mock_get_requests(fixture->cluster, &count);
    for (size_t i = 0; i < count; i++) {
        found += rd_kafka_mock_request_api_key(requests[i]) == key;
    }
    rd_kafka_mock_request_destroy_array(requests, count);
    return found;
}

/* A member of group g whose first join is with the broker. */
static struct broker_consumer *joining(struct fixture *fixture)
{
    struct broker_consumer *consumer = fixture_consumer(
        fixture, NULL, "group.id", "g", "session.timeout.ms", SESSION, "heartbeat.interval.ms", "100", NULL);
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    subscribe(consumer, 1);
    while (asked(fixture, JOIN_GROUP) == 0) {
        poll(consumer);
        assert_true(clock_monotonic_ms() < deadline);
    }
    return consumer;
}

static void assert_holds(struct broker_consumer *consumer, const char *topic, int64_t within_ms)
{
    struct broker_partition partition = {topic, 0};
    struct error error = {0};
    int64_t position, deadline = clock_monotonic_ms() + within_ms;
    while (broker_consumer_position(consumer, &partition, &position, &error) != 0) {
        error_clear(&error);
        poll(consumer);
        assert_true(clock_monotonic_ms() < deadline);
    }
}

static void another_subscription_keeps_the_membership(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture);
    struct broker_consumer *consumer = joining(&fixture);
    subscribe(consumer, 2);
    assert_holds(consumer, topics[0], SOON_MS);
    assert_holds(consumer, topics[1], FIXTURE_MS); /* this cluster takes session.timeout.ms for every rebalance */
    broker_consumer_destroy(consumer);
    fixture_finish(&fixture);
}

static void who_goes_leaves(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture);
    broker_consumer_destroy(joining(&fixture));
    assert_int_equal(asked(&fixture, LEAVE_GROUP), 1);
    fixture_finish(&fixture);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_subscription_keeps_the_membership),
        cmocka_unit_test(who_goes_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77; /* skipped */
}

#endif
