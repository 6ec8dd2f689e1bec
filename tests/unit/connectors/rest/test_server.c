/* The HTTP side alone: the test takes requests and gives them back itself. No JSON is looked at. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "connectors/rest/server.h"
#include "tests/unit/connectors/rest/client.h"

struct fixture {
    struct sluice_host host;
    struct rest_settings settings;
    struct rest_server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ready;
    struct client client, other;
};

static void no_log(const struct sluice_host *host, enum sluice_log_level level, const char *format, ...)
{
    (void)host;
    (void)level;
    (void)format;
}

static struct sluice_metric *no_metric(const struct sluice_host *host, const char *name,
                                       enum sluice_metric_kind kind)
{
    (void)host;
    (void)name;
    (void)kind;
    return NULL;
}

static void no_add(struct sluice_metric *metric, int64_t amount)
{
    (void)metric;
    (void)amount;
}

static void on_ready(void *user)
{
    struct fixture *fixture = user;
    pthread_mutex_lock(&fixture->lock);
    fixture->ready = true;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->lock);
}

/* The next request, waited for. */
static struct rest_request *take(struct fixture *fixture)
{
    for (;;) {
        struct rest_request *request = rest_server_take(fixture->server, 1 << 20);
        if (request) {
            return request;
        }
        pthread_mutex_lock(&fixture->lock);
        while (!fixture->ready) {
            pthread_cond_wait(&fixture->changed, &fixture->lock);
        }
        fixture->ready = false;
        pthread_mutex_unlock(&fixture->lock);
    }
}

static struct fixture *make(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_cond_init(&fixture->changed, NULL);
    fixture->host = (struct sluice_host){.size = sizeof(fixture->host), .log = no_log,
                                         .metric = no_metric, .metric_add = no_add};
    fixture->settings = (struct rest_settings){
        .listeners = {{.host = "127.0.0.1", .port = "0"}},
        .listener_count = 1,
        .allow_origin = "",
        .allow_methods = "",
        .allow_headers = "",
        .expose_headers = "",
        .body_max = 100000,
        .inflight_max = 100000,
        .records_max = 1000,
        .connections_max = 100,
        .idle_ms = 30000,
        .receive_ms = 30000,
        .answer_ms = 30000,
    };
    return fixture;
}

static struct fixture *begin(struct fixture *fixture)
{
    char message[400];
    fixture->server = rest_server_create(&fixture->settings, &fixture->host, on_ready, fixture,
                                         message, sizeof(message));
    assert_non_null(fixture->server);
    client_open(&fixture->client, rest_server_port(fixture->server, 0));
    return fixture;
}

static void end(struct fixture *fixture)
{
    rest_server_destroy(fixture->server);
    client_close(&fixture->client);
    pthread_cond_destroy(&fixture->changed);
    pthread_mutex_destroy(&fixture->lock);
    free(fixture);
}

static void send_text(struct client *client, const char *text)
{
    client_send(client, text, strlen(text));
}

static void give_back(struct fixture *fixture, struct rest_request *request, int64_t offset)
{
    assert_int_equal(rest_request_results(request, 1), 0);
    request->results[0].partition = 0;
    request->results[0].offset = offset;
    rest_server_done(fixture->server, request);
}

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

static void test_too_large(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.body_max = 1000;
    (void)begin(fixture);
    send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n");
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 413);
    assert_non_null(strstr(fixture->client.body, "\"error_code\":413"));
    assert_false(client_receive(&fixture->client));
    client_close(&fixture->client);
    client_open(&fixture->client, rest_server_port(fixture->server, 0));
    send_text(&fixture->client,
              "POST /topics/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    char chunk[700];
    memset(chunk, 'x', sizeof(chunk));
    for (int i = 0; i < 3; i++) {
        send_text(&fixture->client, "258\r\n");
        client_send(&fixture->client, chunk, 600);
        send_text(&fixture->client, "\r\n");
    }
    send_text(&fixture->client, "0\r\n\r\n");
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 413);
    assert_non_null(strstr(fixture->client.body, "larger than 1000 bytes"));
    assert_false(client_receive(&fixture->client));
    end(fixture);
}

/* A client that sends all of it before it reads gets its answer too, not a broken connection. */
static void test_too_large_is_read_to_its_end(void **state)
{
    (void)state;
    enum { SIZE = 8 << 20 };
    struct fixture *fixture = make();
    fixture->settings.body_max = 1000;
    (void)begin(fixture);
    char *body = calloc(1, SIZE), head[200];
    (void)snprintf(head, sizeof(head), "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", SIZE);
    send_text(&fixture->client, head);
    ssize_t sent = 0;
    for (ssize_t n = 1; n > 0 && sent < SIZE; sent += n) {
        n = send(fixture->client.fd, body + sent, (size_t)(SIZE - sent), MSG_NOSIGNAL);
    }
    free(body);
    assert_int_equal(sent, SIZE);
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 413);
    assert_false(client_receive(&fixture->client));
    client_close(&fixture->client);
    client_open(&fixture->client, rest_server_port(fixture->server, 0)); /* asks before it sends: is told at once */
    send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n"
                                "Expect: 100-continue\r\n\r\n");
    char line[14] = "";
    assert_int_equal(recv(fixture->client.fd, line, 12, MSG_PEEK | MSG_WAITALL), 12);
    assert_string_equal(line, "HTTP/1.1 413");
    assert_true(client_receive(&fixture->client));
    assert_false(client_receive(&fixture->client));
    end(fixture);
}

/* One that never ends is told too, when its time is over. */
static void test_too_large_without_end(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.body_max = 100;
    fixture->settings.receive_ms = 100;
    (void)begin(fixture);
    char chunk[600];
    memset(chunk, 'x', sizeof(chunk));
    send_text(&fixture->client,
              "POST /topics/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n258\r\n");
    client_send(&fixture->client, chunk, 600);
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 413);
    assert_false(client_receive(&fixture->client));
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

/* invariant 5: the second body is not read while the first fills what may be in memory. */
static void test_stalls_at_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.body_max = fixture->settings.inflight_max = 1024;
    (void)begin(fixture);
    client_open(&fixture->other, rest_server_port(fixture->server, 0));
    char body[1025];
    memset(body, 'x', 1024);
    body[1024] = '\0';
    const char *head = "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1024\r\n\r\n";
    for (int i = 0; i < 3; i++) {
        send_text(&fixture->client, head);
        send_text(&fixture->client, body);
        struct rest_request *first = take(fixture);
        assert_int_equal(first->size, 1024);
        send_text(&fixture->other, head);
        send_text(&fixture->other, body);
        /* A third connection shows that the server is alive and the second one waits. */
        struct client *third = calloc(1, sizeof(*third));
        client_open(third, rest_server_port(fixture->server, 0));
        client_request(third, "GET", "/", NULL, NULL);
        assert_int_equal(third->status, 200);
        client_close(third);
        free(third);
        assert_null(rest_server_take(fixture->server, 1 << 20));
        give_back(fixture, first, 1);
        assert_true(client_receive(&fixture->client));
        struct rest_request *second = take(fixture);
        assert_int_equal(second->size, 1024);
        give_back(fixture, second, 2);
        assert_true(client_receive(&fixture->other));
        assert_int_equal(fixture->other.status, 200);
    }
    client_close(&fixture->other);
    end(fixture);
}

/* Records weigh against the same limit until their answer is sent; who was held back is called once they do not. */
static void test_records_have_a_weight(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make());
    send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    struct rest_request *request = take(fixture);
    assert_false(rest_server_heavy(fixture->server));
    rest_server_weigh(fixture->server, request, 1000);
    assert_true(rest_server_heavy(fixture->server));
    assert_null(rest_server_take(fixture->server, 1 << 20));
    pthread_mutex_lock(&fixture->lock);
    fixture->ready = false;
    pthread_mutex_unlock(&fixture->lock);
    give_back(fixture, request, 1);
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 200);
    pthread_mutex_lock(&fixture->lock);
    while (!fixture->ready) {
        pthread_cond_wait(&fixture->changed, &fixture->lock);
    }
    pthread_mutex_unlock(&fixture->lock);
    assert_false(rest_server_heavy(fixture->server));
    end(fixture);
}

static void test_rejects_at_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.body_max = fixture->settings.inflight_max = 1024;
    fixture->settings.reject = true;
    (void)begin(fixture);
    client_open(&fixture->other, rest_server_port(fixture->server, 0));
    send_text(&fixture->client,
              "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    struct rest_request *first = take(fixture);
    char body[1024];
    memset(body, 'x', sizeof(body));
    body[1023] = '\0';
    client_post(&fixture->other, "/topics/a", body);
    assert_int_equal(fixture->other.status, 429);
    assert_non_null(strstr(fixture->other.body, "\"error_code\":42901"));
    give_back(fixture, first, 1);
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 200);
    client_close(&fixture->other);
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

static void test_answer_timeout(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.answer_ms = 100;
    (void)begin(fixture);
    send_text(&fixture->client,
              "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    struct rest_request *request = take(fixture);
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 500);
    assert_non_null(strstr(fixture->client.body, "\"error_code\":50003"));
    give_back(fixture, request, 1); /* late: nobody is told, nothing leaks */
    fixture->settings.answer_ms = 5000;
    client_request(&fixture->client, "GET", "/", NULL, NULL);
    assert_int_equal(fixture->client.status, 200);
    end(fixture);
}

static void test_receive_timeout(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.receive_ms = 100;
    (void)begin(fixture);
    send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhal");
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 408);
    assert_non_null(strstr(fixture->client.body, "sluice.http.receive.timeout.ms"));
    assert_false(client_receive(&fixture->client));
    end(fixture);
}

/* A byte now and then moves a connection, but does not keep it for ever. */
static void test_slow_headers(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.idle_ms = 1000;
    fixture->settings.receive_ms = 100;
    (void)begin(fixture);
    struct client *client = &fixture->client;
    client_request(client, "GET", "/", NULL, NULL);
    assert_int_equal(client->status, 200); /* the time begins anew behind an answer */
    send_text(client, "GET / HTTP/1.1\r\nX: ");
    struct timeval pause = {.tv_usec = 50000};
    assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof(pause)), 0);
    int bytes = 0;
    for (char byte; bytes < 200; bytes++) {
        if (recv(client->fd, &byte, 1, 0) == 0 || send(client->fd, "x", 1, MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    assert_true(bytes > 0);
    assert_true(bytes < 100); /* 5 s; due after 1.1 s */
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
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_too_large_is_read_to_its_end),
        cmocka_unit_test(test_too_large_without_end),
        cmocka_unit_test(test_ends_that_are_not_sure),
        cmocka_unit_test(test_slow_headers),
        cmocka_unit_test(test_length_beside_chunks),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_refusals_keep_the_connection),
        cmocka_unit_test(test_stalls_at_the_limit),
        cmocka_unit_test(test_records_have_a_weight),
        cmocka_unit_test(test_rejects_at_the_limit),
        cmocka_unit_test(test_client_leaves),
        cmocka_unit_test(test_answer_timeout),
        cmocka_unit_test(test_receive_timeout),
        cmocka_unit_test(test_stop_answers_what_was_not_taken),
        cmocka_unit_test(test_stop_with_records_under_way),
        cmocka_unit_test(test_cors),
        cmocka_unit_test(test_port_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
