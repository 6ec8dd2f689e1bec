/* Crashes of many kinds, each in a child: what is left of them tells signal, place and call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/host/host.h"
#include "core/host/protocol.h"
#include "core/host/sanitizer.h"
#include "core/host/symbolize.h"

#define NOINLINE __attribute__((noinline, no_sanitize("undefined", "address")))

static volatile int *nowhere;
static void (*volatile no_function)(void);
static volatile int zero, sum;

static NOINLINE void use_null(void)
{
    *nowhere = 1;
}

static NOINLINE void call_null(void)
{
    no_function();
    sum++;
}

static NOINLINE void divide(void)
{
    sum = 1000 / zero;
}

static NOINLINE int overflow(int depth)
{
    volatile char much[4096];
    much[0] = (char)depth;
    return depth < zero ? 0 : overflow(depth + 1) + much[0];
}

static NOINLINE void exhaust(void)
{
    struct arena arena = {0};
    (void)arena_alloc(&arena, SIZE_MAX / 4);
}

static NOINLINE void use_all_memory(void)
{
    const struct rlimit limit = {64 << 20, 64 << 20};
    (void)setrlimit(RLIMIT_DATA, &limit);
    for (;;) {
        char *volatile more = malloc(1 << 20);
        more[0] = 1;
        sum += more[0];
    }
}

static void *in_thread(void *user)
{
    (void)user;
    crash_thread();
    use_null();
    return NULL;
}

static void crash_in_thread(void)
{
    pthread_t thread;
    (void)pthread_create(&thread, NULL, in_thread, NULL);
    (void)pthread_join(thread, NULL);
}

static void raise_abort(void)
{
    abort();
}

static void overflow_stack(void)
{
    sum = overflow(0);
}

/* Wait status of a child that does this; the page is left for a look. */
static int crash(struct metrics_page *page, void (*how)(void))
{
    memset(page, 0, sizeof(*page));
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        struct host_process process = {.page = page};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)alarm(20);
        crash_install(page);
        host_phase(&process, "put", "x.Sink");
        how();
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void expect(void (*how)(void), int signal, const char *headline, const char *function)
{
    struct metrics_page *page =
        mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    char text[512];
    int status = crash(page, how);
    if (signal) {
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signal);
    } else {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), HOST_EXIT_MEMORY);
    }
    assert_true(crash_headline(&page->crash, text, sizeof(text)));
    if (!strstr(text, headline)) {
        fail_msg("expected '%s' in '%s'", headline, text);
    }
    char *frames = NULL;
    assert_int_equal(symbolize_crash(HOST, &page->crash, 20000, &frames), 0);
    if (!strstr(frames, function)) {
        fail_msg("expected '%s' in\n%s", function, frames);
    }
    free(frames);
    (void)munmap(page, sizeof(*page));
}

static void a_null_pointer(void **state)
{
    (void)state;
    expect(use_null, SIGSEGV,
           "crashed in put of x.Sink: SIGSEGV at address 0x0 (a NULL pointer was used)",
           "  at use_null (test_crash.c:");
}

static void a_null_function(void **state)
{
    (void)state;
    expect(call_null, SIGSEGV, "SIGSEGV at address 0x0", "  at call_null (test_crash.c:");
}

static void a_division_by_zero(void **state)
{
    (void)state;
#if !defined(__x86_64__)
    skip(); /* other machines divide by zero without a word */
#endif
    expect(divide, SIGFPE, "SIGFPE at address", "  at divide (test_crash.c:");
}

static void an_abort(void **state)
{
    (void)state;
    expect(raise_abort, SIGABRT, "SIGABRT (abort() was called", "  at raise_abort (test_crash.c:");
}

static void a_thread(void **state)
{
    (void)state;
    expect(crash_in_thread, SIGSEGV, "SIGSEGV", "  at in_thread (test_crash.c:");
}

static void a_stack_overflow(void **state)
{
    (void)state;
    expect(overflow_stack, SIGSEGV, "SIGSEGV at address", "  at overflow (test_crash.c:");
}

static void an_exhausted_arena(void **state)
{
    (void)state;
    if (UNDER_SANITIZER) {
        skip(); /* they end the process themselves */
    }
    expect(exhaust, 0, "ran out of memory in put of x.Sink: 4611686018427387903 bytes",
           "  at exhaust (");
}

static void a_memory_limit(void **state)
{
    (void)state;
    if (UNDER_SANITIZER) {
        skip(); /* they need more memory than any limit */
    }
    expect(use_all_memory, SIGSEGV, "; memory limit of 64 MB reached (6",
           "  at use_all_memory (test_crash.c:");
}

static void no_crash_has_no_headline(void **state)
{
    (void)state;
    struct crash_record *record = calloc(1, sizeof(*record));
    char text[16] = "x", *frames = NULL;
    assert_false(crash_headline(record, text, sizeof(text)));
    assert_string_equal(text, "");
    assert_int_equal(symbolize_crash(HOST, record, 20000, &frames), -1);
    record->frame_count = CRASH_FRAMES + 1; /* not to be believed */
    record->maps_size = CRASH_MAPS;
    assert_int_equal(symbolize_crash(HOST, record, 20000, &frames), -1);
    assert_int_equal(symbolize_crash("/no/such/sluice-host", record, 20000, &frames), -1);
    free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_null_pointer),
        cmocka_unit_test(a_null_function),
        cmocka_unit_test(a_division_by_zero),
        cmocka_unit_test(an_abort),
        cmocka_unit_test(a_thread),
        cmocka_unit_test(a_stack_overflow),
        cmocka_unit_test(an_exhausted_arena),
        cmocka_unit_test(a_memory_limit),
        cmocka_unit_test(no_crash_has_no_headline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
