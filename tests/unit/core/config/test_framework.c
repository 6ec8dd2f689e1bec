/* The framework's tables, checks across keys, and near names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/config/framework.h"

struct checked {
    struct properties properties;
    struct framework_tables tables;
    struct config_report report;
};

static void check(struct checked *checked, bool sink, const char *text)
{
    struct error error = {0};
    *checked = (struct checked){0};
    assert_int_equal(properties_load(&checked->properties, text, strlen(text), "test", &error), 0);
    framework_tables_init(&checked->tables, &checked->properties, sink);
    config_validate(checked->tables.tables, &checked->properties, &checked->report);
    framework_check_connector(&checked->properties, NULL, sink, &checked->report);
}

static void finish(struct checked *checked)
{
    config_report_finish(&checked->report);
    framework_tables_finish(&checked->tables);
    properties_finish(&checked->properties);
}

static const char *first_error(const struct checked *checked, const char *name)
{
    for (size_t i = 0; i < checked->report.count; i++) {
        const struct config_value *value = &checked->report.values[i];
        if (strcmp(value->name, name) == 0) {
            return value->error_count ? value->errors[0] : NULL;
        }
    }
    fail_msg("%s is not in the report", name);
    return NULL;
}

static void test_good_sink(void **state)
{
    (void)state;
    struct checked checked;
    check(&checked, true,
          "name=s\nconnector.class=S3Sink\ntopics.regex=a.*\ntransforms=x\n"
          "transforms.x.type=RegexRouter\nunknown=1");
    assert_int_equal(checked.report.error_count, 0);
    assert_string_equal(checked.report.values[0].name, "name");
    assert_string_equal(checked.report.values[20].name, "transforms.x.type");
    assert_string_equal(checked.report.values[20].option->group, "Transforms: x");
    finish(&checked);
}

static void test_sink_errors(void **state)
{
    (void)state;
    struct checked checked;
    check(&checked, true,
          "tasks.max=0\ntopics=a\ntopics.regex=b\ntransforms=x,y,x\n"
          "transforms.y.type=T\ntransforms.y.negate=true\nname=a\\tb\n"
          "errors.deadletterqueue.topic.name=a");
    assert_string_equal(first_error(&checked, "connector.class"),
                        "Missing required configuration \"connector.class\" which has no default "
                        "value.");
    assert_string_equal(first_error(&checked, "name"),
                        "Invalid value a\tb for configuration name: String may not contain control "
                        "sequences but had the following ASCII chars: 9");
    assert_string_equal(first_error(&checked, "tasks.max"),
                        "Invalid value 0 for configuration tasks.max: Value must be at least 1");
    assert_string_equal(
        first_error(&checked, "topics.regex"),
        "topics and topics.regex are mutually exclusive options, but both are set.");
    assert_string_equal(first_error(&checked, "transforms"),
                        "Invalid value [x, y, x] for configuration transforms: Duplicate alias "
                        "provided.");
    assert_string_equal(first_error(&checked, "transforms.x.type"),
                        "Missing required configuration \"transforms.x.type\" which has no default "
                        "value.");
    assert_string_equal(first_error(&checked, "transforms.y.type"),
                        "Config 'transforms.y.negate' was provided but there is no config "
                        "'transforms.y.predicate' defining a predicate to be negated.");
    assert_int_equal(checked.report.error_count, 9);
    finish(&checked);

    check(&checked, true, "name=\nerrors.deadletterqueue.topic.name=dead\ntopics.regex=d.*");
    assert_string_equal(first_error(&checked, "name"),
                        "Invalid value  for configuration name: String may not be empty");
    assert_string_equal(first_error(&checked, "topics.regex"),
                        "The DLQ topic 'dead' may not be matched by the regex for the topics "
                        "('topics.regex=d.*') consumed by the connector");
    finish(&checked);
}

static void test_negate_with_nulls(void **state)
{
    (void)state;
    static const struct {
        const char *text, *null;
        bool bad;
    } cases[] = {
        {"transforms=x\ntransforms.x.negate=true", "transforms.x.predicate", false},
        {"transforms=x", "transforms.x.negate", true},
        {"transforms=x\ntransforms.x.predicate=p", "transforms.x.negate", false},
        {"transforms=x\ntransforms.x.negate=true", "transforms.y.predicate", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct properties properties = {0}, nulls = {0};
        struct config_report report = {0};
        struct error error = {0};
        assert_int_equal(properties_load(&properties, cases[i].text, strlen(cases[i].text), "test",
                                         &error),
                         0);
        properties_set(&nulls, cases[i].null, "");
        framework_check_connector(&properties, &nulls, false, &report);
        assert_int_equal(report.error_count, cases[i].bad);
        config_report_finish(&report);
        properties_finish(&properties);
        properties_finish(&nulls);
    }
}

static void test_dead_letters_that_throw(void **state)
{
    (void)state;
    static const struct {
        const char *text, *null, *java_class, *message;
    } cases[] = {
        {"topics.regex=(", "topics", NULL, NULL}, /* reported, as without a dead letter queue */
        {"topics.regex=(\nerrors.deadletterqueue.topic.name=\\ ", "topics", NULL, NULL},
        {"topics.regex=(\nerrors.deadletterqueue.topic.name=d", "topics",
         "java.util.regex.PatternSyntaxException", "Unclosed group near index 1\n("},
        {"topics=t", "errors.deadletterqueue.topic.name", "java.lang.NullPointerException",
         "errors.deadletterqueue.topic.name is null: give a name, or leave the key out"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct properties properties = {0}, nulls = {0};
        struct error error = {0};
        assert_int_equal(
            properties_load(&properties, cases[i].text, strlen(cases[i].text), "test", &error), 0);
        properties_set(&nulls, cases[i].null, "");
        int result = framework_check_dead_letters(&properties, &nulls, &error);
        assert_int_equal(result, cases[i].message ? -1 : 0);
        if (cases[i].message) {
            assert_string_equal(error.java_class, cases[i].java_class);
            assert_string_equal(error.message, cases[i].message);
        }
        error_clear(&error);
        properties_finish(&properties);
        properties_finish(&nulls);
    }
}

static void test_source(void **state)
{
    (void)state;
    struct checked checked;
    check(&checked, false, "name=s\nconnector.class=c\ntransaction.boundary.interval.ms=-1");
    assert_string_equal(
        first_error(&checked, "transaction.boundary.interval.ms"),
        "Invalid value -1 for configuration transaction.boundary.interval.ms: Value "
        "must be at least 0");
    assert_int_equal(checked.report.error_count, 1);
    finish(&checked);
}

static void test_items(void **state)
{
    (void)state;
    const char *next = " a , b,,";
    struct framework_item item;
    size_t sizes[4] = {1, 1, 0, 0}, count = 0;
    while (framework_next_item(&next, &item)) {
        assert_true(count < 4);
        assert_int_equal(item.size, sizes[count++]);
    }
    assert_int_equal(count, 4);
}

static void test_near_names(void **state)
{
    (void)state;
    const struct sluice_option *const tables[] = {framework_connector, framework_sink, NULL};
    assert_string_equal(framework_nearest("task.max", tables), "tasks.max");
    assert_string_equal(framework_nearest("topcis", tables), "topics");
    assert_string_equal(framework_nearest("errors.tolerence", tables), "errors.tolerance");
    assert_null(framework_nearest("flush.size", tables));
    assert_null(framework_nearest("", tables));
}

static void test_worker_tables_agree_with_themselves(void **state)
{
    (void)state;
    const struct sluice_option *const all[] = {framework_worker, framework_standalone,
                                               framework_distributed, framework_secrets, NULL};
    struct properties properties = {0};
    properties_set(&properties, "key.converter", "k");
    properties_set(&properties, "value.converter", "v");
    properties_set(&properties, "offset.storage.file.filename", "f");
    properties_set(&properties, "group.id", "g");
    properties_set(&properties, "config.storage.topic", "c");
    properties_set(&properties, "offset.storage.topic", "o");
    properties_set(&properties, "status.storage.topic", "s");
    struct config_report report;
    config_validate(all, &properties, &report); /* every default passes its own validator */
    assert_int_equal(report.error_count, 0);
    config_report_finish(&report);
    properties_finish(&properties);
    assert_int_equal(config_find_option(all, "producer.sasl.jaas.config")->type,
                     SLUICE_OPTION_PASSWORD);
    assert_string_equal(config_find_option(all, "producer.acks")->name, "producer.*");
    assert_int_equal(config_find_option(all, "sasl.jaas.config")->type, SLUICE_OPTION_PASSWORD);
    assert_int_equal(config_find_option(all, "listeners.https.ssl.keystore.password")->type,
                     SLUICE_OPTION_PASSWORD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_sink),
        cmocka_unit_test(test_sink_errors),
        cmocka_unit_test(test_negate_with_nulls),
        cmocka_unit_test(test_dead_letters_that_throw),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_near_names),
        cmocka_unit_test(test_worker_tables_agree_with_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
