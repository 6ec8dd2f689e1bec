/* Listeners, thread and queues of the HTTP side, see server.h. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connectors/rest/keystore.h"
#include "connectors/rest/server_priv.h"

/* Bounds headers and one read. libmicrohttpd clears all of it after each request, so more of it costs
 * single records what it saves large batches (measured: 8 to 64 kB, best between 16 and 32). */
enum { CONNECTION_MEMORY = 32 * 1024 };

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void kick(struct rest_server *server)
{
    uint64_t one = 1;
    ssize_t ignored = write(server->kick, &one, sizeof(one)); /* a full counter has kicked already */
    (void)ignored;
}

/* -- any thread -- */

void rest_server_done(struct rest_server *server, struct rest_request *request)
{
    struct rest_request *head = atomic_load_explicit(&server->done, memory_order_relaxed);
    do {
        request->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&server->done, &head, request,
                                                    memory_order_release, memory_order_relaxed));
    if (!head) {
        kick(server); /* who pushed onto a stack that was not empty need not: it is yet to be taken */
    }
}

/* -- task thread -- */

struct rest_request *rest_server_take(struct rest_server *server, size_t max_bytes)
{
    pthread_mutex_lock(&server->lock);
    struct rest_request *first = server->queue.first;
    if (!first) {
        server->waiting = true;
    } else {
        struct rest_request *last = first;
        size_t bytes = last->size;
        while (last->next && bytes + last->next->size <= max_bytes) {
            last = last->next;
            bytes += last->size;
        }
        server->queue.first = last->next;
        if (!server->queue.first) {
            server->queue.last = NULL;
        }
        last->next = NULL;
    }
    pthread_mutex_unlock(&server->lock);
    return first;
}

void rest_server_weigh(struct rest_server *server, struct rest_request *request, size_t bytes)
{
    request->weight = bytes;
    (void)atomic_fetch_add(&server->weight, bytes);
}

bool rest_server_heavy(struct rest_server *server)
{
    /* invariant 5: a body of `{}` has many more records than bytes to show for them */
    size_t most = server->settings->inflight_max;
    if (atomic_load(&server->weight) <= most) {
        return false;
    }
    if (!atomic_exchange(&server->held, true)) {
        kick(server); /* it may be that slow clients have to go, see shortage.c */
    }
    return atomic_load(&server->weight) > most; /* who made it less in between may not have seen that */
}

static void wait_until(struct rest_server *server, const bool *reached, int64_t wait_ms)
{
    int64_t deadline = monotonic_ms() + wait_ms;
    struct timespec until = {deadline / 1000, deadline % 1000 * 1000000};
    while (!*reached &&
           pthread_cond_timedwait(&server->changed, &server->lock, &until) != ETIMEDOUT) {
    }
}

void rest_server_drain(struct rest_server *server, int64_t wait_ms)
{
    if (!server->running) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->draining = true;
    kick(server);
    wait_until(server, &server->drained, wait_ms);
    pthread_mutex_unlock(&server->lock);
}

void rest_server_stop(struct rest_server *server, int64_t wait_ms)
{
    if (!server->running) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->draining = true;
    server->stopping = true;
    server->stop_deadline = monotonic_ms() + wait_ms;
    pthread_mutex_unlock(&server->lock);
    kick(server);
    pthread_join(server->thread, NULL);
    server->running = false;
}

unsigned rest_server_port(const struct rest_server *server, size_t listener)
{
    return server->ports[listener];
}

/* -- http thread -- */

static void take_done(struct rest_server *server)
{
    struct rest_request *request =
        atomic_exchange_explicit(&server->done, NULL, memory_order_acquire);
    struct rest_request *in_order = NULL;
    while (request) { /* the stack has the newest on top; answers go out in the order of delivery */
        struct rest_request *next = request->next;
        request->next = in_order;
        in_order = request;
        request = next;
    }
    while (in_order) {
        struct rest_request *next = in_order->next;
        in_order->next = NULL;
        rest_serve_back(server, in_order);
        in_order = next;
    }
}

static void hand_over(struct rest_server *server)
{
    if (!server->fresh.first) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    if (server->queue.last) {
        server->queue.last->next = server->fresh.first;
    } else {
        server->queue.first = server->fresh.first;
    }
    server->queue.last = server->fresh.last;
    bool wake = server->waiting;
    server->waiting = false;
    pthread_mutex_unlock(&server->lock);
    server->fresh = (struct rest_queue){0};
    if (wake) {
        server->ready(server->user);
    }
}

static void quiesce(struct rest_server *server)
{
    for (size_t i = 0; i < server->settings->listener_count; i++) {
        int listening = MHD_quiesce_daemon(server->daemons[i]);
        if (listening >= 0) {
            (void)close(listening);
        }
    }
    server->quiesced = true;
}

/* True when the thread may end: all is answered, or time is over. */
static bool check_end(struct rest_server *server)
{
    pthread_mutex_lock(&server->lock);
    bool draining = server->draining;
    bool stopping = server->stopping;
    struct rest_queue left = {0};
    if (stopping) {
        left = server->queue;
        server->queue = (struct rest_queue){0};
    }
    pthread_mutex_unlock(&server->lock);
    if (draining && !server->quiesced) {
        quiesce(server);
    }
    if (draining && !server->drained && !server->reading.oldest &&
        !server->stalled.first) {
        pthread_mutex_lock(&server->lock);
        server->drained = true;
        pthread_cond_broadcast(&server->changed);
        pthread_mutex_unlock(&server->lock);
    }
    for (struct rest_request *request; (request = rest_queue_pop(&left)) != NULL;) {
        rest_serve_refuse(server, request);
    }
    if (stopping) {
        rest_serve_hang_up(server);
    }
    return stopping && (server->pending == 0 || server->now >= server->stop_deadline);
}

static int next_timeout(struct rest_server *server)
{
    int64_t timeout = rest_serve_expire(server);
    if (server->resumed) {
        return 0;
    }
    for (size_t i = 0; i < server->settings->listener_count; i++) {
        MHD_UNSIGNED_LONG_LONG ms;
        if (MHD_get_timeout(server->daemons[i], &ms) == MHD_YES &&
            (timeout < 0 || (int64_t)ms < timeout)) {
            timeout = ms > INT32_MAX ? INT32_MAX : (int64_t)ms;
        }
    }
    if (server->quiesced && (timeout < 0 || timeout > 20)) {
        timeout = 20; /* the end has a deadline */
    }
    return (int)(timeout > INT32_MAX ? INT32_MAX : timeout);
}

static void *http_main(void *user)
{
    struct rest_server *server = user;
    size_t count = server->settings->listener_count;
    struct pollfd fds[REST_LISTENERS_MAX + 1];
    for (size_t i = 0; i < count; i++) {
        const union MHD_DaemonInfo *info =
            MHD_get_daemon_info(server->daemons[i], MHD_DAEMON_INFO_EPOLL_FD);
        fds[i] = (struct pollfd){.fd = info->epoll_fd, .events = POLLIN};
    }
    fds[count] = (struct pollfd){.fd = server->kick, .events = POLLIN};
    for (;;) {
        (void)poll(fds, count + 1, next_timeout(server));
        server->now = monotonic_ms();
        if (fds[count].revents) {
            uint64_t kicks;
            ssize_t ignored = read(server->kick, &kicks, sizeof(kicks));
            (void)ignored;
        }
        take_done(server);
        server->resumed = false;
        for (size_t i = 0; i < count; i++) {
            (void)MHD_run(server->daemons[i]);
        }
        hand_over(server);
        if ((fds[count].revents || server->quiesced) && check_end(server)) {
            break;
        }
    }
    rest_serve_abandon(server);
    for (size_t i = 0; i < count; i++) {
        (void)MHD_run(server->daemons[i]); /* sends what abandon() answered */
        MHD_stop_daemon(server->daemons[i]);
        server->daemons[i] = NULL;
    }
    pthread_mutex_lock(&server->lock);
    server->drained = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* -- making -- */

/* A listening socket; -1 with a sentence. */
static int listen_on(const struct rest_listener *listener, unsigned *ret_port, char *message,
                     size_t size)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    int why = getaddrinfo(listener->host, listener->port, &hints, &addresses);
    if (why != 0) {
        (void)snprintf(message, size, "The address %s:%s of listeners is not known: %s",
                       listener->host, listener->port, gai_strerror(why));
        return -1;
    }
    int fd = socket(addresses->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    struct sockaddr_storage bound;
    socklen_t bound_size = sizeof(bound);
    if (fd >= 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
         bind(fd, addresses->ai_addr, addresses->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0 ||
         getsockname(fd, (struct sockaddr *)&bound, &bound_size) != 0)) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        fd = -1;
    }
    freeaddrinfo(addresses);
    if (fd < 0) {
        (void)snprintf(message, size, "Listening on %s:%s failed: %s%s", listener->host,
                       listener->port, strerror(errno),
                       errno == EADDRINUSE ? "; end the other program or change listeners" : "");
        return -1;
    }
    *ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                  : ((struct sockaddr_in *)&bound)->sin_port);
    return fd;
}

/* Escapes are decoded by route.c, after the path was split. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static void on_mhd_log(void *cls, const char *format, va_list arguments)
{
    struct rest_server *server = cls;
    char text[400];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    server->host->log(server->host, SLUICE_DEBUG, "libmicrohttpd: %s", text);
}

static int open_listener(struct rest_server *server, size_t i, char *message, size_t size)
{
    const struct rest_settings *settings = server->settings;
    const struct rest_listener *listener = &settings->listeners[i];
    int fd = listen_on(listener, &server->ports[i], message, size);
    if (fd < 0) {
        return -1;
    }
    struct rest_keystore keystore = {0};
    struct MHD_OptionItem options[4] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_ERROR_LOG;
    if (listener->tls) {
        if (rest_keystore_load(settings->keystore, settings->keystore_password,
                               settings->key_password, &keystore, message, size) != 0) {
            (void)close(fd);
            return -1;
        }
        flags |= MHD_USE_TLS;
        options[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, keystore.key};
        options[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, keystore.certificates};
        options[2] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    server->daemons[i] = MHD_start_daemon(
        flags, 0, NULL, NULL, rest_serve, server,
        MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, server,
        MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_NOTIFY_COMPLETED, rest_serve_end, server,
        MHD_OPTION_NOTIFY_CONNECTION, rest_connection_notify, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_LIMIT, settings->connections_max + 1, /* it stops at one less (0.9.75) */
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, settings->connections_per_ip_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((settings->idle_ms + 999) / 1000),
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_ARRAY, options,
        MHD_OPTION_END);
    rest_keystore_finish(&keystore);
    if (!server->daemons[i]) {
        (void)close(fd);
        (void)snprintf(message, size, "The HTTP server on %s:%s could not be started%s",
                       listener->host, listener->port,
                       listener->tls ? "; is the certificate of ssl.keystore.location good?" : "");
        return -1;
    }
    server->host->log(server->host, SLUICE_INFO, "Listening on %s://%s:%u",
                      listener->tls ? "https" : "http", listener->host, server->ports[i]);
    return 0;
}

struct rest_server *rest_server_create(const struct rest_settings *settings,
                                       const struct sluice_host *host, void (*ready)(void *user),
                                       void *user, char *message, size_t message_size)
{
    struct rest_server *server = calloc(1, sizeof(*server));
    if (!server) {
        (void)snprintf(message, message_size, "Out of memory");
        return NULL;
    }
    server->settings = settings;
    server->host = host;
    server->ready = ready;
    server->user = user;
    server->now = monotonic_ms();
    server->waiting = true;
    server->requests = host->metric(host, "http-requests", SLUICE_COUNTER);
    server->refused = host->metric(host, "http-requests-refused", SLUICE_COUNTER);
    server->bytes = host->metric(host, "http-body-bytes", SLUICE_COUNTER);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    server->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (server->kick < 0) {
        (void)snprintf(message, message_size, "eventfd: %s", strerror(errno));
        rest_server_destroy(server);
        return NULL;
    }
    for (size_t i = 0; i < settings->listener_count; i++) {
        if (open_listener(server, i, message, message_size) != 0) {
            rest_server_destroy(server);
            return NULL;
        }
    }
    /* Signals are the host's, but those a fault of this thread raises: their report is wanted. SIGPIPE
     * stays blocked, as libmicrohttpd is promised. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sigdelset(&blocked, faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int why = pthread_create(&server->thread, NULL, http_main, server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (why != 0) {
        (void)snprintf(message, message_size, "The HTTP thread could not be started: %s",
                       strerror(why));
        rest_server_destroy(server);
        return NULL;
    }
    server->running = true;
    return server;
}

void rest_server_destroy(struct rest_server *server)
{
    if (!server) {
        return;
    }
    rest_server_stop(server, 0);
    for (size_t i = 0; i < REST_LISTENERS_MAX; i++) {
        if (server->daemons[i]) {
            MHD_stop_daemon(server->daemons[i]); /* made, but its thread never ran */
        }
    }
    while (server->all) {
        struct rest_request *next = server->all->all_next;
        rest_request_destroy(server->all);
        server->all = next;
    }
    if (server->kick >= 0) {
        (void)close(server->kick);
    }
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
