/* What the HTTP connectors read out of texts: status codes, headers, waits, links, templates, pointers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/http/common.h"
#include "connectors/http/link.h"
#include "connectors/http/pointer.h"
#include "connectors/http/template.h"
#include "core/data/batch.h"

static void test_status_codes(void **state)
{
    (void)state;
    struct statuses statuses;
    char why[200];
    assert_int_equal(statuses_parse("408, 429,500-503,599-", &statuses, why, sizeof(why)), 0);
    static const int in[] = {408, 429, 500, 503, 599}, out[] = {407, 428, 499, 504, 598, 200};
    for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++) {
        assert_true(statuses_has(&statuses, in[i]));
    }
    for (size_t i = 0; i < sizeof(out) / sizeof(*out); i++) {
        assert_false(statuses_has(&statuses, out[i]));
    }
    assert_int_equal(statuses_parse("", &statuses, why, sizeof(why)), 0);
    assert_false(statuses_has(&statuses, 500));
    static const char *const bad[] = {"5xx", "99", "600", "503-500", "500-x", "500 -", "500;503", "-500",
                                      "100,101,102,103,104,105,106,107,108,109,110,111,112,113,114,115,116"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(statuses_parse(bad[i], &statuses, why, sizeof(why)), -1);
        assert_non_null(strstr(why, "no list of status codes"));
    }
}

static void test_headers(void **state)
{
    (void)state;
    char *headers[HEADERS_MAX + 1], why[200];
    assert_int_equal(headers_parse("A: b | C:d|| X-Y: z w  ", false, headers, why, sizeof(why)), 0);
    assert_string_equal(headers[0], "A: b");
    assert_string_equal(headers[1], "C:d");
    assert_string_equal(headers[2], "X-Y: z w");
    assert_null(headers[3]);
    headers_free(headers);
    static const char *const bad[] = {"no colon", ": no name", "A: b\r\nEvil: 1", "A: b|c"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(headers_parse(bad[i], i % 2, headers, why, sizeof(why)), -1);
        assert_null(headers[0]);
    }
    /* A secret in a header is not repeated by what refuses it. */
    char message[300];
    assert_false(http_check_headers("http.headers", "Authorization: s3cret|oops", message, sizeof(message)));
    assert_null(strstr(message, "s3cret"));
}

static void test_retry_after(void **state)
{
    (void)state;
    int64_t now = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
    assert_int_equal(http_retry_after_text("0", now), 0);
    assert_int_equal(http_retry_after_text("120", now), 120000);
    assert_int_equal(http_retry_after_text("99999999999999999999999", now), 3600000);
    assert_int_equal(http_retry_after_text("Sun, 06 Nov 1994 08:49:47 GMT", now), 10000);
    assert_int_equal(http_retry_after_text("Sun, 06 Nov 1994 08:49:27 GMT", now), 0);
    assert_int_equal(http_retry_after_text("Fri, 31 Dec 1999 23:59:59 GMT", now), 3600000);
    static const char *const bad[] = {"", "-5", " 5", "5s", "1.5", "soon", "Sun, 06 Nov 1994 08:49:47 GMT and so on"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(http_retry_after_text(bad[i], now), -1);
    }
}

static void test_backoff_grows_up_to_a_minute(void **state)
{
    (void)state;
    for (int attempt = 1; attempt < 40; attempt++) {
        int64_t most = (int64_t)100 << (attempt < 16 ? attempt - 1 : 15);
        most = most > 60000 ? 60000 : most;
        for (int i = 0; i < 20; i++) {
            int64_t wait = http_backoff(100, attempt);
            assert_true(wait >= most / 2 && wait <= most);
        }
    }
    assert_int_equal(http_backoff(0, 7), 0);
    assert_in_range(http_backoff(120000, 16), 60000, 120000);
}

/* The text that was found, which is freed; NULL: none. */
static void found_is(char *found, const char *expected)
{
    if (expected) {
        assert_non_null(found);
        assert_string_equal(found, expected);
    } else {
        assert_null(found);
    }
    free(found);
}

static void next_is(const char *header, const char *expected)
{
    found_is(link_next(header), expected);
}

static void test_links(void **state)
{
    (void)state;
    next_is("<http://a/2>; rel=\"next\"", "http://a/2");
    next_is("<http://a/1>; rel=\"prev\", <http://a/3>; rel=\"next\"", "http://a/3");
    next_is("</p?x=1,2;y>;rel=next , </last>; rel=last", "/p?x=1,2;y");
    next_is("<a>; title=\"x, <b>; rel=\\\"next\\\"\"; rel=last, <c>; rel=\"first next\"", "c");
    next_is("<a>;REL = \"NEXT\"", "a");
    next_is("<a>; rel=last; rel=next", NULL); /* the first counts */
    next_is("<a>; rel=\"nextest\"", NULL);
    next_is("<a>; x-rel=next", NULL);
    next_is("", NULL);
    next_is("<a", NULL);
    next_is("a; rel=next", NULL);
    next_is("<>; rel=next", "");
    next_is("<a>; rel=\"next", "a");
    next_is("<a>; rel=\"ne\\", NULL);
}

static void absolute_is(const char *reference, const char *expected)
{
    found_is(link_absolute("http://h:8080/api/rows?after=1", reference), expected);
}

static void test_next_pages_are_on_the_same_server_only(void **state)
{
    (void)state;
    absolute_is("http://h:8080/other", "http://h:8080/other");
    absolute_is("HTTP://H:8080/other#part", "HTTP://H:8080/other");
    absolute_is("/other?x=1", "http://h:8080/other?x=1");
    absolute_is("?after=2", "http://h:8080/api/rows?after=2");
    absolute_is("more?after=2", "http://h:8080/api/more?after=2");
    absolute_is("//h:8080/x", "http://h:8080/x");
    absolute_is("http://h/other", NULL);
    absolute_is("https://h:8080/other", NULL);
    absolute_is("http://h:80801/", NULL);
    absolute_is("http://h:8080@evil/", NULL);
    absolute_is("http://h:8080.evil/", NULL);
    absolute_is("http://h:8080\\@evil/", NULL);
    absolute_is("//evil/x", NULL);
    absolute_is("file:///etc/passwd", NULL);
    absolute_is("/a\r\nHost: evil", NULL);
    char *found = link_absolute("http://h", "x");
    assert_string_equal(found, "http://h/x");
    free(found);
    assert_null(link_absolute("no url", "/x"));
    assert_true(link_is_reference("/x") && link_is_reference("HTTPS://x") && !link_is_reference("cursor=="));
}

static bool value_of(void *user, const char *name, size_t size, struct buffer *to)
{
    (void)user;
    if (size == 1 && *name == 'x') {
        buffer_append_text(to, "a b&\xc3\xa9");
        return true;
    }
    return false;
}

static void writes(const char *template, bool encode, const char *expected)
{
    struct buffer to;
    buffer_init(&to, 1000);
    assert_true(template_write(template, encode, value_of, NULL, &to));
    assert_string_equal(to.data ? to.data : "", expected);
    buffer_finish(&to);
}

static void test_templates(void **state)
{
    (void)state;
    static const char *const names[] = {"x", "value:", NULL};
    char why[200];
    writes("plain $ { } text", false, "plain $ { } text");
    writes("<${x}|${x}>", false, "<a b&\xc3\xa9|a b&\xc3\xa9>");
    writes("q=${x}", true, "q=a%20b%26%C3%A9");
    writes("$${x} ${x", false, "${x} ${x");
    assert_true(template_check("${x}${value:/a/b}$${nope}", names, why, sizeof(why)));
    assert_false(template_check("${y}", names, why, sizeof(why)));
    assert_string_equal(why, "there is no ${y} here");
    assert_false(template_check("${value:}", names, why, sizeof(why)));
    assert_false(template_check("${}", names, why, sizeof(why)));
}

static const char DOCUMENT[] = "{\"a\":{\"b~/c\":[10,{\"d\":true}],\"\":\"empty\"},\"n\":null,\"0\":\"zero\"}";

static void finds(struct sluice_batch *batch, const struct sluice_value *document, const char *text,
                  const char *json)
{
    struct pointer pointer;
    assert_int_equal(pointer_parse(&data_api, text, &pointer), 0);
    const struct sluice_value *found = pointer_find(&data_api, &pointer, document);
    if (json) {
        assert_non_null(found);
        struct sluice_span span = data_api.to_json(batch, found);
        assert_int_equal(span.size, strlen(json));
        assert_memory_equal(span.data, json, span.size);
    } else {
        assert_null(found);
    }
    pointer_finish(&pointer);
}

static void test_pointers(void **state)
{
    (void)state;
    struct sluice_batch *batch = batch_new(NULL);
    struct sluice_json_error why = {.size = sizeof(why)};
    struct sluice_value *document = NULL;
    assert_int_equal(data_api.from_json(batch, DOCUMENT, strlen(DOCUMENT), SLUICE_JSON_STRICT, &document, &why), SLUICE_OK);
    finds(batch, document, "", DOCUMENT);
    finds(batch, document, "/", DOCUMENT); /* as the original has it, and not RFC 6901 */
    finds(batch, document, "/a/b~0~1c/1/d", "true");
    finds(batch, document, "/a/b~0~1c/0", "10");
    finds(batch, document, "/a/", "\"empty\"");
    finds(batch, document, "/0", "\"zero\"");
    finds(batch, document, "/n", "null");
    finds(batch, document, "/a/b~0~1c/2", NULL);
    finds(batch, document, "/a/b~0~1c/-", NULL);
    finds(batch, document, "/a/b~0~1c/99999999999999999999999", NULL);
    finds(batch, document, "/n/x", NULL);
    finds(batch, document, "/missing/x", NULL);
    struct pointer pointer;
    assert_int_equal(pointer_parse(&data_api, "a", &pointer), -1);
    pointer_finish(&pointer);
    records_api.release(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_codes),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_backoff_grows_up_to_a_minute),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_next_pages_are_on_the_same_server_only),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_pointers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
