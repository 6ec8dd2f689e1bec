/* Values, schemas, batches: sharing, laziness, lives, and no allocation in a steady state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/data/batch.h"

static struct sluice_batch *batch;

static int set_up(void **state)
{
    (void)state;
    batch = batch_new(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    records_api.release(batch);
    return 0;
}

static const struct sluice_name *name(const char *text)
{
    return data_api.intern(text, strlen(text));
}

static struct sluice_value *json(const char *text)
{
    struct sluice_value *value = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    assert_int_equal(data_api.from_json(batch, text, strlen(text), 0, &value, &error), SLUICE_OK);
    return value;
}

static void assert_json(const struct sluice_value *value, const char *expected)
{
    struct sluice_span text = data_api.to_json(batch, value);
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static void test_reading_members(void **state)
{
    (void)state;
    struct sluice_value *value =
        json("{\"a\":1,\"b\":\"x\\n\\u0001\",\"c\":[1.5,null,true],\"d\":{\"e\":\"\\uD83D\\uDE00\"}}");
    assert_int_equal(data_api.type(value), SLUICE_MAP);
    assert_int_equal(data_api.count(value), 4);
    assert_int_equal(data_api.integer(data_api.find(value, name("a"))), 1);
    struct sluice_span text = data_api.text(data_api.find(value, name("b")));
    assert_memory_equal(text.data, "x\n\x01", 3);
    const struct sluice_value *list = data_api.find(value, name("c"));
    assert_true(data_api.real(data_api.at(list, 0)) == 1.5);
    assert_int_equal(data_api.type(data_api.at(list, 1)), SLUICE_NULL);
    assert_true(data_api.boolean(data_api.at(list, 2)));
    text = data_api.text(data_api.find(data_api.find(value, name("d")), name("e")));
    assert_int_equal(text.size, 4);
    assert_memory_equal(text.data, "\xF0\x9F\x98\x80", 4);
    assert_null(data_api.find(value, name("z")));
    text = data_api.text(data_api.key_at(value, 3));
    assert_memory_equal(text.data, "d", 1);
}

static void test_edit_leaves_the_original(void **state)
{
    (void)state;
    struct sluice_value *value = json("{\"a\":1,\"b\":{\"c\":[1,2]},\"d\":1.50}");
    struct sluice_value *copy = data_api.edit(batch, value);
    assert_ptr_not_equal(copy, value);
    assert_ptr_equal(data_api.edit(batch, copy), copy);
    data_api.put(batch, copy, name("a"), data_api.new_string(batch, "x\"y", 3));
    data_api.put(batch, copy, name("new"), data_api.new_integer(batch, SLUICE_INT8, 300));
    assert_true(data_api.remove(batch, copy, name("d")));
    assert_false(data_api.remove(batch, copy, name("d")));
    data_api.rename_at(batch, copy, 1, name("B"));
    assert_json(copy, "{\"a\":\"x\\\"y\",\"B\":{\"c\":[1,2]},\"new\":44}");
    assert_json(value, "{\"a\":1,\"b\":{\"c\":[1,2]},\"d\":1.5}");
    /* it is still writable after it was written */
    data_api.put(batch, copy, name("a"), data_api.new_null(batch));
    assert_json(copy, "{\"a\":null,\"B\":{\"c\":[1,2]},\"new\":44}");
}

static void test_members_are_read_only(void **state)
{
    (void)state;
    struct sluice_value *inner = data_api.new_map(batch, 1);
    struct sluice_value *outer = data_api.new_map(batch, 1);
    data_api.put(batch, inner, name("x"), data_api.new_boolean(batch, true));
    data_api.put(batch, outer, name("in"), inner);
    struct sluice_value *changed = data_api.edit(batch, inner);
    assert_ptr_not_equal(changed, inner);
    data_api.put(batch, changed, name("x"), data_api.new_boolean(batch, false));
    assert_json(outer, "{\"in\":{\"x\":true}}");
}

static void test_maps_with_other_keys(void **state)
{
    (void)state;
    struct sluice_value *map = data_api.new_map(batch, 0);
    data_api.put_key(batch, map, data_api.new_integer(batch, SLUICE_INT32, 1), data_api.new_string(batch, "a", 1));
    data_api.put_key(batch, map, data_api.new_integer(batch, SLUICE_INT32, 1), data_api.new_string(batch, "b", 1));
    assert_int_equal(data_api.count(map), 1);
    assert_json(map, "[[1,\"b\"]]");
}

static void test_writing_scalars(void **state)
{
    (void)state;
    assert_json(data_api.new_real(batch, SLUICE_FLOAT64, 1e7), "1.0E7");
    assert_json(data_api.new_real(batch, SLUICE_FLOAT32, (double)0.1f), "0.1");
    assert_json(data_api.new_real(batch, SLUICE_FLOAT64, 0.0 / 0.0), "\"NaN\"");
    assert_json(data_api.new_bytes(batch, "\x01\x02\xff", 3), "\"AQL/\"");
    assert_json(data_api.new_bytes(batch, "a", 1), "\"YQ==\"");
    assert_json(data_api.new_date(batch, 1000), "1000");
    assert_json(data_api.new_decimal(batch, "\x04\xD2", 2, 2), "\"BNI=\"");
    assert_json(data_api.new_string(batch, "\xF0\x9F\x98\x80\x1F", 5), "\"\\uD83D\\uDE00\\u001F\"");
    struct sluice_value *list = data_api.new_array(batch, 0);
    data_api.append(batch, list, data_api.new_decimal(batch, "\x04\xD2", 2, 2));
    assert_json(list, "[\"BNI=\"]");
}

static void assert_text(const struct sluice_value *value, const char *expected)
{
    struct sluice_span text = data_api.to_text(batch, value);
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

/* A name is looked for where the map before had it. */
static void test_names_move(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"x\":1,\"name_of_sixteen_\":2,\"a_name_of_more_than_sixteen\":3}",
                                        "{\"a_name_of_more_than_sixteen\":3,\"x\":1,\"name_of_sixteen_\":2}",
                                        "{\"name_of_sixteen_\":2}", "{}", "{\"y\":0,\"\":4,\"x\":1}"};
    const char *const names[] = {"x", "name_of_sixteen_", "a_name_of_more_than_sixteen", ""};
    for (size_t i = 0; i < 3 * 5; i++) {
        struct sluice_value *map = json(texts[i * 7 % 5]);
        for (size_t k = 0; k < 4; k++) {
            const struct sluice_value *found = data_api.find(map, name(names[k]));
            char quoted[40];
            (void)snprintf(quoted, sizeof(quoted), "\"%s\":", names[k]);
            assert_int_equal(found != NULL, strstr(texts[i * 7 % 5], quoted) != NULL);
            assert_true(!found || data_api.integer(found) == (int64_t)k + 1);
        }
    }
    assert_json(data_api.name_value(name("q\"")), "\"q\\\"\"");
    assert_text(data_api.name_value(name("q\"")), "q\"");
}

static void test_java_text(void **state)
{
    (void)state;
    assert_text(json("{\"a\":1,\"b\":[true,null,\"x\"],\"c\":1e10}"), "{a=1, b=[true, null, x], c=1.0E10}");
    /* a HashMap by its buckets, any other map as it was made; an edited one is a HashMap */
    struct sluice_value *map = json("{\"b\":1,\"a\":2,\"ab\":3}");
    assert_text(map, "{a=2, ab=3, b=1}");
    map = data_api.edit(batch, map);
    data_api.set_map_class(map, "java.util.LinkedHashMap");
    assert_text(map, "{b=1, a=2, ab=3}");
    assert_string_equal(data_api.map_class(map), "java.util.LinkedHashMap");
    map = data_api.edit(batch, map);
    assert_string_equal(data_api.map_class(map), "java.util.HashMap");
    assert_text(map, "{a=2, ab=3, b=1}");
    assert_text(data_api.new_decimal(batch, "\x04\xD2", 2, 2), "12.34");
    assert_text(data_api.new_decimal(batch, "\xFB\x2E", 2, 6), "-0.001234");
    assert_text(data_api.new_decimal(batch, "\x04\xD2", 2, -3), "1.234E+6");
    assert_text(data_api.new_decimal(batch, "\x01\x00\x00\x00\x00\x00\x00\x00\x00", 9, 0), "18446744073709551616");
    assert_text(data_api.new_date(batch, 0), "Thu Jan 01 00:00:00 UTC 1970");
}

static const struct sluice_schema *pair_schema(bool optional)
{
    const char *const names[] = {"id", "when"};
    const struct sluice_schema_spec when = {.size = sizeof(when), .type = SLUICE_INT32, .optional = true,
                                            .name = SLUICE_SCHEMA_DATE, .has_version = true, .version = 1};
    char message[100];
    const struct sluice_schema *date = data_api.schema_new(&when, message, sizeof(message));
    const struct sluice_schema *const fields[] = {data_api.schema_plain(SLUICE_INT64, false), date};
    const struct sluice_schema_spec spec = {.size = sizeof(spec), .type = SLUICE_STRUCT, .optional = optional,
                                            .name = "pair", .field_count = 2, .field_names = names,
                                            .field_schemas = fields};
    const struct sluice_schema *schema = data_api.schema_new(&spec, message, sizeof(message));
    data_api.schema_release(date);
    return schema;
}

static void test_structs_and_schemas(void **state)
{
    (void)state;
    const struct sluice_schema *schema = pair_schema(false), *same = pair_schema(false), *other = pair_schema(true);
    assert_true(data_api.schema_equal(schema, same));
    assert_false(data_api.schema_equal(schema, other));
    struct sluice_value *value = data_api.new_struct(batch, schema);
    data_api.schema_release(schema); /* the batch keeps it alive */
    data_api.schema_release(same);
    data_api.schema_release(other);
    data_api.set_at(batch, value, 0, data_api.new_integer(batch, SLUICE_INT64, 7));
    assert_json(value, "{\"id\":7,\"when\":null}");
    assert_text(value, "Struct{id=7}");
    data_api.set_at(batch, value, 1, data_api.new_date(batch, 86400000 * 3));
    assert_json(value, "{\"id\":7,\"when\":3}");
    assert_int_equal(data_api.integer(data_api.find(value, name("id"))), 7);
    assert_int_equal(data_api.schema_find(data_api.struct_schema(value), name("nope")), -1);
}

static void test_bad_schemas_are_refused(void **state)
{
    (void)state;
    char message[100] = "";
    const struct sluice_schema_spec map = {.size = sizeof(map), .type = SLUICE_MAP,
                                           .value_schema = data_api.schema_plain(SLUICE_INT8, false)};
    assert_null(data_api.schema_new(&map, message, sizeof(message)));
    assert_true(message[0] != '\0');
    const char *const names[] = {"a", "a"};
    const struct sluice_schema *const fields[] = {data_api.schema_plain(SLUICE_INT8, false),
                                                  data_api.schema_plain(SLUICE_INT8, false)};
    const struct sluice_schema_spec twice = {.size = sizeof(twice), .type = SLUICE_STRUCT, .field_count = 2,
                                             .field_names = names, .field_schemas = fields};
    assert_null(data_api.schema_new(&twice, message, sizeof(message)));
    assert_string_equal(message, "Cannot create field because of field name duplication a");
}

static void test_large_maps(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct sluice_value *map = data_api.new_map(batch, 0), *numbers = data_api.new_map(batch, 0);
    char text[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            int size = snprintf(text, sizeof(text), "key %d", i);
            const struct sluice_value *value = data_api.new_integer(batch, SLUICE_INT32, i + round);
            data_api.put_key(batch, map, data_api.new_string(batch, text, (size_t)size), value);
            data_api.put_key(batch, numbers, data_api.new_integer(batch, SLUICE_INT32, i), value);
        }
    }
    assert_int_equal(data_api.count(map), COUNT);
    assert_int_equal(data_api.count(numbers), COUNT);
    assert_int_equal(data_api.integer(data_api.find(map, name("key 777"))), 778);
    assert_true(data_api.equal(map, data_api.copy(batch, map)));
    assert_true(data_api.equal(numbers, data_api.copy(batch, numbers)));
    assert_true(data_api.remove(batch, map, name("key 777")));
    assert_null(data_api.find(map, name("key 777")));
    data_api.rename_at(batch, map, 0, name("renamed"));
    assert_int_equal(data_api.integer(data_api.find(map, name("renamed"))), 1);
    assert_null(data_api.find(map, name("key 0")));
    assert_int_equal(data_api.integer(data_api.find(map, name("key 778"))), 779);
}

/* A schema's default belongs to all batches: what one batch wrote of it shall not stay in it. */
static void test_defaults_are_written_by_each_batch(void **state)
{
    (void)state;
    struct sluice_schema_spec spec = {.size = sizeof(spec), .type = SLUICE_INT32, .optional = true,
                                      .default_value = data_api.new_integer(batch, SLUICE_INT32, 12345)};
    char message[100];
    const struct sluice_schema *schema = data_api.schema_new(&spec, message, sizeof(message));
    for (int i = 0; i < 2; i++) {
        struct sluice_batch *other = batch_new(NULL);
        struct sluice_span json = data_api.to_json(other, data_api.schema_default(schema));
        assert_int_equal(json.size, 5);
        assert_memory_equal(json.data, "12345", 5);
        records_api.release(other);
    }
    data_api.schema_release(schema);
}

static void test_one_date_under_two_schemas(void **state)
{
    (void)state;
    const struct sluice_schema *schema = pair_schema(false);
    const struct sluice_value *date = data_api.new_date(batch, 86400000 * 3);
    struct sluice_value *value = data_api.new_struct(batch, schema);
    data_api.schema_release(schema);
    data_api.set_at(batch, value, 1, date);
    assert_json(value, "{\"id\":null,\"when\":3}");
    assert_json(date, "259200000");
    assert_ptr_equal(data_api.first_logical(value), value);
    struct sluice_value *list = data_api.new_array(batch, 1);
    assert_null(data_api.first_logical(list));
    data_api.append(batch, list, date);
    assert_ptr_equal(data_api.first_logical(list), date);
}

static void test_equality(void **state)
{
    (void)state;
    assert_true(data_api.equal(json("{\"a\":1,\"b\":[1.5]}"), json("{\"b\":[1.5],\"a\":1}")));
    assert_false(data_api.equal(json("{\"a\":1}"), json("{\"a\":1.0}")));
    assert_true(data_api.equal(NULL, json("null")));
    assert_false(data_api.equal(data_api.new_integer(batch, SLUICE_INT8, 1),
                                data_api.new_integer(batch, SLUICE_INT16, 1)));
}

static void test_records_save_and_restore(void **state)
{
    (void)state;
    struct sluice_record *record = batch_add_sink(batch, "t", 3, 42, 1000, SLUICE_TIMESTAMP_CREATE,
                                                  (struct sluice_span){"k", 1}, (struct sluice_span){NULL, 0});
    records_api.header_add(record, "h", NULL, json("1"));
    struct record_state before;
    record_save(record, &before);
    records_api.set_topic(record, "other");
    records_api.header_remove(record, "h");
    records_api.set_value(record, NULL, json("{}"));
    assert_string_equal(records_api.original_topic(record), "t");
    record_restore(record, &before);
    assert_string_equal(records_api.topic(record), "t");
    assert_int_equal(records_api.header_count(record), 1);
    assert_null(records_api.value(record));
    for (int i = 0; i < 5; i++) {
        (void)batch_add_sink(batch, "t", 3, 43 + i, 0, SLUICE_TIMESTAMP_NONE, (struct sluice_span){NULL, 0},
                             (struct sluice_span){NULL, 0});
    }
    const unsigned char keep[] = {1, 0, 1, 0, 0, 1};
    batch_keep(batch, keep);
    assert_int_equal(records_api.count(batch), 3);
    assert_int_equal(records_api.offset(records_api.at(batch, 2)), 47);
}

/* Who looks at topics record by record tells neighbours of one topic by the address. */
static void test_neighbours_share_their_topic(void **state)
{
    (void)state;
    struct batch_pool *pool = batch_pool_create(1, 1 << 16);
    char text[8] = "a"; /* the caller's, and used again */
    for (int turn = 0; turn < 2; turn++) {
        struct sluice_batch *mine = batch_new(pool);
        const char *first = records_api.topic(records_api.add(mine, strcpy(text, "a")));
        assert_ptr_not_equal(first, text);
        assert_ptr_equal(records_api.topic(records_api.add(mine, text)), first);
        const char *other = records_api.topic(records_api.add(mine, strcpy(text, "b")));
        assert_string_equal(other, "b");
        assert_string_equal(records_api.topic(records_api.add(mine, strcpy(text, "a"))), "a");
        (void)records_api.add(mine, NULL);
        assert_string_equal(records_api.topic(records_api.add(mine, text)), "a");
        assert_string_equal(first, "a");
        records_api.release(mine); /* and what the next one adds is its own */
        text[0] = 'x';
    }
    batch_pool_destroy(pool);
}

static int released;

static void on_release(void *user)
{
    released += *(int *)user;
}

static void test_last_release_tells(void **state)
{
    (void)state;
    struct batch_pool *pool = batch_pool_create(2, 1 << 16);
    struct sluice_batch *mine = batch_new(pool);
    int one = 1;
    batch_on_release(mine, on_release, &one);
    records_api.retain(mine);
    batch_pool_destroy(pool); /* batches that are out keep it alive */
    records_api.release(mine);
    assert_int_equal(released, 0);
    records_api.release(mine);
    assert_int_equal(released, 1);
}

/* -- allocations: malloc is counted by interposition -- */

extern void *__libc_malloc(size_t size);
static size_t mallocs;
static int counting;

#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#if !SANITIZED
void *malloc(size_t size)
{
    mallocs += (size_t)counting;
    return __libc_malloc(size);
}
#define CAN_COUNT 1
#else
#define CAN_COUNT 0
#endif

static void round_trip(struct batch_pool *pool, const char *text, size_t size)
{
    struct sluice_batch *b = batch_new(pool);
    for (int i = 0; i < 500; i++) {
        struct sluice_record *record = batch_add_sink(b, "t", 0, i, 0, SLUICE_TIMESTAMP_NONE,
                                                      (struct sluice_span){NULL, 0},
                                                      (struct sluice_span){text, size});
        struct sluice_value *value = NULL;
        struct sluice_json_error error = {.size = sizeof(error)};
        if (data_api.from_json(b, text, size, 0, &value, &error) != SLUICE_OK) {
            abort();
        }
        struct sluice_value *edited = data_api.edit(b, value);
        data_api.put(b, edited, name("title"), data_api.new_string(b, "t", 1));
        records_api.set_value(record, NULL, edited);
        (void)data_api.to_json(b, edited);
    }
    records_api.release(b);
}

static void test_steady_state_allocates_nothing(void **state)
{
    (void)state;
    if (!CAN_COUNT) {
        skip();
    }
    static const char text[] = "{\"index\":1,\"title\":\"x\",\"list\":[1,2,{\"a\":null}],\"d\":1.5}";
    struct batch_pool *pool = batch_pool_create(4, 4 << 20);
    round_trip(pool, text, sizeof(text) - 1);
    round_trip(pool, text, sizeof(text) - 1);
    mallocs = 0;
    counting = 1;
    for (int i = 0; i < 10; i++) {
        round_trip(pool, text, sizeof(text) - 1);
    }
    counting = 0;
    assert_int_equal(mallocs, 0);
    batch_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reading_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_edit_leaves_the_original, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_members_are_read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_maps_with_other_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writing_scalars, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_java_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_move, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_structs_and_schemas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_schemas_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_maps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_defaults_are_written_by_each_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_date_under_two_schemas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_equality, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_records_save_and_restore, set_up, tear_down),
        cmocka_unit_test(test_neighbours_share_their_topic),
        cmocka_unit_test(test_last_release_tells),
        cmocka_unit_test(test_steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
