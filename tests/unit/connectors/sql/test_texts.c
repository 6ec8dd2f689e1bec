/* What the SQL connectors read from texts: URLs, names, times, placeholders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/sql/database.h"
#include "connectors/sql/moment.h"
#include "connectors/sql/names.h"
#include "connectors/sql/row.h"

static void url_is(const char *text, const char *described)
{
    struct jdbc_url url;
    char message[300] = "", shown[300];
    assert_int_equal(jdbc_url_parse(text, &url, message, sizeof(message)), 0);
    jdbc_url_describe(&url, shown, sizeof(shown));
    assert_string_equal(shown, described);
    jdbc_url_finish(&url);
}

static void url_refused(const char *text, const char *word)
{
    struct jdbc_url url;
    char message[300] = "";
    assert_int_equal(jdbc_url_parse(text, &url, message, sizeof(message)), -1);
    assert_non_null(strstr(message, word));
    assert_null(strstr(message, "s3cret"));
}

static void test_urls(void **state)
{
    (void)state;
    url_is("jdbc:sqlite:x.db", "jdbc:sqlite:x.db");
    url_is("jdbc:sqlite::memory:", "jdbc:sqlite::memory:");
    url_is("jdbc:postgresql://h/db?user=u&password=s3cret", "jdbc:postgresql://h/db");
    url_is("jdbc:postgresql://h:1,[::1]:2/d%20b", "jdbc:postgresql://h:1,::1:2/d b");
    url_is("jdbc:postgresql:db", "jdbc:postgresql:db");
    url_is("JDBC:MariaDB://h", "jdbc:mysql://h");
    url_refused("jdbc:oracle:thin:s3cret", "jdbc:oracle");
    url_refused("postgres://h", "supported");
    url_refused("jdbc:mysql://u:s3cret@h/db", "connection.user");
    url_refused("jdbc:mysql://h:99999/db", "port");
    url_refused("jdbc:postgresql://[::1/db", "]");
    struct jdbc_url url;
    char message[300];
    assert_int_equal(jdbc_url_parse("jdbc:mysql://h/d?a=b+c%21&B", &url, message, sizeof(message)), 0);
    assert_string_equal(jdbc_url_parameter(&url, "A"), "b c!");
    assert_string_equal(jdbc_url_parameter(&url, "b"), "");
    assert_null(jdbc_url_parameter(&url, "c"));
    jdbc_url_finish(&url);
}

static void name_is(const char *text, const char *quoted)
{
    struct sql_name name;
    char message[300] = "";
    struct buffer out;
    buffer_init(&out, 1000);
    assert_int_equal(sql_name_parse(text, &name, message, sizeof(message)), 0);
    sql_name_write(&out, &name, "\"");
    assert_string_equal(out.data, quoted);
    buffer_finish(&out);
    sql_name_finish(&name);
}

static void test_names(void **state)
{
    (void)state;
    struct sql_name name;
    char message[300];
    name_is("t", "\"t\"");
    name_is("a.b.c", "\"a\".\"b\".\"c\"");
    name_is("\"a.b\".`c\"d`", "\"a.b\".\"c\"\"d\"");
    name_is("\"a\"\"b\"", "\"a\"\"b\"");
    const char *const bad[] = {"", ".", "a.", ".a", "a.b.c.d", "\"a", "\"a\"b", "a..b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(sql_name_parse(bad[i], &name, message, sizeof(message)), -1);
    }
}

static void test_placeholders_are_numbered_outside_of_quotes(void **state)
{
    (void)state;
    char *text = sql_numbered("a=? AND b='?''?' -- ?\n AND \"?\" /* ? */ = ?", 1);
    assert_string_equal(text, "a=$1 AND b='?''?' -- ?\n AND \"?\" /* ? */ = $2");
    free(text);
}

static void moment_is(const char *text, int64_t ms, int32_t nanos)
{
    struct moment moment;
    assert_true(moment_parse(text, strlen(text), zone_utc(), &moment));
    assert_int_equal(moment.ms, ms);
    assert_int_equal(moment.nanos, nanos);
}

static void test_operators_of_a_query_come_back(void **state)
{
    (void)state;
    char *escaped = sql_escaped("d ? 'a?' AND e ?? 'b' AND f ?| g -- ?");
    assert_string_equal(escaped, "d ?? 'a?' AND e ?? 'b' AND f ??| g -- ?");
    char *text = sql_numbered(escaped, 1);
    assert_string_equal(text, "d ? 'a?' AND e ? 'b' AND f ?| g -- ?");
    free(text);
    free(escaped);
}

/* Two values for a column: does the database take one for the other? */
static void check_keys(enum sql_type type, bool bytewise, const char *a, const char *b, bool equal, bool exact)
{
    struct shape_column column = {.type = type, .bytewise = bytewise, .key = true};
    struct shape shape = {.columns = &column, .column_count = 1, .key_count = 1};
    struct sql_value one = {.kind = SQL_TEXT, .text = {a, strlen(a)}}, other = {.kind = SQL_TEXT, .text = {b, strlen(b)}};
    bool is_exact, is_null;
    uint64_t hash = row_keys_hash(&shape, &one, &is_exact, &is_null);
    assert_int_equal(is_exact, exact);
    assert_false(is_null);
    assert_int_equal(hash == row_keys_hash(&shape, &other, &is_exact, &is_null), equal);
}

static void test_keys_that_a_database_may_take_for_one_are_alike(void **state)
{
    (void)state;
    check_keys(SQL_TYPE_STRING, true, "a", "A", false, true);
    check_keys(SQL_TYPE_STRING, false, "Ab c ", "aBc", true, false);
    check_keys(SQL_TYPE_STRING, false, "", " ", true, false);
    check_keys(SQL_TYPE_STRING, false, "a1", "a2", false, false);
    check_keys(SQL_TYPE_OTHER, false, "AAAAAAAA-0000", "aaaaaaaa-0000", true, false);
    check_keys(SQL_TYPE_STRING, false, "0123456789012345678901234567890123456789012345678901234567890123456789x",
               "0123456789012345678901234567890123456789012345678901234567890123 456789X", true, false);
    const char *const same[][2] = {{"1.0", "1"}, {"01", "1.00"}, {"0", "0.00"}, {"-0.50", "-.5"}, {"+100", "100."}};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        check_keys(SQL_TYPE_DECIMAL, false, same[i][0], same[i][1], true, false);
    }
    check_keys(SQL_TYPE_DECIMAL, false, "10", "1", false, false);
    check_keys(SQL_TYPE_DECIMAL, false, "1.01", "101", false, false);
}

static void test_moments(void **state)
{
    (void)state;
    moment_is("2022-01-08 00:00:00.123456", 1641600000123, 123456000);
    moment_is("2022-01-08T09:00:00.000001+09", 1641600000000, 1000);
    moment_is("2022-01-08 05:30:00+05:30", 1641600000000, 0);
    moment_is("2022-01-08", 1641600000000, 0);
    moment_is("1969-12-31 23:59:59.5Z", -500, 500000000);
    moment_is("0001-01-01 00:00:00 BC", -62167392000000, 0);
    moment_is("infinity", INT64_C(9223372036825200000), 0);
    moment_is("-infinity", -INT64_C(9223372036832400000), 0);
    const char *const bad[] = {"", "infinit", "2022-13-01", "2022-01-01 25:00", "2022-01-01x", "2022-01",
                               "2022-01-01 00:00:00 AD"};
    struct moment moment;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(moment_parse(bad[i], strlen(bad[i]), zone_utc(), &moment));
    }
    char text[MOMENT_TEXT_SIZE];
    moment_print((struct moment){1641600000123, 123456789}, zone_utc(), ' ', 6, text);
    assert_string_equal(text, "2022-01-08 00:00:00.123456");
    moment_print(moment_of_ms(-500), zone_utc(), 'T', 3, text);
    assert_string_equal(text, "1969-12-31T23:59:59.500");
    int64_t ms;
    assert_true(moment_parse_time("01:02:03.004", 12, &ms));
    assert_int_equal(ms, 3723004);
    assert_true(moment_parse_time("01:02:03+02", 11, &ms));
    assert_int_equal(ms, 82923000);
    assert_false(moment_parse_time("1:2:3x", 6, &ms));
    assert_true(moment_parse_time("838:59:59", 9, &ms));
    assert_int_equal(ms, 3020399000);
    assert_true(moment_parse_time("-00:00:01.5", 11, &ms));
    assert_int_equal(ms, -1500);
    assert_false(moment_parse_time("25:00:00+01", 11, &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_placeholders_are_numbered_outside_of_quotes),
        cmocka_unit_test(test_operators_of_a_query_come_back),
        cmocka_unit_test(test_keys_that_a_database_may_take_for_one_are_alike),
        cmocka_unit_test(test_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
