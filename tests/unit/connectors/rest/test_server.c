/* The life of connections and requests. The test takes requests and gives them back itself. No JSON is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/connectors/rest/server_fixture.h"

static void test_answer_waits_for_done(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    for (int i = 0; i < 3; i++) { /* the connection is kept */
        send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Type: " JSON_V2
                                    "\r\nContent-Length: 5\r\n\r\nhello");
        struct rest_request *request = take(fixture);
        assert_string_equal(request->route.topic, "a");
        assert_int_equal(request->size, 5);
        assert_memory_equal(request->body, "hello", 5);
        give_back(fixture, request, 17 + i);
        assert_true(client_receive(&fixture->client));
        assert_int_equal(fixture->client.status, 200);
        char expected[200];
        (void)snprintf(expected, sizeof(expected),
                       "{\"offsets\":[{\"partition\":0,\"offset\":%d,\"error_code\":null,"
                       "\"error\":null}],\"key_schema_id\":null,\"value_schema_id\":null}",
                       17 + i);
        assert_string_equal(fixture->client.body, expected);
        char type[200];
        assert_true(client_header(&fixture->client, "Content-Type", type));
        assert_string_equal(type, "application/vnd.kafka.v2+json");
    }
    end(fixture);
}

static void test_pipelined_and_split(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    const char *text = "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\noneGET / HTTP/1.1\r\n"
                       "Host: h\r\n\r\nPOST /topics/b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                       "chunked\r\n\r\n2\r\ntw\r\n1\r\no\r\n0\r\n\r\n";
    for (size_t i = 0; text[i]; i++) {
        client_send(&fixture->client, text + i, 1);
    }
    struct rest_request *request = take(fixture);
    assert_memory_equal(request->body, "one", 3);
    give_back(fixture, request, 1);
    assert_true(client_receive(&fixture->client));
    assert_non_null(strstr(fixture->client.body, "\"offset\":1,"));
    assert_true(client_receive(&fixture->client));
    assert_string_equal(fixture->client.body, "{}");
    request = take(fixture);
    assert_string_equal(request->route.topic, "b");
    assert_int_equal(request->size, 3);
    assert_memory_equal(request->body, "two", 3);
    give_back(fixture, request, 2);
    assert_true(client_receive(&fixture->client));
    assert_non_null(strstr(fixture->client.body, "\"offset\":2,"));
    end(fixture);
}

/* RFC 9112 §6.3: a length beside chunks may be an attempt at smuggling a request past a proxy. */
static void test_length_beside_chunks(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 400);
    assert_false(client_receive(&fixture->client));
    end(fixture);
}

/* The same of other headers by which two servers may see two ends. */
static void test_ends_that_are_not_sure(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "Content-Length: 5\r\nContent-Length: 1",
        "Content-Length : 5",
        "Content-Length\t: 5",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nContent-Length: 5",
    };
    struct fixture *fixture = begin(make());
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        char text[400];
        (void)snprintf(text, sizeof(text), "POST /topics/a HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                       headers[i]);
        send_text(&fixture->client, text);
        assert_true(client_receive(&fixture->client));
        assert_int_equal(fixture->client.status, 400);
        assert_non_null(strstr(fixture->client.body, "{\"error_code\":400,"));
        assert_false(client_receive(&fixture->client));
        client_close(&fixture->client);
        client_open(&fixture->client, rest_server_port(fixture->server, 0));
    }
    send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                                "content-length: 5\r\n\r\nhello");
    struct rest_request *request = take(fixture);
    assert_int_equal(request->size, 5);
    give_back(fixture, request, 1);
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 200);
    end(fixture);
}

static void test_expect_continue(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    struct client *client = &fixture->client;
    send_text(client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                      "Expect: 100-continue\r\n\r\n");
    char line[26] = "";
    assert_int_equal(recv(client->fd, line, 25, MSG_WAITALL), 25);
    assert_string_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(client, "hello");
    struct rest_request *request = take(fixture);
    assert_int_equal(request->size, 5);
    give_back(fixture, request, 1);
    assert_true(client_receive(client));
    assert_int_equal(client->status, 200);
    end(fixture);
}

static void test_refusals_keep_the_connection(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    struct client *client = &fixture->client;
    client_request(client, "POST", "/topics/a", "application/json", "{\"records\":[]}");
    assert_int_equal(client->status, 415);
    assert_string_equal(client->body,
                        "{\"error_code\":415,\"message\":\"HTTP 415 Unsupported Media Type\"}");
    client_request(client, "POST", "/nowhere", JSON_V2, "{\"records\":[]}");
    assert_int_equal(client->status, 404);
    assert_string_equal(client->body, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}");
    client_request(client, "DELETE", "/topics/a", NULL, NULL);
    assert_int_equal(client->status, 405);
    client_request(client, "POST", "/topics/a", "nonsense", "{}");
    assert_int_equal(client->status, 400);
    client_request(client, "HEAD", "/", NULL, NULL);
    assert_int_equal(client->status, 200);
    client_request(client, "GET", "/", NULL, NULL);
    assert_string_equal(client->body, "{}");
    client_request(client, "OPTIONS", "/topics/a", NULL, NULL);
    char allow[200];
    assert_true(client_header(client, "Allow", allow));
    assert_string_equal(allow, "HEAD, POST, GET, OPTIONS");
    assert_string_equal(client->body, allow);
    end(fixture);
}

static void test_client_leaves(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    send_text(&fixture->client,
              "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    struct rest_request *request = take(fixture);
    client_close(&fixture->client);
    give_back(fixture, request, 1);
    client_open(&fixture->client, rest_server_port(fixture->server, 0));
    send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhal");
    client_close(&fixture->client); /* in the middle of its body */
    client_open(&fixture->client, rest_server_port(fixture->server, 0));
    client_request(&fixture->client, "GET", "/", NULL, NULL);
    assert_int_equal(fixture->client.status, 200);
    end(fixture);
}

static void test_stop_answers_what_was_not_taken(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    client_open(&fixture->other, rest_server_port(fixture->server, 0));
    send_text(&fixture->client,
              "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    struct rest_request *taken = take(fixture);
    send_text(&fixture->other,
              "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    client_open(&fixture->client, rest_server_port(fixture->server, 0));
    client_request(&fixture->client, "GET", "/", NULL, NULL); /* the one before is in the queue now */
    client_close(&fixture->client);
    rest_server_drain(fixture->server, 1000);
    give_back(fixture, taken, 9);
    rest_server_stop(fixture->server, 1000);
    assert_true(client_receive(&fixture->other));
    assert_int_equal(fixture->other.status, 503);
    client_close(&fixture->other);
    rest_server_destroy(fixture->server);
    fixture->server = NULL;
    pthread_cond_destroy(&fixture->changed);
    pthread_mutex_destroy(&fixture->lock);
    free(fixture);
}

static void test_stop_with_records_under_way(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    send_text(&fixture->client,
              "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    struct rest_request *taken = take(fixture);
    rest_server_stop(fixture->server, 50);
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 500);
    give_back(fixture, taken, 9); /* after the thread has ended */
    end(fixture);
}

static void test_cors(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.allow_origin = "http://a.example, http://b.example";
    (void)begin(fixture);
    struct client *client = &fixture->client;
    char value[200];
    send_text(client, "OPTIONS /topics/a HTTP/1.1\r\nHost: h\r\nOrigin: http://b.example\r\n"
                      "Access-Control-Request-Method: POST\r\n\r\n");
    assert_true(client_receive(client));
    assert_int_equal(client->status, 200);
    assert_true(client_header(client, "Access-Control-Allow-Origin", value));
    assert_string_equal(value, "http://b.example");
    assert_true(client_header(client, "Access-Control-Allow-Methods", value));
    assert_string_equal(value, "GET,POST,HEAD");
    send_text(client, "GET / HTTP/1.1\r\nHost: h\r\nOrigin: http://c.example\r\n\r\n");
    assert_true(client_receive(client));
    assert_false(client_header(client, "Access-Control-Allow-Origin", value));
    end(fixture);
}

static void test_port_in_use(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    struct rest_settings second = fixture->settings;
    (void)snprintf(second.listeners[0].port, sizeof(second.listeners[0].port), "%u",
                   rest_server_port(fixture->server, 0));
    char message[400];
    assert_null(rest_server_create(&second, &fixture->host, on_ready, fixture, message,
                                   sizeof(message)));
    assert_non_null(strstr(message, "Address already in use"));
    end(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer_waits_for_done),
        cmocka_unit_test(test_pipelined_and_split),
        cmocka_unit_test(test_length_beside_chunks),
        cmocka_unit_test(test_ends_that_are_not_sure),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_refusals_keep_the_connection),
        cmocka_unit_test(test_client_leaves),
        cmocka_unit_test(test_stop_answers_what_was_not_taken),
        cmocka_unit_test(test_stop_with_records_under_way),
        cmocka_unit_test(test_cors),
        cmocka_unit_test(test_port_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
