/* See kafka_probe.h. Bytes of requests are Kafka's protocol, version 0 of ApiVersions and Metadata. */
#include "core/broker/kafka_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"

enum { PROBE_MS = 2000, REPLY_MAX = 4096 };

static const unsigned char api_versions[] = {0, 0, 0, 16,  0,   18,  0,   0,   0,   0,
                                             0, 7, 0, 6,   's', 'l', 'u', 'i', 'c', 'e'};
static const unsigned char metadata[] = {0, 0, 0, 20, 0, 3,   0,   0,   0,   0,   0,   8,
                                         0, 6, 's', 'l', 'u', 'i', 'c', 'e', 0, 0, 0, 0};

static bool ready(int fd, short events, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = events};
    int64_t left = deadline - clock_monotonic_ms();
    return left > 0 && poll(&one, 1, (int)left) > 0;
}

static int connect_one(const struct addrinfo *address, int64_t deadline)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int failed = 0;
    socklen_t size = sizeof(failed);
    if (fd < 0) {
        return -1;
    }
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
        (errno == EINPROGRESS && ready(fd, POLLOUT, deadline) &&
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 && failed == 0)) {
        return fd;
    }
    close(fd);
    return -1;
}

static int connect_to(const char *address, int64_t deadline)
{
    char host[300];
    const char *colon = strrchr(address, ':');
    if (!colon || (size_t)(colon - address) >= sizeof(host)) {
        return -1;
    }
    bool bracketed = *address == '[' && colon > address && colon[-1] == ']';
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address) - (bracketed ? 2 : 0),
                   address + (bracketed ? 1 : 0));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int fd = -1;
    if (getaddrinfo(host, colon + 1, &hints, &found) == 0) {
        for (struct addrinfo *one = found; one && fd < 0; one = one->ai_next) {
            fd = connect_one(one, deadline);
        }
        freeaddrinfo(found);
    }
    return fd;
}

/* Sends all of it and reads what comes first; 0: closed, or silent. */
static size_t ask(int fd, const void *data, size_t size, unsigned char *reply, size_t reply_size,
                  int64_t deadline)
{
    if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size) { /* small: it fits the socket's buffer */
        return 0;
    }
    ssize_t got = ready(fd, POLLIN, deadline) ? recv(fd, reply, reply_size, 0) : 0;
    return got > 0 ? (size_t)got : 0;
}

static size_t client_hello(unsigned char *hello, size_t size)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *tls = context ? SSL_new(context) : NULL;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    int count = 0;
    if (tls && in && out) {
        SSL_set_bio(tls, in, out);
        SSL_set_connect_state(tls);
        (void)SSL_do_handshake(tls); /* writes, then wants to read */
        count = BIO_read(out, hello, (int)size);
    } else {
        BIO_free(in);
        BIO_free(out);
    }
    SSL_free(tls);
    SSL_CTX_free(context);
    return count > 0 ? (size_t)count : 0;
}

static bool speaks_tls(const char *address, int64_t deadline)
{
    unsigned char hello[4096], reply[64];
    size_t size = client_hello(hello, sizeof(hello));
    int fd = size > 0 ? connect_to(address, deadline) : -1;
    if (fd < 0) {
        return false;
    }
    size_t got = ask(fd, hello, size, reply, sizeof(reply), deadline);
    close(fd);
    /* a record of type handshake or alert, version 3.x */
    return got >= 3 && (reply[0] == 0x16 || reply[0] == 0x15) && reply[1] == 3;
}

static enum kafka_port speaks_plain(const char *address, int64_t deadline)
{
    unsigned char reply[REPLY_MAX];
    int fd = connect_to(address, deadline);
    if (fd < 0) {
        return KAFKA_PORT_UNKNOWN;
    }
    size_t got = ask(fd, api_versions, sizeof(api_versions), reply, sizeof(reply), deadline);
    static const unsigned char correlation[] = {0, 0, 0, 7};
    enum kafka_port found = KAFKA_PORT_UNKNOWN;
    if (got >= 8 && memcmp(reply + 4, correlation, 4) == 0) {
        /* Before SASL a broker answers ApiVersions, and closes upon anything else. */
        got = ask(fd, metadata, sizeof(metadata), reply, sizeof(reply), deadline);
        found = got > 0                                ? KAFKA_PORT_PLAINTEXT
                : clock_monotonic_ms() < deadline ? KAFKA_PORT_SASL
                                                  : KAFKA_PORT_UNKNOWN;
    }
    close(fd);
    return found;
}

enum kafka_port kafka_probe(const char *address, bool want_tls)
{
    int64_t deadline = clock_monotonic_ms() + PROBE_MS;
    if (!want_tls && speaks_tls(address, deadline)) {
        return KAFKA_PORT_TLS;
    }
    enum kafka_port port = speaks_plain(address, deadline);
    if (port == KAFKA_PORT_SASL) { /* or a broker that was just going: that one is gone by now */
        struct timespec pause = {0, 500 * 1000000L};
        nanosleep(&pause, NULL);
        port = speaks_plain(address, deadline + PROBE_MS);
    }
    return port;
}
