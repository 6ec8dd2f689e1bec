/* The process that owns an embedded log: who starts it, a full disk, settings and clients that are bad. */
#include "tests/unit/core/broker/log_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/broker/log/wire.h"

/* A full disk is told to who produces; what was acknowledged stays, and it goes on when there is
 * room. */
static void a_full_disk_is_told(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, NULL);
    fixture.file_limit = 3 << 20;
    fixture_start_owner(&fixture, none);
    struct broker_producer *producer = fixture_producer(&fixture);
    char *value = calloc(1, 100001);
    struct broker_message message = {
        .topic = "full", .partition = 0, .value = value, .timestamp = BROKER_NO_TIMESTAMP};
    int64_t count = 0;
    for (message.value_size = 100001; fixture.failed == 0 && count < 100;) {
        int64_t offset = fixture_send(&fixture, producer, &message);
        assert_true(offset == count || offset == -1);
        count += offset >= 0;
    }
    assert_in_range(count, 10, 40);
    assert_int_equal(fixture.last_error, ERROR_SYSTEM);
    assert_int_equal(fixture_send(&fixture, producer, &message), -1);
    struct broker_consumer *consumer = fixture_read_from(&fixture, "full", 0, 0);
    for (int64_t next = 0; next < count;) {
        struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
        for (size_t i = 0; i < chunk->count; i++) {
            assert_int_equal(chunk->messages[i].offset, next++);
        }
        broker_chunk_release(chunk);
    }
    fixture.file_limit = 0;
    fixture_kill_owner(&fixture, SIGKILL);
    fixture_start_owner(&fixture, none);
    assert_int_equal(fixture_send(&fixture, producer, &message), count);
    free(value);
    broker_consumer_destroy(consumer);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

/* Nobody started an owner: the first client does, and it leaves when all are gone. */
static void clients_start_an_owner(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, NULL);
    struct broker_producer *producer = fixture_producer(&fixture);
    assert_int_equal(fixture_put(&fixture, producer, "lazy", NULL, "v"), 0);
    struct broker_consumer *consumer = fixture_read_from(&fixture, "lazy", 0, 0);
    struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
    assert_int_equal(chunk->count, 1);
    broker_chunk_release(chunk);
    broker_consumer_destroy(consumer);
    broker_producer_destroy(producer);
    broker_close(fixture.broker);
    fixture.broker = NULL;
    char path[800];
    (void)snprintf(path, sizeof(path), "%s/lock", fixture.deep);
    int lock = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX), 0); /* the owner holds it as long as it lives */
    (void)snprintf(path, sizeof(path), "%s/log.sock", fixture.deep);
    assert_int_not_equal(access(path, F_OK), 0);
    close(lock);
    fixture_finish(&fixture);
}

static void bad_settings(void **state)
{
    struct properties properties = {0};
    struct error error = {0};
    struct broker *broker = NULL;
    (void)state;
    assert_int_equal(broker_open(&properties, &broker, &error), -1);
    assert_int_equal(error.code, ERROR_CONFIG);
    properties_set(&properties, "bootstrap.servers", "local:/proc/nowhere");
    error_clear(&error);
    assert_int_equal(broker_open(&properties, &broker, &error), 0);
    struct broker_topics topics;
    assert_int_equal(broker_topics(broker, 300, &topics, &error), -1);
    assert_int_equal(error.code, ERROR_BROKER_UNAVAILABLE);
    assert_non_null(strstr(error.message, "/proc/nowhere"));
    error_clear(&error);
    broker_close(broker);
    properties_finish(&properties);
}

static int raw_socket(const struct fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(fixture->deep, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/log.sock", dir);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(dir);
    return fd;
}

/* Rubbish of all kinds on the socket ends that connection and nothing else. */
static void garbage_does_no_harm(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, none);
    struct broker_producer *producer = fixture_producer(&fixture);
    assert_int_equal(fixture_put(&fixture, producer, "safe", NULL, "v"), 0);
    srand(20261124);
    for (int round = 0; round < 400; round++) {
        int fd = raw_socket(&fixture);
        struct buffer out;
        buffer_init(&out, 1 << 20);
        if (round % 8 != 0) { /* else without HELLO */
            size_t begin = wire_begin(&out, WIRE_HELLO, 0);
            wire_put_u32(&out, WIRE_MAGIC);
            wire_put_u32(&out, WIRE_VERSION);
            wire_put_u32(&out, 0);
            wire_put_text(&out, "rubbish");
            wire_end(&out, begin);
        }
        for (int frames = 0; frames < 4; frames++) {
            struct wire_head head = {
                .size = (uint32_t)(round % 7 == 0 ? rand() : rand() % 200),
                .type = (uint32_t)(round % 5 == 0 ? rand() : rand() % 24),
            };
            (void)buffer_append(&out, &head, sizeof(head));
            size_t size = head.size < 200 ? head.size : (size_t)(rand() % 200);
            for (size_t i = 0; i < size; i++) {
                (void)buffer_append_char(&out, (char)(rand() % 3 ? rand() % 6 : rand()));
            }
        }
        (void)send(fd, out.data, out.size, MSG_NOSIGNAL);
        if (round % 2) {
            char answer[256];
            (void)recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        }
        close(fd);
        buffer_finish(&out);
    }
    assert_int_equal(fixture_put(&fixture, producer, "safe", NULL, "w"), 1);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(clients_start_an_owner),
        cmocka_unit_test(bad_settings),
        cmocka_unit_test(garbage_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
