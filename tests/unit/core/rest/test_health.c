/* A health check is answered also when the herder is not: within its time, once, and later answers of
 * the herder find nobody; and beside clients that only hold on to connections and memory. The herder here is a
 * fake that keeps what it is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/rest/rest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
static struct herder_request kept;
static int count;

void herder_submit(struct herder *herder, const struct herder_request *request)
{
    (void)herder;
    pthread_mutex_lock(&lock);
    kept = *request;
    count++;
    pthread_cond_signal(&asked);
    pthread_mutex_unlock(&lock);
}

static void reply(int status, const char *text)
{
    json_t *body = json_pack("{s:s}", "status", text);
    const struct herder_reply answer = {.status = status, .body = body};
    kept.done(kept.user, &answer);
    json_decref(body);
}

static int connected(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int send_get(int port, const char *path)
{
    char text[128];
    int fd = connected(port);
    int size = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    assert_int_equal(write(fd, text, (size_t)size), size);
    return fd;
}

static const char *receive(int fd)
{
    static char text[4096];
    size_t size = 0;
    ssize_t got;
    while (size < sizeof(text) - 1 && (got = read(fd, text + size, sizeof(text) - 1 - size)) > 0) {
        size += (size_t)got;
    }
    text[size] = '\0';
    close(fd);
    return text;
}

static void wait_asked(int wanted)
{
    pthread_mutex_lock(&lock);
    while (count < wanted) {
        pthread_cond_wait(&asked, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static struct rest *start(struct rest_listener *listener, int timeout_ms)
{
    static struct properties worker;
    struct error error = {0};
    struct rest *rest = NULL;
    *listener = (struct rest_listener){.host = "127.0.0.1"};
    const struct rest_options options = {
        .listeners = listener, .count = 1, .worker = &worker, .health_timeout_ms = timeout_ms};
    assert_int_equal(rest_start(&options, &rest, &error), 0);
    rest_open(rest, (struct herder *)&count); /* never looked into here */
    count = 0;
    return rest;
}

static void test_answered(void **state)
{
    struct rest_listener listener;
    (void)state;
    struct rest *rest = start(&listener, 60000);
    int fd = send_get(listener.port, "/health");
    wait_asked(1);
    assert_int_equal(kept.verb, HERDER_HEALTH);
    reply(200, "healthy");
    const char *text = receive(fd);
    assert_non_null(strstr(text, "HTTP/1.1 200"));
    assert_non_null(strstr(text, "{\"status\":\"healthy\"}"));
    rest_stop(rest);
}

static void test_silent_herder(void **state)
{
    struct rest_listener listener;
    (void)state;
    struct rest *rest = start(&listener, 50);
    const char *text = receive(send_get(listener.port, "/health"));
    assert_non_null(strstr(text, "HTTP/1.1 500"));
    assert_non_null(strstr(text, "{\"status\":\"unhealthy\",\"message\":\"Worker was unable to handle this "
                                 "request and may be unable to handle other requests.\"}"));
    reply(200, "healthy"); /* late: for nobody */
    /* other requests have the herder's own limit, and are answered when the worker goes */
    int fd = send_get(listener.port, "/connectors");
    wait_asked(2);
    (void)receive(send_get(listener.port, "/health"));
    reply(200, "late again");
    rest_stop(rest);
    assert_non_null(strstr(receive(fd), "HTTP/1.1 503"));
}

static void check_health(const struct rest_listener *listener)
{
    int fd = send_get(listener->port, "/health");
    wait_asked(1);
    reply(200, "healthy");
    assert_non_null(strstr(receive(fd), "HTTP/1.1 200"));
}

/* They are ended by us, in a second or so; otherwise in 120. */
static void check_ended(int fd)
{
    char byte;
    const struct timeval limit = {.tv_sec = 60};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_true(read(fd, &byte, 1) == 0 || errno == ECONNRESET);
    close(fd);
}

/* All connections that there may be are open, and wait in the middle of their first line. */
static void test_all_connections_taken(void **state)
{
    enum { MANY = 520 };
    struct rest_listener listener;
    int fds[MANY];
    (void)state;
    struct rlimit files = {0};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096; /* both ends are ours here */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    struct rest *rest = start(&listener, 60000);
    for (int i = 0; i < MANY; i++) {
        fds[i] = connected(listener.port);
        (void)send(fds[i], "GET /", 5, MSG_NOSIGNAL);
    }
    check_health(&listener);
    check_ended(fds[0]); /* the oldest */
    for (int i = 1; i < MANY; i++) {
        close(fds[i]);
    }
    rest_stop(rest);
}

/* Bodies of which the last byte does not come, in all more than there is room for. */
static void test_bodies_that_do_not_end(void **state)
{
    enum { BODIES = 12, SIZE = 7 << 20 };
    struct rest_listener listener;
    static char body[SIZE];
    char head[200];
    int fds[BODIES];
    (void)state;
    struct rest *rest = start(&listener, 60000);
    int size = snprintf(head, sizeof(head), "POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Type: "
                                            "application/json\r\nContent-Length: %d\r\n\r\n", SIZE + 1);
    for (int i = 0; i < BODIES; i++) {
        fds[i] = connected(listener.port);
        (void)send(fds[i], head, (size_t)size, MSG_NOSIGNAL);
        for (ssize_t sent = 0, n = 1; n > 0 && sent < SIZE; sent += n) {
            n = send(fds[i], body + sent, (size_t)(SIZE - sent), MSG_NOSIGNAL); /* ends early where it was ended */
        }
    }
    check_health(&listener);
    check_ended(fds[0]);
    for (int i = 1; i < BODIES; i++) {
        close(fds[i]);
    }
    rest_stop(rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered),
        cmocka_unit_test(test_silent_herder),
        cmocka_unit_test(test_all_connections_taken),
        cmocka_unit_test(test_bodies_that_do_not_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
