/* The chain: order, predicates, drops, errors, and that a steady state allocates nothing. */
#include "tests/unit/plugins/transforms/chains.h"

#define PREDICATES "org.apache.kafka.connect.transforms.predicates."
#define TRANSFORMS "org.apache.kafka.connect.transforms."

static void expect(const char *properties, const char *topic, const char *input,
                   const char *expected)
{
    struct error error = {0};
    struct chain *chain = make_chain(properties, &error);
    if (!chain) {
        fail_msg("%s: %s", properties, error.message);
    }
    char *got = outcome(chain, topic, input);
    assert_string_equal(got, expected);
    free(got);
    chain_destroy(chain);
}

static void test_order_and_predicates(void **state)
{
    (void)state;
    static const char chain[] =
        "transforms= a , b\n"
        "transforms.a.type=ReplaceField$Value\ntransforms.a.renames=x:y\n"
        "transforms.b.type=ReplaceField$Value\ntransforms.b.renames=y:z\n"
        "transforms.b.predicate=pin\n"
        "predicates=pin\npredicates.pin.type=TopicNameMatches\npredicates.pin.pattern=.*pin\n";
    expect(chain, "a.pin", "{\"x\":1}", "{\"z\":1}");
    expect(chain, "a.geo", "{\"x\":1}", "{\"y\":1}");
}

static void test_negate(void **state)
{
    (void)state;
    static const char chain[] = "transforms=f\ntransforms.f.type=" TRANSFORMS "Filter\n"
                                "transforms.f.predicate=t\ntransforms.f.negate=TRUE\n"
                                "predicates=t\npredicates.t.type=" PREDICATES "RecordIsTombstone\n";
    expect(chain, "t", "{\"x\":1}", "(dropped)");
    expect(chain, "t", "null", "null");
}

static void test_drop_ends_the_chain(void **state)
{
    (void)state;
    expect("transforms=f,c\ntransforms.f.type=Filter\ntransforms.c.type=Cast$Value\n"
           "transforms.c.spec=x:int8\n",
           "t", "{\"x\":\"bad\"}", "(dropped)");
}

static void test_error_names_the_class(void **state)
{
    (void)state;
    struct error error = {0};
    struct chain *chain = make_chain("transforms=o,c\ntransforms.o.type=TrimText$Value\n"
                                     "transforms.c.type=Cast$Value\ntransforms.c.spec=x:int8\n",
                                     &error);
    assert_non_null(chain);
    struct sluice_batch *batch = batch_new(NULL);
    const char *class_name = NULL;
    enum sluice_result result =
        chain_apply(chain, sink_record(batch, "t", "{\"x\":\"bad\"}"), &class_name);
    assert_int_equal(result, SLUICE_BAD_RECORD);
    assert_string_equal(class_name, TRANSFORMS "Cast$Value");
    struct plugin_failure failure;
    chain_failure_take(chain, result, &failure);
    assert_string_equal(failure.error.message,
                        "Value (bad) was out of range for requested data type");
    error_clear(&failure.error);
    assert_int_equal(chain_count(chain), 2);
    assert_string_equal(chain_alias(chain, 1), "c");
    records_api.release(batch);
    chain_destroy(chain);
}

static void test_bad_configurations(void **state)
{
    (void)state;
    static const struct {
        const char *properties, *message;
    } cases[] = {
        {"transforms=a",
         "Missing required configuration \"transforms.a.type\" which has no default value."},
        {"transforms=a,a\ntransforms.a.type=Filter",
         "Invalid value [a, a] for configuration transforms: Duplicate alias provided."},
        {"transforms=a\ntransforms.a.type=Filter\ntransforms.a.negate=true",
         "Config 'transforms.a.negate' was provided but there is no config "
         "'transforms.a.predicate' "
         "defining a predicate to be negated."},
        {"transforms=a\ntransforms.a.type=Filter\ntransforms.a.negate=x\ntransforms.a.predicate=p",
         "Invalid value x for configuration transforms.a.negate: Expected value to be either true "
         "or "
         "false"},
        {"transforms=a\ntransforms.a.type=Filter\ntransforms.a.predicate=p",
         "org.apache.kafka.common.config.ConfigException: Unknown configuration 'predicates.p.type'"},
        {"transforms=a\ntransforms.a.type=Filter\ntransforms.a.predicate=",
         "org.apache.kafka.common.config.ConfigException: Unknown configuration 'predicates..type'"},
        {"transforms=a\ntransforms.a.type=Cast$Value\ntransforms.a.spec=x:y:z",
         "Invalid value [x:y:z] for configuration renames: Invalid rename mapping: x:y:z"},
        {"transforms=a\ntransforms.a.type=Cast$Value\ntransforms.a.spec=x:y:z\n"
         "transforms.a.predicate=p", /* the transform is set up before its predicate is looked for */
         "Invalid value [x:y:z] for configuration renames: Invalid rename mapping: x:y:z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error error = {0};
        assert_null(make_chain(cases[i].properties, &error));
        assert_string_equal(error.message, cases[i].message);
        error_clear(&error);
    }
    struct error error = {0};
    assert_null(make_chain("transforms=a\ntransforms.a.type=NoSuch", &error));
    assert_non_null(strstr(error.message, "NoSuch"));
    error_clear(&error);
}

static void test_no_transforms_is_no_chain(void **state)
{
    (void)state;
    struct error error = {0};
    assert_null(make_chain("transforms=\n", &error));
    assert_int_equal(error.code, ERROR_NONE);
    assert_int_equal(chain_apply(NULL, NULL, NULL), SLUICE_OK);
    assert_int_equal(chain_count(NULL), 0);
    chain_destroy(NULL);
}

/* -- allocations: malloc is counted by interposition -- */

static size_t mallocs;
static int counting;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
void *malloc(size_t size)
{
    mallocs += (size_t)counting;
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
    mallocs += (size_t)counting;
    return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size)
{
    mallocs += (size_t)counting;
    return __libc_realloc(memory, size);
}
#define CAN_COUNT 1
#else
#define CAN_COUNT 0
#endif

static void run_batch(struct chain *chain, struct batch_pool *pool)
{
    static const char pin[] =
        "{\"index\":1,\"title\":\"Untitled\",\"follower_count\":\"136k\",\"save_location\":"
        "\"Local save in /data/art\",\"downloaded\":1,\"when\":\"2020-01-02 03:04:05\"}";
    struct sluice_batch *batch = batch_new(pool);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(chain_apply(chain, sink_record(batch, "pin", pin), NULL), SLUICE_OK);
    }
    records_api.release(batch);
}

static void test_steady_state_allocates_nothing(void **state)
{
    (void)state;
    if (!CAN_COUNT) {
        skip();
    }
    struct error error = {0};
    struct chain *chain = make_chain(
        "transforms=r,n,e,s,t,c,g,o\n"
        "transforms.r.type=ReplaceField$Value\ntransforms.r.renames=index:ind\n"
        "transforms.n.type=NullValues$Value\ntransforms.n.values=Untitled\n"
        "transforms.e.type=ExpandSuffix$Value\ntransforms.e.fields=follower_count\n"
        "transforms.s.type=ReplaceText$Value\ntransforms.s.fields=save_location\n"
        "transforms.s.regex=^Local save in[ ]\n"
        "transforms.t.type=ParseTime$Value\ntransforms.t.fields=when\n"
        "transforms.t.formats=yyyy-MM-dd'T'HH:mm:ss,yyyy-MM-dd HH:mm:ss\n"
        "transforms.c.type=ConvertFields$Value\ntransforms.c.spec=ind:int64,downloaded:boolean\n"
        "transforms.g.type=ConcatFields$Value\ntransforms.g.fields=when,save_location\n"
        "transforms.g.target=both\n"
        "transforms.o.type=OrderFields$Value\ntransforms.o.fields=ind,title\n"
        "transforms.o.predicate=pin\n"
        "predicates=pin\npredicates.pin.type=TopicNameMatches\npredicates.pin.pattern=p.*\n",
        &error);
    assert_non_null(chain);
    struct batch_pool *pool = batch_pool_create(2, (size_t)4 << 20);
    run_batch(chain, pool);
    run_batch(chain, pool);
    mallocs = 0;
    counting = 1;
    run_batch(chain, pool);
    run_batch(chain, pool);
    counting = 0;
    assert_int_equal(mallocs, 0);
    batch_pool_destroy(pool);
    chain_destroy(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_predicates),
        cmocka_unit_test(test_negate),
        cmocka_unit_test(test_drop_ends_the_chain),
        cmocka_unit_test(test_error_names_the_class),
        cmocka_unit_test(test_bad_configurations),
        cmocka_unit_test(test_no_transforms_is_no_chain),
        cmocka_unit_test(test_steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, load_plugins, unload_plugins);
}
