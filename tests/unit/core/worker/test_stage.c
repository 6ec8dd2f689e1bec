/* The words of a request that timed out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/worker/stage.h"

static void says(const struct stage *stage, const char *expected)
{
    char *text = stage_timed_out(stage);
    assert_string_equal(text, expected);
    free(text);
}

static void test_words_are_connects(void **state)
{
    (void)state;
    struct stage stage = {0};
    stage_complete(&stage); /* none: nothing to complete */
    says(&stage, "Request timed out");
    stage_begin(&stage, "looking");
    assert_true(stage.began > 1700000000000 && stage.completed == 0);
    stage.began = 1700000000000;
    says(&stage, "Request timed out. The worker is currently looking, which began at "
                 "2023-11-14T22:13:20Z.");
    stage_complete(&stage);
    assert_true(stage.completed >= stage.began);
    stage.completed = 1700000000007;
    stage_complete(&stage); /* only the first counts */
    says(&stage, "Request timed out. The last operation the worker completed was looking, which began "
                 "at 2023-11-14T22:13:20Z and completed at 2023-11-14T22:13:20.007Z.");
}

static void test_validation_ends_with_the_clients_overrides(void **state)
{
    (void)state;
    struct stage stage = {0};
    json_t *config = json_pack("{s:s}", "topic.creation.default.partitions", "1");
    stage_validation_begin(&stage);
    assert_string_equal(stage.description, "performing multi-property validation for the connector");
    assert_true(stage.completed == 0);
    stage_validation_complete(&stage, false, config);
    assert_string_equal(stage.description, "validating admin config overrides for the connector");
    assert_true(stage.completed > 0);
    stage_validation_complete(&stage, true, config);
    assert_string_equal(stage.description, "validating consumer config overrides for the connector");
    json_object_clear(config);
    stage_validation_complete(&stage, false, config);
    assert_string_equal(stage.description, "validating producer config overrides for the connector");
    json_decref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_connects),
        cmocka_unit_test(test_validation_ends_with_the_clients_overrides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
