/* Arena and buffer: what they promise at their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "lib/util/buffer.h"

/* Sanitizers end a program that asks for so much; here the answer is what is tested. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_arena_aligns_and_keeps_apart(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *blocks[200];
    for (size_t i = 0; i < 200; i++) {
        blocks[i] = arena_alloc(&arena, i * 37);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i, i * 37);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t k = 0; k < i * 37; k++) {
            assert_int_equal((unsigned char)blocks[i][k], i);
        }
    }
    assert_string_equal(arena_strdup(&arena, "text"), "text");
    assert_memory_equal(arena_copy(&arena, "a\0b", 3), "a\0b", 3);
    arena_finish(&arena);
    arena_finish(&arena);
}

static void test_arena_allocates_nothing_in_steady_state(void **state)
{
    (void)state;
    struct arena arena = {0};
    (void)arena_alloc(&arena, 100000);
    arena_reset(&arena, 1 << 20);
    size_t held = arena.held;
    for (int i = 0; i < 100; i++) {
        (void)arena_alloc(&arena, 50000);
        (void)arena_alloc(&arena, 40000);
        arena_reset(&arena, 1 << 20);
        assert_true(arena.held <= held + 200000);
    }
    arena_reset(&arena, 0);
    assert_int_equal(arena.held, 0);
    arena_finish(&arena);
}

static jmp_buf out_of_memory;
static size_t wanted_size;

static void on_exhaustion(size_t wanted)
{
    wanted_size = wanted;
    longjmp(out_of_memory, 1);
}

static void test_arena_tells_when_memory_is_out(void **state)
{
    (void)state;
    struct arena arena = {0};
    arena_on_exhaustion(on_exhaustion);
    if (setjmp(out_of_memory) == 0) {
        (void)arena_alloc(&arena, SIZE_MAX - 100);
        fail_msg("so much memory cannot be there");
    }
    assert_true(wanted_size >= SIZE_MAX - 100);
    arena_on_exhaustion(NULL);
    arena_finish(&arena);
}

static void test_buffer_is_capped_and_keeps_failing(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 10);
    assert_int_equal(buffer_append_text(&buffer, "12345"), 0);
    assert_int_equal(buffer_printf(&buffer, "%d", 678901), -1);
    assert_string_equal(buffer.data, "12345");
    assert_true(buffer.failed);
    assert_int_equal(buffer_append_char(&buffer, 'x'), -1);
    assert_null(buffer_take(&buffer));
    buffer_reset(&buffer);
    assert_int_equal(buffer_append(&buffer, "1234567890", 10), 0);
    buffer_consume(&buffer, 4);
    assert_string_equal(buffer.data, "567890");
    char *text = buffer_take(&buffer);
    assert_string_equal(text, "567890");
    free(text);
    assert_int_equal(buffer.size, 0);
    buffer_finish(&buffer);
    buffer_finish(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_aligns_and_keeps_apart),
        cmocka_unit_test(test_arena_allocates_nothing_in_steady_state),
        cmocka_unit_test(test_arena_tells_when_memory_is_out),
        cmocka_unit_test(test_buffer_is_capped_and_keeps_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
