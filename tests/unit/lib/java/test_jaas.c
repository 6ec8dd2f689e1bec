/* lib/java/jaas: what Kafka's JaasConfig takes, refuses and says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/java/jaas.h"

static char message[300];

static void test_good(void **state)
{
    static const struct {
        const char *text, *module, *name, *value;
    } cases[] = {
        {"a.b.PlainLoginModule required username=\"me\" password=\"it's\";", "a.b.PlainLoginModule",
         "password", "it's"},
        {"M required;", "M", "x", NULL},
        {"M REQUIRED a=b;", "M", "a", "b"},
        {"M sufficient\n\ta = 'b \"c\"' ;", "M", "a", "b \"c\""},
        {"M required a=\"b\\\"c\\\\d\\ne\\tf\\101\\0607\\q\";", "M", "a", "b\"c\\d\ne\tfA07q"},
        {"M required a=x-y_z$1.2;", "M", "a", "x-y_z$1.2"},
        {"M required a=\"1\" a=\"2\";", "M", "a", "2"},
        {"M required // note\n a=\"1\" /* b=\"2\"; */ c=\"3\";", "M", "c", "3"},
        {"M required a=\"x/y:z;=\";", "M", "a", "x/y:z;="},
        {"M required \"quoted name\"=\"1\";", "M", "quoted name", "1"},
        {"software.amazon.msk.auth.iam.IAMLoginModule required "
         "awsRoleArn=\"arn:aws:iam::123456789012:role/r\";",
         "software.amazon.msk.auth.iam.IAMLoginModule", "awsRoleArn",
         "arn:aws:iam::123456789012:role/r"},
        {"M required a=\"gr\xc3\xbc\xc3\x9f\";", "M", "a", "gr\xc3\xbc\xc3\x9f"},
        {"M required a=;b;", NULL, NULL, NULL}, /* Kafka: no value */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct jaas jaas;
        int result = jaas_parse(cases[i].text, &jaas, message, sizeof(message));
        if (!cases[i].module) {
            assert_int_equal(-1, result);
            continue;
        }
        if (result != 0) {
            fail_msg("%s: %s", cases[i].text, message);
        }
        assert_string_equal(cases[i].module, jaas.module);
        const char *value = jaas_get(&jaas, cases[i].name);
        if (cases[i].value) {
            assert_non_null(value);
            assert_string_equal(cases[i].value, value);
        } else {
            assert_null(value);
        }
        jaas_finish(&jaas);
    }
}

static void test_bad(void **state)
{
    static const struct {
        const char *text, *expect;
    } cases[] = {
        {"", "Login module not specified in JAAS config"},
        {"  // only a comment", "Login module not specified in JAAS config"},
        {"M", "Login module control flag not specified in JAAS config"},
        {"M must a=b;", "Invalid login module control flag in JAAS config"},
        {"M required a=b", "not terminated by semi-colon"},
        {"M required a;", "Value not specified for key"},
        {"M required a=1;", "Value not specified for key 'a'"}, /* a number is no text */
        {"M required password=geheim7!;", "Value not specified"},
        {"M required password=\"geheim7\" geheim7;", "Value not specified"},
        {"M required password=\"geheim7", "not terminated by semi-colon"},
        {"M required; N required;", "more than one login module"},
        {"1 required;", "does not begin with"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct jaas jaas;
        assert_int_equal(-1, jaas_parse(cases[i].text, &jaas, message, sizeof(message)));
        if (!strstr(message, cases[i].expect)) {
            fail_msg("%s: %s", cases[i].text, message);
        }
        assert_null(strstr(message, "geheim7")); /* invariant 7 */
        assert_null(jaas.module);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
