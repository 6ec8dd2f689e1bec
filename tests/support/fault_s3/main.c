/*
 * A strict S3 service that fails on purpose, for chaos tests and benchmarks: one thread, objects in
 * memory.
 *
 *   fault_s3 [--port N] [--delay MS] [--discard] [--seed N] [--faults PER_MILLE] [--access K] [--secret S]
 *
 * Prints `PORT n` and serves until its standard input ends. --delay is added to every request, --discard
 * keeps no data. Every signature and payload hash is verified; parts below 5 MiB, wrong ETags and the
 * like are refused as S3 refuses them.
 *
 * Of every 1000 requests, PER_MILLE fail: 500, 503 SlowDown, a 200 with an error in it, a connection
 * reset before, amid and behind the request (done, but the answer is lost), a slow answer, an expired
 * token, a clock that jumps by an hour, 409. Which, follows from the seed.
 *
 * Unsigned, for tests: GET /_control/state (JSON), /_control/keys (a line each: size, puts, key),
 * /_control/uploads (open ones, a line each: id, parts, key), /_control/object?KEY (its bytes),
 * POST /_control/faults?PER_MILLE.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/fault_s3/fault_s3.h"

enum { EVENTS = 256 };

struct options options = {.access = "access", .secret = "secret", .random = 88172645463325252u};
struct counts counts;
int64_t clock_skew;

static struct connection *connections;
static int poller;

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- HTTP -- */

static void split_query(struct request *request)
{
    for (char *rest = request->query, *pair; rest && *rest && (pair = strsep(&rest, "&"));) {
        char *value = strchr(pair, '=');
        if (value) {
            *value++ = '\0';
        }
        if (request->pair_count < PAIRS) {
            decode(pair);
            if (value) {
                decode(value);
            }
            request->pairs[request->pair_count++] = (struct sigv4_pair){pair, value ? value : ""};
        }
    }
}

/* A whole request is in the buffer: head of so many bytes, then the body. */
static void handle(struct connection *connection, size_t head, size_t body_size)
{
    struct request request = {.body = connection->in.data + head, .body_size = body_size};
    char *line = connection->in.data;
    char saved = request.body[body_size];
    request.body[body_size] = '\0';
    line[head - 2] = '\0';
    request.method = strsep(&line, " ");
    request.path = strsep(&line, " ");
    request.headers = line ? strstr(line, "\r\n") : NULL;
    request.query = request.path ? strchr(request.path, '?') : NULL;
    if (request.query) {
        *request.query++ = '\0';
    } else {
        static char none[1];
        request.query = none;
    }
    counts.requests++;
    if (strncmp(request.path, "/_control/", 10) == 0) {
        control(connection, &request);
        goto out;
    }
    split_query(&request);
    const char *slash = strchr(request.path + 1, '/');
    request.bucket_only = !slash || !slash[1];
    if (!request.bucket_only) {
        snprintf(request.key, sizeof(request.key), "%s", slash + 1);
        decode(request.key);
    }
    connection->answer_at = options.delay ? now_ms() + options.delay : 0;
    if (!disturb(connection, &request)) {
        serve(connection, &request);
    }
out:
    request.body[body_size] = saved;
    buffer_consume(&connection->in, head + body_size);
    connection->continued = false;
}

static void destroy(struct connection *connection)
{
    if (connection->previous) {
        connection->previous->next = connection->next;
    } else {
        connections = connection->next;
    }
    if (connection->next) {
        connection->next->previous = connection->previous;
    }
    close(connection->fd);
    buffer_finish(&connection->in);
    buffer_finish(&connection->out);
    free(connection);
}

/* False: it is gone. */
static bool flush_out(struct connection *connection)
{
    while (connection->sent < connection->out.size) {
        ssize_t sent = send(connection->fd, connection->out.data + connection->sent,
                            connection->out.size - connection->sent, MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN;
        }
        connection->sent += (size_t)sent;
    }
    buffer_reset(&connection->out);
    connection->sent = 0;
    return !connection->close;
}

/* Handles whole requests; false: the connection is done with. */
static bool advance(struct connection *connection)
{
    for (;;) {
        if (connection->answer_at > now_ms()) {
            return true;
        }
        connection->answer_at = 0;
        if (!flush_out(connection)) {
            return false;
        }
        if (connection->out.size > 0 || connection->in.size == 0) {
            return true;
        }
        char *end = memmem(connection->in.data, connection->in.size, "\r\n\r\n", 4);
        if (!end) {
            return connection->in.size < 64 << 10;
        }
        size_t head = (size_t)(end - connection->in.data) + 4;
        char *length = strcasestr(connection->in.data, "\r\ncontent-length:");
        size_t body = length && length < end ? strtoull(length + 17, NULL, 10) : 0;
        if (body > BODY_MAX) {
            return false;
        }
        char *expect = strcasestr(connection->in.data, "\r\nexpect: 100");
        if (expect && expect < end && !connection->continued) {
            connection->continued = true;
            buffer_append_text(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
            continue;
        }
        if (connection->in.size < head + body) {
            /* amid a large part, now and then */
            if (options.faults > 0 && body > PART_MIN / 2 && connection->in.size > body / 2 &&
                random_next() % 20000 < (uint64_t)options.faults) {
                counts.faults++;
                reset_connection(connection);
                return false;
            }
            return buffer_reserve(&connection->in, head + body + 1 - connection->in.size) == 0;
        }
        if (buffer_reserve(&connection->in, 1) != 0) {
            return false;
        }
        handle(connection, head, body);
    }
}

static bool read_in(struct connection *connection)
{
    for (;;) {
        if (buffer_reserve(&connection->in, 64 << 10) != 0) {
            return false;
        }
        size_t room = connection->in.capacity - connection->in.size - 1;
        ssize_t got = recv(connection->fd, connection->in.data + connection->in.size, room, 0);
        if (got == 0) {
            return false;
        }
        if (got < 0) {
            return errno == EAGAIN;
        }
        connection->in.size += (size_t)got;
        connection->in.data[connection->in.size] = '\0';
        if ((size_t)got < room) {
            return true;
        }
    }
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof(*connection));
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        connection->fd = fd;
        buffer_init(&connection->in, BODY_MAX + (1 << 20));
        buffer_init(&connection->out, BODY_MAX + (1 << 20));
        connection->next = connections;
        if (connections) {
            connections->previous = connection;
        }
        connections = connection;
        struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = connection}};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

/* Answers whose time has come; ms until the next. */
static int advance_delayed(void)
{
    int64_t now = now_ms(), next = now + 1000;
    for (struct connection *connection = connections, *after; connection; connection = after) {
        after = connection->next;
        if (connection->answer_at == 0) {
            continue;
        }
        if (connection->answer_at <= now && !advance(connection)) {
            destroy(connection);
            continue;
        }
        if (connection->answer_at > 0 && connection->answer_at < next) {
            next = connection->answer_at;
        }
    }
    return next > now ? (int)(next - now) : 0;
}

/* -- the program -- */

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        perror("fault_s3");
        exit(3);
    }
    printf("PORT %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void read_arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--discard") == 0) {
            options.discard = true;
            continue;
        }
        if (strcmp(argv[i], "--port") == 0) {
            options.port = atoi(value);
        } else if (strcmp(argv[i], "--delay") == 0) {
            options.delay = atoi(value);
        } else if (strcmp(argv[i], "--faults") == 0) {
            options.faults = atoi(value);
        } else if (strcmp(argv[i], "--seed") == 0) {
            options.random ^= strtoull(value, NULL, 10) * 0x9e3779b97f4a7c15u;
            options.random |= 1;
        } else if (strcmp(argv[i], "--access") == 0) {
            options.access = value;
        } else if (strcmp(argv[i], "--secret") == 0) {
            options.secret = value;
        } else {
            fprintf(stderr, "fault_s3: unknown argument %s\n", argv[i]);
            exit(2);
        }
        i++;
    }
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(options.port);
    static char input, listening;
    struct epoll_event event = {EPOLLIN, {.ptr = &listening}};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event = (struct epoll_event){EPOLLIN | EPOLLHUP, {.ptr = &input}};
    bool watched = epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event) == 0; /* not so where it is a file */
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poller, events, EVENTS, advance_delayed());
        for (int i = 0; i < count; i++) {
            char text[64];
            if (events[i].data.ptr == &listening) {
                accept_all(listener);
            } else if (events[i].data.ptr == &input) {
                if (watched && read(0, text, sizeof(text)) <= 0) {
                    return 0;
                }
            } else {
                struct connection *connection = events[i].data.ptr;
                if (!read_in(connection) || !advance(connection)) {
                    destroy(connection);
                }
            }
        }
    }
}
