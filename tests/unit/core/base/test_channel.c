/* Messages between worker and host: whole ones only, in order, limits kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/channel.h"

struct pair {
    struct channel here, there;
};

static int setup(void **state)
{
    static struct pair pair;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    channel_init(&pair.here, fds[0]);
    channel_init(&pair.there, fds[1]);
    *state = &pair;
    return 0;
}

static int teardown(void **state)
{
    struct pair *pair = *state;
    channel_finish(&pair->here);
    channel_finish(&pair->there);
    return 0;
}

static void *send_many(void *user)
{
    struct pair *pair = user;
    char text[10000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < 500; i++) {
        struct error error = {0};
        if (channel_send(&pair->here, json_pack("{s:s,s:i,s:s}", "type", "n", "n", i, "x", text),
                         &error) != 0) {
            return user;
        }
    }
    return NULL;
}

static void test_order_and_size(void **state)
{
    struct pair *pair = *state;
    pthread_t thread;
    void *failed;
    assert_int_equal(pthread_create(&thread, NULL, send_many, pair), 0);
    for (int next = 0; next < 500;) {
        json_t *message = NULL;
        struct error error = {0};
        int got = channel_receive(&pair->there, &message, &error);
        assert_true(got >= 0);
        if (got == 1) {
            assert_int_equal(json_integer_value(json_object_get(message, "n")), next++);
            json_decref(message);
        }
    }
    pthread_join(thread, &failed);
    assert_null(failed);
}

static int receive_bytes(struct pair *pair, const void *bytes, size_t size, struct error *error)
{
    json_t *message = NULL;
    assert_int_equal(write(pair->here.fd, bytes, size), size);
    int got = channel_receive(&pair->there, &message, error);
    json_decref(message);
    return got;
}

static void test_rubbish_is_an_error(void **state)
{
    struct error error = {0};
    assert_int_equal(receive_bytes(*state, "\x03\0\0\0{}", 6, &error), 0); /* not whole yet */
    assert_int_equal(receive_bytes(*state, "}", 1, &error), -1);
    error_clear(&error);
}

static void test_more_than_the_limit_is_an_error(void **state)
{
    struct error error = {0};
    assert_int_equal(receive_bytes(*state, "\xff\xff\xff\x7f", 4, &error), -1);
    error_clear(&error);
}

static void test_end_of_file(void **state)
{
    struct pair *pair = *state;
    json_t *message;
    struct error error = {0};
    channel_finish(&pair->here);
    assert_int_equal(channel_receive(&pair->there, &message, &error), -2);
    channel_init(&pair->here, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order_and_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rubbish_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_than_the_limit_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_of_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
