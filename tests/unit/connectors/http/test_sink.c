/* The HTTP sink when a batch comes again, which may be less of it: its partitions can have left meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/fake_sink_host.h"

/* Answers a request a connection, so many of them with 200, then one with 503, then all with 200. */
static struct server {
    int fd, good;
    pthread_t thread;
    char paths[1000]; /* of requests that were taken, one behind the other */
} server;

static void *serve(void *user)
{
    (void)user;
    for (int fd; (fd = accept(server.fd, NULL, NULL)) >= 0; close(fd)) {
        char request[4000] = "", path[100] = "";
        size_t size = 0;
        ssize_t got;
        while (!strstr(request, "\r\n\r\n1") && (got = read(fd, request + size, sizeof(request) - 1 - size)) > 0) {
            size += (size_t)got; /* each body is a 1 */
            request[size] = '\0';
        }
        bool good = server.good-- != 0;
        if (sscanf(request, "POST %99s", path) == 1 && good) {
            strncat(server.paths, path, sizeof(server.paths) - strlen(server.paths) - 1);
        }
        dprintf(fd, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", good ? "200 OK" : "503 Busy");
    }
    return NULL;
}

static struct fake_sink_host *start(int good)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    char url[100], error[500];
    server = (struct server){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .good = good};
    assert_int_equal(bind(server.fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server.fd, 10), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/${partition}@${offset}", ntohs(address.sin_port));
    const char *const properties[] = {"topics", "t", "http.url", url, NULL};
    struct fake_sink_host *fake =
        fake_sink_host_create(HTTP_PLUGIN, "sluice.http.HttpSinkConnector", properties, error, sizeof(error));
    if (!fake || fake_sink_host_start(fake) != SLUICE_OK) {
        fail_msg("%s", fake ? fake->failure.error.message : error);
    }
    return fake;
}

static void stop(struct fake_sink_host *fake)
{
    fake_sink_host_destroy(fake);
    shutdown(server.fd, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.fd);
}

static struct fake_sink_record at(int32_t partition, int64_t offset)
{
    static const char topic[] = "t";
    return (struct fake_sink_record){.topic = topic, .partition = partition, .offset = offset, .value = "1"};
}

static void test_what_was_sent_is_not_sent_again(void **state)
{
    (void)state;
    struct fake_sink_host *fake = start(2);
    const struct fake_sink_record all[] = {at(0, 10), at(1, 5), at(0, 11)};
    assert_int_equal(fake_sink_host_put(fake, all, 3), SLUICE_RETRY);
    assert_int_equal(fake_sink_host_put(fake, all, 3), SLUICE_OK);
    stop(fake);
    assert_string_equal(server.paths, "/0@10/1@5/0@11");
}

static void test_what_is_left_of_a_batch_is_sent(void **state)
{
    (void)state;
    struct fake_sink_host *fake = start(2);
    const struct fake_sink_record all[] = {at(0, 10), at(1, 5), at(0, 11)}, left[] = {at(0, 10), at(0, 11)};
    assert_int_equal(fake_sink_host_put(fake, all, 3), SLUICE_RETRY);
    assert_int_equal(fake_sink_host_put(fake, left, 2), SLUICE_OK);
    stop(fake);
    assert_string_equal(server.paths, "/0@10/1@5/0@10/0@11");
}

static void test_another_batch_with_the_same_beginning_is_sent(void **state)
{
    (void)state;
    struct fake_sink_host *fake = start(2);
    const struct fake_sink_record all[] = {at(0, 10), at(1, 5), at(0, 11)}, other[] = {at(0, 10), at(0, 11), at(0, 12)};
    assert_int_equal(fake_sink_host_put(fake, all, 3), SLUICE_RETRY);
    assert_int_equal(fake_sink_host_put(fake, other, 3), SLUICE_OK);
    stop(fake);
    assert_string_equal(server.paths, "/0@10/1@5/0@10/0@11/0@12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sent_is_not_sent_again),
        cmocka_unit_test(test_what_is_left_of_a_batch_is_sent),
        cmocka_unit_test(test_another_batch_with_the_same_beginning_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
