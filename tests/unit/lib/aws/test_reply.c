/* What answers mean, the XML they are made of, and URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "lib/aws/reply.h"
#include "lib/aws/uri.h"
#include "lib/aws/xml.h"

static struct aws_fault classify(int status, const char *head, const char *body, bool body_decides)
{
    struct http_reply reply = {.status = status};
    struct aws_fault fault;
    buffer_init(&reply.head, 4096);
    buffer_init(&reply.body, 4096);
    buffer_append_text(&reply.head, head);
    buffer_append_text(&reply.body, body);
    aws_classify(&reply, body_decides, &fault);
    http_reply_finish(&reply);
    return fault;
}

static void test_classes(void **state)
{
    (void)state;
    assert_int_equal(classify(200, "", "", false).class, AWS_FINE);
    assert_int_equal(classify(204, "", "", true).class, AWS_FINE);
    assert_int_equal(classify(500, "", "", false).class, AWS_TRANSIENT);
    assert_int_equal(classify(501, "", "<Error><Code>NotImplemented</Code></Error>", false).class, AWS_REFUSED);
    assert_int_equal(classify(503, "", "<Error><Code>SlowDown</Code></Error>", false).class,
                     AWS_THROTTLED);
    assert_int_equal(classify(400, "", "<Error><Code>RequestTimeout</Code></Error>", false).class,
                     AWS_TRANSIENT);
    assert_int_equal(classify(400, "", "<Error><Code>ExpiredToken</Code></Error>", false).class,
                     AWS_EXPIRED);
    assert_int_equal(classify(403, "", "<Error><Code>AccessDenied</Code></Error>", false).class,
                     AWS_DENIED);
    assert_int_equal(classify(404, "", "", false).class, AWS_MISSING);
    assert_int_equal(classify(412, "", "", false).class, AWS_CONDITION);
    assert_int_equal(classify(409, "", "<Error><Code>BucketNotEmpty</Code></Error>", false).class,
                     AWS_REFUSED);
    assert_int_equal(classify(400, "", "", false).class, AWS_REFUSED);
}

static void test_json(void **state)
{
    (void)state;
    struct aws_fault fault = classify(
        400, "HTTP/1.1 400 Bad Request\r\nx-amzn-RequestId: r1\r\n",
        "{\"__type\":\"com.amazonaws.kinesis#ProvisionedThroughputExceededException\",\"message\":\"Rate\"}", false);
    assert_int_equal(fault.class, AWS_THROTTLED);
    assert_string_equal(fault.code, "ProvisionedThroughputExceededException");
    assert_string_equal(fault.message, "Rate");
    assert_string_equal(fault.request_id, "r1");
    fault = classify(400, "", "{\"__type\":\"ResourceNotFoundException\",\"Message\":\"No\"}", false);
    assert_int_equal(fault.class, AWS_MISSING);
    assert_string_equal(fault.message, "No");
    fault = classify(400, "HTTP/1.1 400\r\nDate: Fri, 24 May 2013 00:00:00 GMT\r\n",
                     "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired: 2013\"}", false);
    assert_int_equal(fault.class, AWS_SKEWED);
    assert_int_equal(fault.server_time, 1369353600);
    assert_int_equal(classify(400, "", "{\"__type\":\"InvalidSignatureException\"}", false).class, AWS_REFUSED);
    assert_int_equal(classify(500, "", "{nonsense", false).class, AWS_TRANSIENT);
    assert_int_equal(classify(400, "", "{\"__type\":5}", false).class, AWS_REFUSED);
}

static void test_error_in_a_200(void **state)
{
    (void)state;
    const char *body = "<?xml version=\"1.0\"?>\n  \n<Error><Code>InternalError</Code></Error>";
    assert_int_equal(classify(200, "", body, true).class, AWS_TRANSIENT);
    assert_int_equal(classify(200, "", body, false).class, AWS_FINE);
}

static void test_clock_and_region(void **state)
{
    (void)state;
    struct aws_fault fault =
        classify(403, "HTTP/1.1 403 Forbidden\r\nDate: Fri, 24 May 2013 00:00:00 GMT\r\n",
                 "<Error><Code>RequestTimeTooSkewed</Code></Error>", false);
    assert_int_equal(fault.class, AWS_SKEWED);
    assert_int_equal(fault.server_time, 1369353600);
    fault = classify(301, "HTTP/1.1 301 x\r\nX-Amz-Bucket-Region:  eu-west-1 \r\n", "", false);
    assert_int_equal(fault.class, AWS_REDIRECTED);
    assert_string_equal(fault.region, "eu-west-1");
    fault = classify(400, "",
                     "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-2</Region>"
                     "</Error>", false);
    assert_int_equal(fault.class, AWS_REDIRECTED);
    assert_string_equal(fault.region, "eu-west-2");
    fault = classify(503, "HTTP/1.1 503 x\r\nRetry-After: 7\r\n", "", false);
    assert_int_equal(fault.retry_after_ms, 7000);
}

static void test_xml(void **state)
{
    (void)state;
    const char *xml = "<?xml version='1.0'?><s3:List xmlns:s3='x'><Key>a &amp; b&#x20AC;&#8364;</Key>"
                      "<Key/><Key>c</Key><Open>";
    char text[64], small[4];
    assert_true(aws_xml_text(xml, strlen(xml), "Key", text, sizeof(text)));
    assert_string_equal(text, "a & b€€");
    assert_true(aws_xml_text(xml, strlen(xml), "Key", small, sizeof(small)));
    assert_string_equal(small, "a &");
    assert_false(aws_xml_text(xml, strlen(xml), "Open", text, sizeof(text)));
    size_t cursor = 0, size = 0;
    const char *content = NULL;
    int count = 0;
    while (aws_xml_next(xml, strlen(xml), &cursor, "Key", &content, &size)) {
        count++;
    }
    assert_int_equal(count, 3);
    assert_int_equal(size, 1);
    assert_true(aws_xml_escape("<a&\"'>", text, sizeof(text)));
    assert_string_equal(text, "&lt;a&amp;&quot;&apos;&gt;");
    assert_false(aws_xml_escape("&&&", small, sizeof(small)));
}

static void test_urls(void **state)
{
    (void)state;
    struct aws_url url;
    assert_true(aws_url_parse("http://localhost:9000/", &url));
    assert_false(url.tls);
    assert_string_equal(url.authority, "localhost:9000");
    assert_string_equal(url.path, "");
    assert_true(aws_url_parse("https://h.example:443/base/", &url));
    assert_string_equal(url.authority, "h.example");
    assert_string_equal(url.path, "/base");
    assert_true(aws_url_parse("http://[::1]:80", &url));
    assert_string_equal(url.host, "[::1]");
    assert_false(aws_url_parse("ftp://x", &url));
    assert_false(aws_url_parse("http://", &url));
    assert_false(aws_url_parse("http://user@x", &url));
    assert_false(aws_url_parse("http://x:99999", &url));
    assert_false(aws_url_parse("http://x\r\nHost: y", &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes), cmocka_unit_test(test_json),          cmocka_unit_test(test_error_in_a_200),
        cmocka_unit_test(test_clock_and_region), cmocka_unit_test(test_xml),
        cmocka_unit_test(test_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
