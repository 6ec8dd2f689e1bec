/* Children: descriptors, environment, group, how they ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/lineage.h"
#include "core/base/loop.h"
#include "core/base/subprocess.h"

static struct subprocess start(const char *script, int out, int fd3)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct subprocess_options options = {
        .path = "/bin/sh",
        .argv = argv,
        .fds = {-1, out, -1, fd3},
        .fd_count = fd3 >= 0 ? 4 : 3,
    };
    struct subprocess process = {0};
    struct error error = {0};
    assert_int_equal(subprocess_start(&options, &process, &error), 0);
    return process;
}

static int wait_reaped(struct subprocess *process)
{
    struct pollfd wait = {.fd = process->pidfd, .events = POLLIN};
    int status = -1;
    assert_int_equal(poll(&wait, 1, 10000), 1);
    assert_int_equal(subprocess_reap(process, &status), 1);
    assert_int_equal(subprocess_reap(process, &status), 0);
    return status;
}

static int wait_end(struct subprocess *process)
{
    int status = wait_reaped(process);
    subprocess_close(process);
    return status;
}

static void output_of(const char *script, int fd3, char *text, size_t size)
{
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    struct subprocess process = start(script, out[1], fd3);
    close(out[1]);
    size_t got = 0;
    ssize_t n;
    while ((n = read(out[0], text + got, size - 1 - got)) > 0) {
        got += (size_t)n;
    }
    text[got] = '\0';
    close(out[0]);
    assert_int_equal(wait_end(&process), 0);
}

static void test_only_what_is_named_is_inherited(void **state)
{
    (void)state;
    char text[4096];
    int leaked = open("/dev/zero", O_RDONLY); /* not close-on-exec, and yet not inherited */
    int given = open("/dev/null", O_WRONLY | O_CLOEXEC);
    output_of("ls /proc/self/fd | grep -v '^[0-3]$' | wc -l; [ -e /proc/self/fd/3 ] && echo three",
              given, text, sizeof(text));
    assert_non_null(strstr(text, "three"));
    assert_true(atoi(text) <= 1); /* the folder that ls itself has open */
    close(leaked);
    close(given);
}

static void test_environment_is_minimal(void **state)
{
    (void)state;
    char text[16384];
    setenv("SLUICE_TEST_SECRET", "x", 1);
    output_of("env", -1, text, sizeof(text));
    assert_non_null(strstr(text, "LD_BIND_NOW=1"));
    assert_null(strstr(text, "SLUICE_TEST_SECRET"));
}

static void test_group_is_ended_with_it(void **state)
{
    (void)state;
    int out[2];
    char byte;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    /* What it leaves running holds the pipe open until it is killed. */
    struct subprocess process = start("sleep 600 & echo x; exit 7", out[1], -1);
    close(out[1]);
    int status = wait_end(&process);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(read(out[0], &byte, 1), 1);
    while (read(out[0], &byte, 1) > 0) {
    }
    close(out[0]);
}

/* What took another session, no descriptor and no environment along is ended too, and nobody else's. */
static void test_daemons_are_ended_with_it(void **state)
{
    (void)state;
    static const char script[] = "env -i setsid -f /bin/sh -c 'echo $$; exec sleep 60 <&- >&- 2>&-'; exit 7";
    int out[2];
    char text[64];
    struct subprocess other = start("setsid sleep 600", -1, -1);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    struct subprocess process = start(script, out[1], -1);
    close(out[1]);
    ssize_t got = read(out[0], text, sizeof(text) - 1);
    assert_true(got > 0);
    text[got] = '\0';
    while (read(out[0], text + got, 1) > 0) { /* ends with the daemon's exec */
    }
    close(out[0]);
    pid_t daemon = (pid_t)atoi(text);
    struct pollfd wait = {.fd = (int)syscall(SYS_pidfd_open, daemon, 0), .events = POLLIN};
    assert_true(wait.fd >= 0);
    assert_int_equal(WEXITSTATUS(wait_end(&process)), 7);
    assert_int_equal(poll(&wait, 1, 10000), 1);
    close(wait.fd);
    int status;
    assert_int_equal(subprocess_reap(&other, &status), 0);
    subprocess_signal(&other, SIGKILL);
    (void)wait_end(&other);
}

/* Who limits locks himself (a service manager may) is not taken for a family. */
static void test_a_limit_of_others_is_no_mark(void **state)
{
    (void)state;
    pid_t own = fork();
    assert_true(own >= 0);
    if (own == 0) {
        const struct rlimit limit = {.rlim_cur = 65536, .rlim_max = 65536};
        int status = 0;
        pid_t other = setrlimit(RLIMIT_LOCKS, &limit) == 0 ? fork() : -1;
        if (other == 0) {
            (void)pause();
            _exit(0);
        }
        lineage_kill_own();
        bool alive = other > 0 && waitpid(other, &status, WNOHANG) == 0;
        if (other > 0) {
            (void)kill(other, SIGKILL);
        }
        _exit(alive ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(own, &status, 0), own);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_signal_ends_it(void **state)
{
    (void)state;
    struct subprocess process = start("sleep 600", -1, -1);
    int status;
    assert_int_equal(subprocess_reap(&process, &status), 0);
    subprocess_signal(&process, SIGKILL);
    status = wait_end(&process);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_missing_program_is_an_error(void **state)
{
    (void)state;
    const char *const argv[] = {"none", NULL};
    const struct subprocess_options options = {.path = "/nonexistent/none", .argv = argv};
    struct subprocess process;
    struct error error = {0};
    assert_int_equal(subprocess_start(&options, &process, &error), -1);
    assert_non_null(strstr(error.message, "/nonexistent/none"));
    assert_non_null(strstr(error.message, strerror(ENOENT)));
    error_clear(&error);
}

/* Nobody waits for the exec; the reason is there after the end. */
/* ulimit -n 64 */
static void test_low_limit_of_descriptors_is_enough(void **state)
{
    (void)state;
    struct rlimit before, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct subprocess process = start("exit 7", -1, -1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(WEXITSTATUS(wait_end(&process)), 7);
}

static void test_missing_program_is_told_in_the_background(void **state)
{
    (void)state;
    const char *const argv[] = {"none", NULL};
    struct subprocess_options options = {
        .path = "/nonexistent/none", .argv = argv, .in_background = true};
    struct subprocess process;
    struct error error = {0};
    assert_int_equal(subprocess_start(&options, &process, &error), 0);
    (void)wait_reaped(&process);
    assert_int_equal(subprocess_failure(&process), ENOENT);
    subprocess_close(&process);
    const char *const fine[] = {"true", NULL};
    options.path = "/bin/true";
    options.argv = fine;
    assert_int_equal(subprocess_start(&options, &process, &error), 0);
    assert_int_equal(wait_reaped(&process), 0);
    assert_int_equal(subprocess_failure(&process), 0);
    subprocess_close(&process);
}

struct watched {
    struct loop *loop;
    struct loop_watch *watch;
    struct subprocess process;
    int ends;
};

static void on_stop(void *user)
{
    loop_stop(user);
}

static void on_watched_end(void *user, uint32_t events)
{
    struct watched *watched = user;
    int status;
    (void)events;
    assert_int_equal(subprocess_reap(&watched->process, &status), 1);
    loop_unwatch(watched->watch);
    subprocess_close(&watched->process);
    watched->ends++;
    loop_after(watched->loop, 20, on_stop, watched->loop);
}

/* A thread that starts another child has a copy of every descriptor between fork and exec. */
static void test_watch_ends_though_another_child_has_the_descriptor(void **state)
{
    (void)state;
    struct error error = {0};
    struct watched watched = {.loop = loop_create(&error), .process = start("exit 0", -1, -1)};
    assert_non_null(watched.loop);
    int copy = dup(watched.process.pidfd);
    watched.watch =
        loop_watch_fd(watched.loop, watched.process.pidfd, POLLIN, on_watched_end, &watched);
    assert_non_null(watched.watch);
    assert_int_equal(loop_run(watched.loop, &error), 0);
    assert_int_equal(watched.ends, 1);
    loop_destroy(watched.loop);
    close(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_is_named_is_inherited),
        cmocka_unit_test(test_environment_is_minimal),
        cmocka_unit_test(test_group_is_ended_with_it),
        cmocka_unit_test(test_daemons_are_ended_with_it),
        cmocka_unit_test(test_a_limit_of_others_is_no_mark),
        cmocka_unit_test(test_signal_ends_it),
        cmocka_unit_test(test_missing_program_is_an_error),
        cmocka_unit_test(test_low_limit_of_descriptors_is_enough),
        cmocka_unit_test(test_missing_program_is_told_in_the_background),
        cmocka_unit_test(test_watch_ends_though_another_child_has_the_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
