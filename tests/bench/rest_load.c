/*
 * Load generator for the REST source: N keep-alive connections in one epoll loop, each with one POST
 * under way, single records or batches. Prints one line of figures, or JSON with --json.
 *
 *   rest_load [--url http://HOST:PORT] [--topic T] [--connections N] [--batch N] [--bytes N]
 *             [--seconds S | --requests N] [--rows ROWS.jsonl] [--json]
 *
 * Bodies are made once before the clock starts, so that the generator costs as little as it can.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 4096, BODIES_MAX = 256, IN_MAX = 256 * 1024 };

struct load {
    const char *host, *port, *topic, *file;
    int connections, batch, bytes;
    double seconds;
    long long requests; /* 0: until the time is over */
    bool json;

    char *bodies[BODIES_MAX]; /* whole requests, headers included */
    size_t sizes[BODIES_MAX];
    int body_count, next_body;

    int epoll;
    long long sent, done, records, errors;
    uint64_t *latencies; /* microseconds, a ring */
    size_t latency_count;
};

struct connection {
    int fd;
    const char *out;
    size_t out_left;
    char *in;
    size_t in_size;
    size_t expected; /* bytes of the answer; 0: headers not complete */
    uint64_t started;
};

enum { LATENCIES = 1 << 20 };

static uint64_t micros(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void fail(const char *what)
{
    fprintf(stderr, "rest_load: %s: %s\n", what, strerror(errno));
    exit(3);
}

/* -- bodies -- */

static char *read_rows(const char *path, char **lines, int *ret_count)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail(path);
    }
    (void)fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) {
        fail(path);
    }
    text[size] = '\0';
    (void)fclose(file);
    int count = 0;
    for (char *at = strtok(text, "\n"); at && count < 4096; at = strtok(NULL, "\n")) {
        lines[count++] = at;
    }
    *ret_count = count;
    return text;
}

static void make_bodies(struct load *load)
{
    static char *lines[4096];
    int line_count = 0;
    char *text = load->file ? read_rows(load->file, lines, &line_count) : NULL;
    char *filler = malloc((size_t)load->bytes + 1);
    memset(filler, 'x', (size_t)load->bytes);
    filler[load->bytes] = '\0';
    load->body_count = load->batch > 1 ? 16 : BODIES_MAX;
    int row = 0;
    for (int i = 0; i < load->body_count; i++) {
        char *body = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&body, &size);
        fprintf(to, "{\"records\": [");
        for (int j = 0; j < load->batch; j++, row++) {
            fprintf(to, j ? ", " : "");
            if (line_count > 0) {
                fprintf(to, "{\"value\": %s}", lines[row % line_count]);
            } else {
                fprintf(to,
                        "{\"value\": {\"index\": %d, \"title\": \"row %d\", \"n\": 1.5, \"text\": \"%s\"}}",
                        row, row, filler);
            }
        }
        fprintf(to, "]}");
        (void)fclose(to);
        char *request = malloc(size + 512);
        int head = sprintf(request,
                           "POST /topics/%s HTTP/1.1\r\nHost: %s:%s\r\n"
                           "Content-Type: application/vnd.kafka.json.v2+json\r\n"
                           "Accept: application/vnd.kafka.v2+json\r\nContent-Length: %zu\r\n\r\n",
                           load->topic, load->host, load->port, size);
        memcpy(request + head, body, size);
        load->bodies[i] = request;
        load->sizes[i] = (size_t)head + size;
        free(body);
    }
    free(filler);
    free(text);
}

/* -- connections -- */

static void send_more(struct load *load, struct connection *connection)
{
    while (connection->out_left > 0) {
        ssize_t sent = send(connection->fd, connection->out, connection->out_left, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) {
                struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = connection};
                (void)epoll_ctl(load->epoll, EPOLL_CTL_MOD, connection->fd, &event);
                return;
            }
            fail("send");
        }
        connection->out += sent;
        connection->out_left -= (size_t)sent;
    }
}

static void next_request(struct load *load, struct connection *connection)
{
    int body = load->next_body++ % load->body_count;
    connection->out = load->bodies[body];
    connection->out_left = load->sizes[body];
    connection->in_size = connection->expected = 0;
    connection->started = micros();
    load->sent++;
    send_more(load, connection);
}

static long long count_of(const char *text, size_t size, const char *what)
{
    long long count = 0;
    size_t what_size = strlen(what);
    const char *at = text, *end = text + size;
    while ((at = memmem(at, (size_t)(end - at), what, what_size)) != NULL) {
        count++;
        at += what_size;
    }
    return count;
}

/* True once the whole answer is there. */
static bool receive(struct load *load, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->in + connection->in_size,
                       IN_MAX - 1 - connection->in_size, 0);
    if (got < 0) {
        if (errno == EAGAIN) {
            return false;
        }
        fail("recv");
    }
    if (got == 0) {
        fprintf(stderr, "rest_load: the server closed a connection\n");
        exit(1);
    }
    connection->in_size += (size_t)got;
    connection->in[connection->in_size] = '\0';
    if (connection->expected == 0) {
        char *body = strstr(connection->in, "\r\n\r\n");
        char *length = strcasestr(connection->in, "content-length:");
        if (!body || !length) {
            return false;
        }
        connection->expected = (size_t)(body + 4 - connection->in) + strtoul(length + 15, NULL, 10);
    }
    if (connection->in_size < connection->expected) {
        return false;
    }
    if (strncmp(connection->in, "HTTP/1.1 200", 12) != 0) {
        load->errors++;
        if (load->errors == 1) {
            fprintf(stderr, "rest_load: %.300s\n", connection->in);
        }
    } else if (load->batch == 1) {
        bool good = strstr(connection->in, "\"error_code\":null") != NULL;
        load->records += good;
        load->errors += !good;
    } else {
        long long good = count_of(connection->in, connection->in_size, "\"error_code\":null");
        load->records += good;
        load->errors += load->batch - good;
    }
    load->latencies[load->latency_count++ % LATENCIES] = micros() - connection->started;
    load->done++;
    return true;
}

static void open_connections(struct load *load, struct connection *connections)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *address = NULL;
    if (getaddrinfo(load->host, load->port, &hints, &address) != 0) {
        fail(load->host);
    }
    for (int i = 0; i < load->connections; i++) {
        struct connection *connection = &connections[i];
        connection->fd = socket(address->ai_family, SOCK_STREAM, 0);
        int one = 1;
        if (connection->fd < 0 ||
            connect(connection->fd, address->ai_addr, address->ai_addrlen) != 0) {
            fail("connect");
        }
        (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
            fail("epoll_ctl");
        }
        connection->in = malloc(IN_MAX);
    }
    freeaddrinfo(address);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct load *load, double seconds)
{
    size_t count = load->latency_count < LATENCIES ? load->latency_count : LATENCIES;
    qsort(load->latencies, count, sizeof(uint64_t), by_size);
    double p50 = count ? (double)load->latencies[count / 2] / 1000 : 0;
    double p99 = count ? (double)load->latencies[count * 99 / 100] / 1000 : 0;
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
                 (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    printf(load->json ? "{\"requests\":%lld,\"records\":%lld,\"errors\":%lld,\"seconds\":%.3f,"
                        "\"requests_per_second\":%.0f,\"records_per_second\":%.0f,\"p50_ms\":%.3f,"
                        "\"p99_ms\":%.3f,\"generator_cpu_seconds\":%.3f}\n"
                      : "%lld requests, %lld records, %lld errors in %.3f s: %.0f requests/s, "
                        "%.0f records/s, p50 %.3f ms, p99 %.3f ms, generator %.3f CPU s\n",
           load->done, load->records, load->errors, seconds, (double)load->done / seconds,
           (double)load->records / seconds, p50, p99, cpu);
}

static const char *value_of(int *i, int argc, char **argv)
{
    if (*i + 1 >= argc) {
        fprintf(stderr, "rest_load: %s needs a value\n", argv[*i]);
        exit(2);
    }
    return argv[++*i];
}

static void parse_url(struct load *load, const char *url)
{
    char *copy = strdup(strncmp(url, "http://", 7) == 0 ? url + 7 : url);
    char *colon = copy ? strrchr(copy, ':') : NULL;
    if (!colon) {
        fprintf(stderr, "rest_load: --url is http://HOST:PORT\n");
        exit(2);
    }
    *colon = '\0';
    load->host = copy;
    load->port = colon + 1;
    colon[1 + strspn(colon + 1, "0123456789")] = '\0';
}

int main(int argc, char **argv)
{
    struct load load = {.host = "127.0.0.1", .port = "8082", .topic = "bench", .connections = 64,
                        .batch = 1, .bytes = 400, .seconds = 5};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--json") == 0) {
            load.json = true;
        } else if (strcmp(name, "--url") == 0) {
            parse_url(&load, value_of(&i, argc, argv));
        } else if (strcmp(name, "--topic") == 0) {
            load.topic = value_of(&i, argc, argv);
        } else if (strcmp(name, "--rows") == 0) {
            load.file = value_of(&i, argc, argv);
        } else if (strcmp(name, "--connections") == 0) {
            load.connections = atoi(value_of(&i, argc, argv));
        } else if (strcmp(name, "--batch") == 0) {
            load.batch = atoi(value_of(&i, argc, argv));
        } else if (strcmp(name, "--bytes") == 0) {
            load.bytes = atoi(value_of(&i, argc, argv));
        } else if (strcmp(name, "--seconds") == 0) {
            load.seconds = atof(value_of(&i, argc, argv));
        } else if (strcmp(name, "--requests") == 0) {
            load.requests = atoll(value_of(&i, argc, argv));
        } else {
            fprintf(stderr, "rest_load: unknown option %s\n", name);
            return 2;
        }
    }
    if (load.connections < 1 || load.connections > CONNECTIONS_MAX || load.batch < 1 ||
        load.batch > 1000 || load.bytes < 0 || load.bytes > 1000000) {
        fprintf(stderr, "rest_load: 1 to %d connections, 1 to 1000 records, 0 to 1000000 bytes\n",
                CONNECTIONS_MAX);
        return 2;
    }
    static struct connection connections[CONNECTIONS_MAX];
    load.latencies = malloc(LATENCIES * sizeof(uint64_t));
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load.latencies || load.epoll < 0) {
        fail("start");
    }
    make_bodies(&load);
    open_connections(&load, connections);
    uint64_t start = micros(), end = start + (uint64_t)(load.seconds * 1e6);
    int active = 0;
    for (; active < load.connections && (load.requests == 0 || load.sent < load.requests); active++) {
        next_request(&load, &connections[active]);
    }
    while (active > 0) {
        struct epoll_event events[256];
        int count = epoll_wait(load.epoll, events, 256, 10000);
        if (count == 0) {
            fprintf(stderr, "rest_load: no answer for 10 s\n");
            return 1;
        }
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) {
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
                (void)epoll_ctl(load.epoll, EPOLL_CTL_MOD, connection->fd, &event);
                send_more(&load, connection);
            }
            if ((events[i].events & ~(unsigned)EPOLLOUT) && receive(&load, connection)) {
                bool more = load.requests > 0 ? load.sent < load.requests : micros() < end;
                if (more) {
                    next_request(&load, connection);
                } else {
                    active--;
                }
            }
        }
    }
    report(&load, (double)(micros() - start) / 1e6);
    for (int i = 0; i < load.connections; i++) {
        (void)close(connections[i].fd);
        free(connections[i].in);
    }
    for (int i = 0; i < load.body_count; i++) {
        free(load.bodies[i]);
    }
    free(load.latencies);
    return load.errors > 0 ? 1 : 0;
}
