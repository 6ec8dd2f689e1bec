/* The cleaning transforms on JSON values: one table of configuration, input and outcome. */
#include "tests/unit/plugins/transforms/chains.h"

struct test_case {
    const char *step; /* type and options of a chain with the one step x */
    const char *input, *output;
};

#define T(name) "transforms=x\ntransforms.x.type=" name "$Value\n"
#define P(key, value)                                                                              \
    "transforms.x.predicate=p\npredicates=p\npredicates.p." key "=" value                          \
    "\npredicates.p.type=sluice.predicates.FieldMatches$Value\n"
#define O(key, value) "transforms.x." key "=" value "\n"

static const struct test_case cases[] = {
    /* NullValues */
    {T("NullValues"), "{\"a\":\"\",\"b\":\" \",\"c\":0}", "{\"a\":null,\"b\":\" \",\"c\":0}"},
    {T("NullValues") O("values", "N,o, none "),
     "{\"a\":\"N\",\"b\":\"o\",\"c\":\" none\",\"d\":\"none\"}",
     "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"none\"}"},
    {T("NullValues") O("values", "N,o,|x") O("values.separator", "|"),
     "{\"a\":\"N,o,\",\"b\":\"x\",\"c\":\"X\"}", "{\"a\":null,\"b\":null,\"c\":\"X\"}"},
    {T("NullValues") O("fields", "b") O("regex", "n/?a") O("empty", "false"),
     "{\"a\":\"na\",\"b\":\"n/a\",\"c\":\"\"}", "{\"a\":\"na\",\"b\":null,\"c\":\"\"}"},
    {T("NullValues") O("fields", "b"), "{\"a\":\"\"}", "{\"a\":\"\"}"},
    {T("NullValues"), "null", "null"},
    {T("NullValues"), "[1]",
     "DataException: Only Map objects supported in absence of schema for [nulling values], found: "
     "java.util.ArrayList"},
    /* ReplaceText */
    {T("ReplaceText") O("regex", "^Local save in[ ]") O("fields", "p"),
     "{\"p\":\"Local save in /data\",\"q\":\"Local save in x\"}",
     "{\"p\":\"/data\",\"q\":\"Local save in x\"}"},
    {T("ReplaceText") O("regex", "^a\\\\.b"), "{\"p\":\"a.bc\",\"q\":\"axb\",\"r\":\"za.b\"}",
     "{\"p\":\"c\",\"q\":\"axb\",\"r\":\"za.b\"}"},
    {T("ReplaceText") O("regex", "^\\\\Q(x) \\\\E"), "{\"p\":\"(x) y\"}", "{\"p\":\"y\"}"},
    {T("ReplaceText") O("regex", "^ab*"), "{\"p\":\"abbc\"}", "{\"p\":\"c\"}"},
    {T("ReplaceText") O("regex", "([0-9]+)") O("replacement", "<$1>"), "{\"p\":\"a1b22\",\"n\":7}",
     "{\"p\":\"a<1>b<22>\",\"n\":7}"},
    {T("ReplaceText") O("regex", "[0-9]") O("replacement", "#") O("all", "false"),
     "{\"p\":\"1 2\"}", "{\"p\":\"# 2\"}"},
    /* TrimText */
    {T("TrimText"),
     "{\"a\":\" \\t x y\\n\",\"b\":\"\xC2\xA0\xE3\x80\x80z\xE2\x80\x83\",\"c\":\"\\u001f\"}",
     "{\"a\":\"x y\",\"b\":\"z\",\"c\":\"\"}"},
    {T("TrimText"), "{\"a\":\"\xF0\x9F\x98\x80 \",\"b\":[\" \"]}",
     "{\"a\":\"\\uD83D\\uDE00\",\"b\":[\" \"]}"},
    /* ReplaceField: what is left out goes before what is renamed; Java's map decides who stays */
    {T("ReplaceField") O("exclude", "n") O("renames", "m:n"), "{\"m\":1,\"x\":2}",
     "{\"n\":1,\"x\":2}"},
    {T("ReplaceField") O("renames", "a:b,b:a"), "{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}"},
    {T("ReplaceField") O("renames", "a:x,b:x"), "{\"b\":1,\"a\":2}", "{\"x\":1}"},
    {T("ReplaceField") O("renames", "c:ts"), "{\"ts\":22,\"c\":1}", "{\"ts\":22}"},
    {T("ReplaceField") O("renames", "a:ts"), "{\"ts\":22,\"a\":1}", "{\"ts\":22}"},
    {T("ReplaceField") O("exclude", "a") O("renames", "b:a"), "{\"a\":1,\"b\":2}", "{\"a\":2}"},
    {T("ReplaceField") O("exclude", "b") O("renames", "b:c"), "{\"b\":1,\"x\":2}", "{\"x\":2}"},
    /* ParseJson */
    {T("ParseJson") O("fields", "a"), "{\"a\":\"{\\\"b\\\":[1,2.50]}\",\"c\":\"[]\"}",
     "{\"a\":{\"b\":[1,2.5]},\"c\":\"[]\"}"},
    {T("ParseJson"), "{\"a\":\"7\",\"b\":\" null \",\"c\":3,\"d\":null}",
     "{\"a\":7,\"b\":null,\"c\":3,\"d\":null}"},
    {T("ParseJson"), "{\"a\":\"{}x\"}",
     "DataException: Cannot convert field a: value ({}x) is no JSON"},
    {T("ParseJson") O("on.error", "null"), "{\"a\":\"{\"}", "{\"a\":null}"},
    {T("ParseJson") O("on.error", "default") O("default.value", "{}"), "{\"a\":\"{\"}",
     "{\"a\":{}}"},
    /* Within */
    {T("Within") O("path", "a.b") O("transform.type", "ReplaceField$Value")
         O("transform.exclude", "x"),
     "{\"a\":{\"b\":{\"x\":1,\"y\":2}},\"x\":3}", "{\"a\":{\"b\":{\"y\":2}},\"x\":3}"},
    {T("Within") O("path", "a[*].b") O("transform.type", "HoistField$Value")
         O("transform.field", "h"),
     "{\"a\":[{\"b\":1},{\"c\":2},7]}", "{\"a\":[{\"b\":{\"h\":1}},{\"c\":2},7]}"},
    {T("Within") O("path", "a[-1]") O("transform.type", "Cast$Value") O("transform.spec", "string"),
     "{\"a\":[1,2]}", "{\"a\":[1,\"2\"]}"},
    {T("Within") O("path", "a[2]") O("transform.type", "Cast$Value") O("transform.spec", "string"),
     "{\"a\":[1,2]}", "{\"a\":[1,2]}"},
    {T("Within") O("path", "`a.b`") O("transform.type", "Filter"), "{\"a.b\":1,\"c\":2}",
     "{\"c\":2}"},
    {T("Within") O("path", "a[*]") O("transform.type", "Filter"), "{\"a\":[1,2]}", "{\"a\":[]}"},
    {T("Within") O("path", "a") O("transform.type", "Within$Value") O("transform.path", "b")
         O("transform.transform.type", "Cast$Value") O("transform.transform.spec", "int8"),
     "{\"a\":{\"b\":\"5\"}}", "{\"a\":{\"b\":5}}"},
    {T("Within") O("path", "a") O("transform.type", "Cast$Value") O("transform.spec", "int8"),
     "{\"a\":\"x\"}", "DataException: Value (x) was out of range for requested data type"},
    {T("Within") O("path", "a") O("transform.type", "Filter"), "null", "null"},
    /* FieldMatches */
    {T("Cast") O("spec", "a:string") P("field", "n.s[*]") P("values", "1,x"),
     "{\"a\":1,\"n\":{\"s\":[0,1]}}", "{\"a\":\"1\",\"n\":{\"s\":[0,1]}}"},
    {T("Cast") O("spec", "a:string") P("field", "n.s[0]") P("values", "1,x"),
     "{\"a\":1,\"n\":{\"s\":[0,1]}}", "{\"a\":1,\"n\":{\"s\":[0,1]}}"},
    {T("Cast") O("spec", "a:string") P("field", "a") P("pattern", "[0-9]"), "{\"a\":1}",
     "{\"a\":\"1\"}"},
    {T("Cast") O("spec", "a:string") P("field", "a") P("pattern", "[0-9]"), "{\"a\":12}",
     "{\"a\":12}"},
    {T("Cast") O("spec", "a:string") P("field", "b"), "{\"a\":12,\"b\":null}",
     "{\"a\":12,\"b\":null}"},
    {T("Cast") O("spec", "a:string") P("field", "b") O("negate", "true"), "{\"a\":12}",
     "{\"a\":\"12\"}"},
    /* ExpandSuffix */
    {T("ExpandSuffix") O("fields", "a,b,c,d,e"),
     "{\"a\":\"136k\",\"b\":\"1.5M\",\"c\":\"0\",\"d\":\"-2.50k\",\"e\":7}",
     "{\"a\":136000,\"b\":1500000,\"c\":0,\"d\":-2500,\"e\":7}"},
    {T("ExpandSuffix") O("fields", "a") O("on.error", "null"), "{\"a\":\"2m\"}", "{\"a\":null}"},
    {T("ExpandSuffix") O("fields", "a") O("on.error", "null"), "{\"a\":\"3,000\"}", "{\"a\":null}"},
    {T("ExpandSuffix") O("fields", "a") O("on.error", "null"), "{\"a\":\"1.2345k\"}",
     "{\"a\":null}"},
    {T("ExpandSuffix") O("fields", "a") O("on.error", "null"), "{\"a\":\"1.\"}", "{\"a\":null}"},
    {T("ExpandSuffix") O("fields", "a") O("on.error", "null"), "{\"a\":\"\"}", "{\"a\":null}"},
    {T("ExpandSuffix") O("fields", "a"), "{\"a\":\"9223372036854775.807k\"}",
     "{\"a\":9223372036854775807}"},
    {T("ExpandSuffix") O("fields", "a"), "{\"a\":\"-9223372036854775.808k\"}",
     "{\"a\":-9223372036854775808}"},
    {T("ExpandSuffix") O("fields", "a"), "{\"a\":\"9223372036854775.808k\"}",
     "DataException: Cannot convert field a: value (9223372036854775.808k) is too large"},
    {T("ExpandSuffix") O("fields", "a"),
     "{\"a\":\"1.00000000000000000000000000000000000000000000k\"}", "{\"a\":1000}"},
    {T("ExpandSuffix") O("fields", "a") O("suffixes", "dozen:12,h:2"), "{\"a\":\"2.25dozen\"}",
     "{\"a\":27}"},
    {T("ExpandSuffix") O("fields", "a") O("suffixes", "x:7"), "{\"a\":\"0.5x\"}",
     "DataException: Cannot convert field a: value (0.5x) is not a whole number"},
    {T("ExpandSuffix") O("fields", "a") O("on.error", "default") O("default.value", "-1k"),
     "{\"a\":\"many\"}", "{\"a\":-1000}"},
    {T("ExpandSuffix") O("fields", "a"), "{\"a\":null}", "{\"a\":null}"},
    /* ConvertFields */
    {T("ConvertFields") O("spec", "i:int32,b:boolean,s:string,d:float64"),
     "{\"i\":\"12\",\"b\":1,\"s\":1.5,\"d\":\"2\"}",
     "{\"i\":12,\"b\":true,\"s\":\"1.5\",\"d\":2.0}"},
    {T("ConvertFields") O("spec", "i:int8") O("on.error", "null"), "{\"i\":300}", "{\"i\":null}"},
    {T("ConvertFields") O("spec", "i:int8"), "{\"i\":300}",
     "DataException: Cannot convert field i: value (300) is out of range"},
    {T("ConvertFields") O("spec", "i:int64") O("on.error", "null"), "{\"i\":1.5}", "{\"i\":null}"},
    {T("ConvertFields") O("spec", "a:float32,b:float64,c:float64,d:float32") O("on.error", "null"),
     "{\"a\":1e39,\"b\":\"1e400\",\"c\":\"-Infinity\",\"d\":3e38}",
     "{\"a\":null,\"b\":null,\"c\":\"-Infinity\",\"d\":3.0E38}"},
    {T("ConvertFields") O("spec", "i:int64"), "{\"i\":20.0,\"j\":1}", "{\"i\":20,\"j\":1}"},
    {T("ConvertFields") O("spec", "b:boolean") O("on.error", "null"), "{\"b\":\"TRUE\"}",
     "{\"b\":true}"},
    {T("ConvertFields") O("spec", "b:boolean") O("on.error", "null"), "{\"b\":\"yes\"}",
     "{\"b\":null}"},
    {T("ConvertFields") O("spec", "s:string") O("on.error", "null"), "{\"s\":{\"a\":1}}",
     "{\"s\":null}"},
    {T("ConvertFields") O("spec", "z:int64"), "{\"a\":1}", "{\"a\":1}"},
    /* ParseTime */
    {T("ParseTime") O("fields", "t") O("formats", "yyyy-MM-dd'T'HH:mm:ss,yyyy-MM-dd HH:mm:ss"),
     "{\"t\":\"2020-08-28T03:52:47\"}", "{\"t\":\"2020-08-28T03:52:47\"}"},
    {T("ParseTime") O("fields", "t") O("formats", "yyyy-MM-dd'T'HH:mm:ss,yyyy-MM-dd HH:mm:ss"),
     "{\"t\":\"2020-08-28 03:52:47\"}", "{\"t\":\"2020-08-28T03:52:47\"}"},
    {T("ParseTime") O("fields", "t,u") O("formats", "yyyy-MM-dd'T'HH:mm:ss") O("on.error", "null"),
     "{\"t\":\"2020-13-01T00:00:00\",\"x\":1}", "{\"t\":null,\"x\":1}"},
    {T("ParseTime") O("fields", "t") O("formats", "yyyy-MM-dd") O("lenient", "true"),
     "{\"t\":\"2020-13-01T00:00:00\"}", "{\"t\":\"2021-01-01\"}"},
    {T("ParseTime") O("fields", "t") O("formats", "yyyy-MM-dd"), "{\"t\":\"2020-02-30\"}",
     "DataException: Cannot convert field t: value (2020-02-30) matches none of the formats"},
    {T("ParseTime") O("fields", "t") O("formats", "EEE, d MMM yyyy|dd/MM/yyyy")
         O("formats.separator", "|") O("target.format", "yyyy-MM-dd"),
     "{\"t\":\"31/07/2025\"}", "{\"t\":\"2025-07-31\"}"},
    {T("ParseTime") O("fields", "t") O("formats", "yyyy-MM-dd") O("on.error", "null"), "{\"t\":5}",
     "{\"t\":null}"},
    /* ConcatFields, ArrayFromFields */
    {T("ConcatFields") O("fields", "a,b") O("target", "n"), "{\"a\":\"x\",\"c\":1,\"b\":\"y\"}",
     "{\"c\":1,\"n\":\"x y\"}"},
    {T("ConcatFields") O("fields", "a,b") O("target", "n") O("separator", ""),
     "{\"a\":\"x\",\"b\":2.5}", "{\"n\":\"x2.5\"}"},
    {T("ConcatFields") O("fields", "a,b") O("target", "n"), "{\"a\":\"x\"}", "{\"n\":null}"},
    {T("ConcatFields") O("fields", "a,b,c") O("target", "n") O("on.null", "skip")
         O("separator", "-"),
     "{\"a\":\"x\",\"b\":null,\"c\":\"z\"}", "{\"n\":\"x-z\"}"},
    {T("ConcatFields") O("fields", "a,b,c") O("target", "n") O("on.null", "keep")
         O("separator", "-"),
     "{\"a\":\"x\",\"c\":\"z\"}", "{\"n\":\"x--z\"}"},
    {T("ConcatFields") O("fields", "a,b") O("target", "a") O("drop.fields", "false"),
     "{\"a\":\"x\",\"b\":\"y\"}", "{\"a\":\"x y\",\"b\":\"y\"}"},
    {T("ConcatFields") O("fields", "a,b") O("target", "a"), "{\"b\":\"y\",\"a\":\"x\"}",
     "{\"a\":\"x y\"}"},
    {T("ArrayFromFields") O("fields", "lat,lon") O("target", "c"), "{\"lat\":-89.9787,\"lon\":1}",
     "{\"c\":[-89.9787,1]}"},
    {T("ArrayFromFields") O("fields", "lat,lon") O("target", "c"), "{\"lon\":1}",
     "{\"c\":[null,1]}"},
    {T("ArrayFromFields") O("fields", "a,b") O("target", "c") O("on.null", "skip"), "{\"b\":1}",
     "{\"c\":[1]}"},
    {T("ArrayFromFields") O("fields", "a,b") O("target", "c") O("on.null", "null"), "{\"b\":1}",
     "{\"c\":null}"},
    /* OrderFields */
    {T("OrderFields") O("fields", "c,a"), "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}",
     "{\"c\":3,\"a\":1,\"b\":2,\"d\":4}"},
    {T("OrderFields") O("fields", "c,z,a") O("rest", "drop") O("missing", "null"),
     "{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"z\":null,\"a\":1}"},
    {T("OrderFields") O("fields", "c,z,c") O("rest", "drop"), "{\"a\":1,\"c\":3}", "{\"c\":3}"},
    /* Connect's own, schemaless */
    {T("ReplaceField") O("renames", "a:b,b:a"), "{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}"},
    {T("ReplaceField") O("renames", "index:ind"), "{\"index\":1,\"x\":2}", "{\"ind\":1,\"x\":2}"},
    {T("ReplaceField") O("exclude", "x") O("renames", "a:b"), "{\"x\":1,\"a\":2,\"c\":3}",
     "{\"b\":2,\"c\":3}"},
    {T("ReplaceField") O("include", "x,y"), "{\"x\":1,\"a\":2}", "{\"x\":1}"},
    {T("ReplaceField") O("whitelist", "a"), "{\"x\":1,\"a\":2}", "{\"a\":2}"},
    {T("Cast") O("spec", "a:int8,b:string,c:boolean"), "{\"a\":300,\"b\":1.0E7}",
     "{\"a\":44,\"b\":\"1.0E7\",\"c\":null}"},
    {T("MaskField") O("fields", "a,b,c") O("replacement", "-\\u0663"), "{\"a\":7,\"b\":\"x\",\"c\":1.5}",
     "{\"a\":-3,\"b\":\"-\xD9\xA3\",\"c\":-3.0}"},
    {T("MaskField") O("fields", "a") O("replacement", "-00"), "{\"a\":1.5}", "{\"a\":0.0}"},
    {T("MaskField") O("fields", "a") O("replacement", "-1e-400"), "{\"a\":1.5}", "{\"a\":-0.0}"},
    {T("MaskField") O("fields", "a,b"), "{\"a\":\"x\",\"b\":[1]}", "{\"a\":\"\",\"b\":[]}"},
    {T("InsertField") O("topic.field", "t") O("offset.field", "o") O("timestamp.field", "s"),
     "{\"a\":1}", "{\"a\":1,\"t\":\"topic\",\"o\":42,\"s\":1000}"},
    {T("ExtractField") O("field", "a.b") O("field.syntax.version", "v2"), "{\"a\":{\"b\":[1]}}",
     "[1]"},
    {T("HoistField") O("field", "h"), "[1]", "{\"h\":[1]}"},
    {T("Flatten") O("delimiter", "_"), "{\"a\":{\"b\":{\"c\":1}},\"d\":{}}", "{\"a_b_c\":1}"},
    {T("TimestampConverter") O("field", "t") O("target.type", "unix") O("format", "yyyy-MM-dd"),
     "{\"t\":\"1970-01-02\"}", "{\"t\":86400000}"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct test_case *test = &cases[i];
        struct error error = {0};
        struct chain *chain = make_chain(test->step, &error);
        if (!chain) {
            fail_msg("%s: %s", test->step, error.message);
        }
        for (int round = 0; round < 2; round++) { /* twice: caches and buffers are used again */
            char *got = outcome(chain, "topic", test->input);
            if (!got || strcmp(got, test->output) != 0) {
                fail_msg("%s%s\n  expected %s\n  got      %s", test->step, test->input,
                         test->output, got);
            }
            free(got);
        }
        chain_destroy(chain);
    }
}

/* Each: a configuration that is refused, and how. */
static const struct test_case refused[] = {
    {T("ExpandSuffix") O("fields", "a") O("suffixes", "k=1000"), NULL,
     "Invalid value k=1000 for configuration suffixes: write suffix:factor with a whole factor "
     "above 0, "
     "like k:1000, not k=1000"},
    {T("ExpandSuffix") O("fields", "a") O("suffixes", "k:0"), NULL,
     "Invalid value k:0 for configuration suffixes: write suffix:factor with a whole factor above "
     "0, "
     "like k:1000, not k:0"},
    {T("ConvertFields") O("spec", "a:bytes"), NULL,
     "Invalid value a:bytes for configuration spec: write field:type, type one of int8, int16, "
     "int32, "
     "int64, float32, float64, boolean, string, not a:bytes"},
    {T("ParseTime") O("fields", "a") O("formats", "yyyy,bb"), NULL,
     "Invalid value bb for configuration formats: Illegal pattern character 'b'"},
    {T("NullValues") O("regex", "("), NULL,
     "Invalid value ( for configuration regex: Invalid regex: Unclosed group near index 1\n("},
    {T("OrderFields") O("fields", "a") O("rest", "no"), NULL,
     "Invalid value no for configuration rest: String must be one of: keep, drop"},
    {T("Within") O("path", "a..b") O("transform.type", "Filter"), NULL,
     "Invalid value a..b for configuration path: a part is empty"},
    {T("Within") O("path", "a[x]") O("transform.type", "Filter"), NULL,
     "Invalid value a[x] for configuration path: behind [ comes a number or *, and ]"},
    {T("Within") O("path", "`a") O("transform.type", "Filter"), NULL,
     "Invalid value `a for configuration path: a backtick is not closed"},
    {T("Within") O("path", "a.") O("transform.type", "Filter"), NULL,
     "Invalid value a. for configuration path: a part is empty"},
    {T("Within") O("path", "a[0]b") O("transform.type", "Filter"), NULL,
     "Invalid value a[0]b for configuration path: behind a part comes a dot, [ or the end"},
    {T("Within") O("path", "a") O("transform.type", "HoistField$Value"), NULL,
     "Missing required configuration \"field\" which has no default value."},
    {T("TrimText") O("on.error", "x"), NULL, NULL}, /* unknown keys are not refused here */
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct error error = {0};
        struct chain *chain = make_chain(refused[i].step, &error);
        if (refused[i].output) {
            assert_null(chain);
            assert_string_equal(error.message, refused[i].output);
            assert_string_equal(error.java_class, SLUICE_CONFIG_EXCEPTION);
        } else {
            assert_non_null(chain);
        }
        chain_destroy(chain);
        error_clear(&error);
    }
}

/* Connect copies a schemaless map into a HashMap, also where nothing changes; its messages name the class. */
static void test_class_of_a_copied_map(void **state)
{
    (void)state;
    static const struct {
        const char *step, *class_name;
    } steps[] = {
        {"ReplaceField$Value\ntransforms.b.exclude=x", "java.util.HashMap"},
        {"HeaderFrom$Value\ntransforms.b.fields=a\ntransforms.b.headers=h\ntransforms.b.operation=copy",
         "java.util.HashMap"},
        {"RegexRouter\ntransforms.b.regex=x\ntransforms.b.replacement=y", "java.util.LinkedHashMap"},
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char properties[1000], expected[200];
        struct error error = {0};
        (void)snprintf(properties, sizeof(properties),
                       "transforms=a,b,c\ntransforms.a.type=org.apache.kafka.connect.transforms.Flatten$Value\n"
                       "transforms.b.type=org.apache.kafka.connect.transforms.%s\n"
                       "transforms.c.type=org.apache.kafka.connect.transforms.TimestampConverter$Value\n"
                       "transforms.c.target.type=unix\n",
                       steps[i].step);
        (void)snprintf(expected, sizeof(expected),
                       "DataException: TimestampConverter does not support class %s objects as timestamps",
                       steps[i].class_name);
        struct chain *chain = make_chain(properties, &error);
        assert_non_null(chain);
        char *got = outcome(chain, "topic", "{\"a\":1}");
        assert_string_equal(got, expected);
        free(got);
        chain_destroy(chain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_class_of_a_copied_map),
    };
    return cmocka_run_group_tests(tests, load_plugins, unload_plugins);
}
