/* Event loop: timers in order, calls from other threads, watches taken off in their own callback.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/base/loop.h"

struct fixture {
    struct loop *loop;
    char order[16];
    size_t count;
    int pipe[2];
    struct loop_watch *watch;
    struct loop_timer *never;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    fixture.loop = loop_create(NULL);
    assert_non_null(fixture.loop);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    loop_destroy(fixture->loop);
    return 0;
}

static void add(struct fixture *fixture, char c)
{
    fixture->order[fixture->count++] = c;
}

static void on_a(void *user)
{
    add(user, 'a');
}

static void on_b(void *user)
{
    struct fixture *fixture = user;
    add(fixture, 'b');
    loop_cancel(fixture->never);
    fixture->never = NULL;
}

static void on_end(void *user)
{
    struct fixture *fixture = user;
    add(fixture, 'e');
    loop_stop(fixture->loop);
}

static void run(struct fixture *fixture)
{
    struct error error = {0};
    assert_int_equal(loop_run(fixture->loop, &error), 0);
}

static void test_timers_fire_in_order(void **state)
{
    struct fixture *fixture = *state;
    loop_after(fixture->loop, 30, on_end, fixture);
    loop_after(fixture->loop, 10, on_b, fixture);
    loop_after(fixture->loop, 1, on_a, fixture);
    fixture->never = loop_after(fixture->loop, 20, on_a, fixture);
    run(fixture);
    assert_string_equal(fixture->order, "abe");
}

static void *poster(void *user)
{
    struct fixture *fixture = user;
    loop_post(fixture->loop, on_a, fixture);
    loop_post(fixture->loop, on_b, fixture);
    loop_post(fixture->loop, on_end, fixture);
    return NULL;
}

static void test_posts_come_in_order(void **state)
{
    struct fixture *fixture = *state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, poster, fixture), 0);
    run(fixture);
    pthread_join(thread, NULL);
    assert_string_equal(fixture->order, "abe");
}

static void on_readable(void *user, uint32_t events)
{
    struct fixture *fixture = user;
    assert_true(events & EPOLLIN);
    add(fixture, 'r');
    loop_unwatch(fixture->watch); /* there is still data: it must not come again */
    loop_after(fixture->loop, 5, on_end, fixture);
}

static void test_watch_may_end_itself(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(pipe(fixture->pipe), 0);
    assert_int_equal(write(fixture->pipe[1], "xy", 2), 2);
    fixture->watch = loop_watch_fd(fixture->loop, fixture->pipe[0], EPOLLIN, on_readable, fixture);
    assert_non_null(fixture->watch);
    run(fixture);
    assert_string_equal(fixture->order, "re");
    close(fixture->pipe[0]);
    close(fixture->pipe[1]);
}

static void test_destroy_with_work_left(void **state)
{
    struct fixture *fixture = *state;
    loop_after(fixture->loop, 1000, on_a, fixture);
    loop_post(fixture->loop, on_a, fixture);
    loop_destroy(NULL);
    assert_int_equal(fixture->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_timers_fire_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_posts_come_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_watch_may_end_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_destroy_with_work_left, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
