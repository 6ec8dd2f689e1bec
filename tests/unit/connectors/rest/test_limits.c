/* What a client may take: bytes, records, time, connections; and what it gets when others wait for that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/connectors/rest/server_fixture.h"

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
    assert_int_equal(shutdown(fixture->client.fd, SHUT_WR), 0); /* it waits for the body all the same */
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
    rest_server_weigh(fixture->server, request, 1000 * REST_RECORD_WEIGHT);
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

/* Waits until the server takes records again. */
static void wait_light(struct fixture *fixture)
{
    pthread_mutex_lock(&fixture->lock);
    for (;;) {
        fixture->ready = false;
        pthread_mutex_unlock(&fixture->lock);
        bool heavy = rest_server_heavy(fixture->server);
        pthread_mutex_lock(&fixture->lock);
        if (!heavy) {
            break;
        }
        while (!fixture->ready) {
            pthread_cond_wait(&fixture->changed, &fixture->lock);
        }
    }
    pthread_mutex_unlock(&fixture->lock);
}

/* invariant 5: they fill what all share, and those who left them are parted with. */
static void test_answers_that_nobody_reads(void **state)
{
    (void)state;
    enum { RECORDS = 400000 }; /* 25 MB: more than the kernel takes in */
    struct fixture *fixture = make();
    fixture->settings.idle_ms = fixture->settings.receive_ms = 600000; /* time alone does not end it */
    (void)begin(fixture);
    send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    struct rest_request *request = take(fixture);
    assert_int_equal(rest_request_results(request, RECORDS), 0);
    rest_server_weigh(fixture->server, request, RECORDS * (size_t)REST_RECORD_WEIGHT);
    assert_true(rest_server_heavy(fixture->server));
    rest_server_done(fixture->server, request);
    wait_light(fixture);
    static char bytes[65536];
    size_t size = 0;
    for (ssize_t got; (got = recv(fixture->client.fd, bytes, sizeof(bytes), 0)) > 0; size += (size_t)got) {
    }
    assert_true(size < RECORDS * sizeof("{\"partition\":null,\"offset\":null,\"error_code\":null,\"error\":null}"));
    end(fixture);
}

/* A body that was announced keeps its room from others only as long as it comes. */
static void test_slow_body_gives_way(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.body_max = fixture->settings.inflight_max = 1024;
    (void)begin(fixture);
    client_open(&fixture->other, rest_server_port(fixture->server, 0));
    send_text(&fixture->client, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1024\r\n\r\nhal");
    client_request(&fixture->other, "GET", "/", NULL, NULL); /* the headers before it were seen */
    send_text(&fixture->other, "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    struct rest_request *request = take(fixture);
    assert_int_equal(request->size, 5);
    give_back(fixture, request, 1);
    assert_true(client_receive(&fixture->other));
    assert_int_equal(fixture->other.status, 200);
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 408);
    assert_non_null(strstr(fixture->client.body, "too slowly"));
    client_close(&fixture->other);
    end(fixture);
}

/* All connections there may be are open and idle: the oldest makes room. */
static void test_idle_connections_give_way(void **state)
{
    (void)state;
    struct fixture *fixture = make();
    fixture->settings.connections_max = 2;
    (void)begin(fixture);
    struct client *second = calloc(1, sizeof(*second));
    client_request(&fixture->client, "GET", "/", NULL, NULL);
    assert_int_equal(fixture->client.status, 200);
    client_open(second, rest_server_port(fixture->server, 0));
    client_request(second, "GET", "/", NULL, NULL);
    assert_int_equal(second->status, 200);
    client_open(&fixture->other, rest_server_port(fixture->server, 0));
    client_request(&fixture->other, "GET", "/", NULL, NULL);
    assert_int_equal(fixture->other.status, 200);
    assert_false(client_receive(&fixture->client));
    client_close(second);
    free(second);
    client_close(&fixture->other);
    end(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_too_large_is_read_to_its_end),
        cmocka_unit_test(test_too_large_without_end),
        cmocka_unit_test(test_stalls_at_the_limit),
        cmocka_unit_test(test_records_have_a_weight),
        cmocka_unit_test(test_rejects_at_the_limit),
        cmocka_unit_test(test_answer_timeout),
        cmocka_unit_test(test_receive_timeout),
        cmocka_unit_test(test_slow_headers),
        cmocka_unit_test(test_answers_that_nobody_reads),
        cmocka_unit_test(test_slow_body_gives_way),
        cmocka_unit_test(test_idle_connections_give_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
