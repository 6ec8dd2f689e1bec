/* Which source offsets may be stored, and what is forgotten once they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/host/source_offsets.h"

static struct batch_pool *pool;
static struct source_offsets *offsets;

static int set_up(void **state)
{
    (void)state;
    pool = batch_pool_create(4, 1 << 20);
    offsets = source_offsets_create();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    source_offsets_destroy(offsets);
    batch_pool_destroy(pool);
    return 0;
}

static struct submitted *submit(const char *file, size_t size, int64_t line)
{
    struct sluice_batch *batch = batch_new(pool);
    struct sluice_record *record = records_api.add(batch, "t");
    struct sluice_value *partition = data_api.new_map(batch, 1), *offset = data_api.new_map(batch, 1);
    data_api.put(batch, partition, data_api.intern("file", 4),
                 data_api.new_string(batch, file, size));
    data_api.put(batch, offset, data_api.intern("line", 4),
                 data_api.new_integer(batch, SLUICE_INT64, line));
    records_api.set_source(record, partition, offset);
    struct submitted *submitted = source_offsets_submit(offsets, record);
    records_api.release(batch);
    return submitted;
}

static void assert_taken(const char *expected)
{
    json_t *list = source_offsets_take(offsets);
    char *text = list ? json_dumps(list, JSON_COMPACT) : strdup("null");
    assert_string_equal(text, expected);
    free(text);
    json_decref(list);
}

/* invariant 1: an offset counts when all before it of its partition are delivered */
static void test_offsets_count_in_order(void **state)
{
    (void)state;
    struct submitted *a = submit("f", 1, 1), *b = submit("f", 1, 2), *c = submit("f", 1, 3);
    source_offsets_done(offsets, b);
    assert_taken("null");
    source_offsets_done(offsets, a);
    assert_taken("[[{\"file\":\"f\"},{\"line\":2}]]");
    source_offsets_done(offsets, c);
    assert_taken("[[{\"file\":\"f\"},{\"line\":3}]]");
    source_offsets_untake(offsets);
    assert_taken("[[{\"file\":\"f\"},{\"line\":3}]]");
    assert_taken("null");
}

static void test_any_text_is_stored(void **state)
{
    (void)state;
    source_offsets_done(offsets, submit("a\0b", 3, 1));
    assert_taken("[[{\"file\":\"a\\u0000b\"},{\"line\":1}]]");
}

/* invariant 5: a source may have a partition a file, for ever; and one message holds so many */
static void test_partitions_are_forgotten(void **state)
{
    (void)state;
    enum { PARTITIONS = 60000, NAME = 128 };
    size_t stored = 0, takes = 0;
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < PARTITIONS; i++) {
        char name[NAME + 1];
        (void)snprintf(name, sizeof(name), "%0*d", NAME, i);
        source_offsets_done(offsets, submit(name, NAME, 1));
    }
    json_t *list;
    while ((list = source_offsets_take(offsets))) {
        stored += json_array_size(list);
        takes++;
        char *text = json_dumps(list, JSON_COMPACT);
        assert_true(strlen(text) < 8 << 20); /* what a control message holds is 16 MiB */
        free(text);
        json_decref(list);
    }
    assert_int_equal(stored, PARTITIONS);
    assert_true(takes > 1);
    assert_true(mallinfo2().uordblks < before + (4 << 20)); /* of more than 10 MB */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_offsets_count_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_any_text_is_stored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_partitions_are_forgotten, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
