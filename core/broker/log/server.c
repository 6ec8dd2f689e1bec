/*
 * The owner's loop: clients, their buffers, timers. See owner.h for what a turn is. Nothing here
 * waits but epoll_wait(), and an idle log has no timer running. [owner's one thread]
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/broker/log/owner.h"

#define LOGGER "sluice.log.server"

enum {
    EVENTS = 128,
    IN_FIRST = 64 * 1024,
    IN_LARGE = 1024 * 1024, /* what is read at once from a busy client */
    IDLE_MS = 1000,         /* an owner that nobody watches over leaves after this */
    SOCKET_BUFFER = 512 * 1024,
};

#define OUT_MAX ((size_t)64 << 20) /* answers a client does not take: it is cut off */

/* -- answers -- */

void client_poll_write(struct client *client, bool on)
{
    if (client->polls_write != on) {
        struct epoll_event event = {.events = EPOLLIN | (on ? EPOLLOUT : 0u), .data.ptr = client};
        client->polls_write = on;
        (void)epoll_ctl(client->owner->epoll, EPOLL_CTL_MOD, client->fd, &event);
    }
}

void client_flush_later(struct client *client)
{
    if (!client->flush_queued) {
        client->flush_queued = true;
        client->flush_next = client->owner->flush;
        client->owner->flush = client;
    }
}

void client_close(struct client *client, const char *why)
{
    if (!client->closing) {
        client->closing = true;
        if (why) {
            log_warn(LOGGER, "The connection of %s is closed: %s", client->name, why);
        }
        shutdown(client->fd, SHUT_RDWR);
    }
}

bool client_flush(struct client *client)
{
    while (client->out_sent < client->out.size && !client->closing) {
        ssize_t n = send(client->fd, client->out.data + client->out_sent,
                         client->out.size - client->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            client->out_sent += (size_t)n;
        } else if (errno == EAGAIN) {
            client_poll_write(client, true);
            return false;
        } else if (errno != EINTR) {
            client_close(client, NULL);
        }
    }
    client->out_sent = 0;
    if (client->out.capacity > IN_LARGE) {
        buffer_finish(&client->out);
        buffer_init(&client->out, OUT_MAX);
    } else {
        buffer_reset(&client->out);
    }
    return !client->closing;
}

size_t client_reply_begin(struct client *client, uint32_t id)
{
    size_t begin = wire_begin(&client->out, WIRE_REPLY, id);
    wire_put_u32(&client->out, 0);
    return begin;
}

void client_reply_end(struct client *client, size_t begin)
{
    wire_end(&client->out, begin);
    client_flush_later(client);
}

void client_reply_error(struct client *client, uint32_t id, const struct error *error)
{
    size_t begin = wire_begin(&client->out, WIRE_REPLY, id);
    wire_put_u32(&client->out, error->code);
    wire_put_u32(&client->out, error->retriable);
    wire_put_text(&client->out, error->java_class ? error->java_class : "");
    wire_put_text(&client->out, error->message ? error->message : "");
    client_reply_end(client, begin);
}

/* -- coming and going -- */

static void set_crowded(struct owner *owner, bool crowded)
{
    struct epoll_event event = {.events = crowded ? 0u : EPOLLIN};
    if (owner->crowded != crowded) {
        owner->crowded = crowded;
        (void)epoll_ctl(owner->epoll, EPOLL_CTL_MOD, owner->listener, &event);
    }
}

static void client_accept(struct owner *owner)
{
    int fd = accept4(owner->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE) && owner->client_count > 0) {
        log_warn(LOGGER, "No more clients than %zu: %s (ulimit -n)", owner->client_count,
                 strerror(errno));
        set_crowded(owner, true);
    }
    if (fd < 0) {
        return;
    }
    struct client *client =
        owner->client_count < WIRE_MAX_CLIENTS ? calloc(1, sizeof(*client)) : NULL;
    if (client) {
        client->in = malloc(IN_FIRST);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (!client || !client->in || epoll_ctl(owner->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        log_warn(LOGGER, "A connection is refused: there are %zu", owner->client_count);
        if (client) {
            free(client->in);
        }
        free(client);
        close(fd);
        return;
    }
    int size = SOCKET_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
    client->owner = owner;
    client->fd = fd;
    client->in_capacity = IN_FIRST;
    buffer_init(&client->out, OUT_MAX);
    (void)snprintf(client->name, sizeof(client->name), "client-%u", ++owner->names);
    client->next = owner->clients;
    if (owner->clients) {
        owner->clients->prev = client;
    }
    owner->clients = client;
    owner->client_count++;
}

void server_drop(struct client *client)
{
    struct owner *owner = client->owner;
    group_leave(client); /* the end of a socket is the end of a member */
    sessions_free(client);
    *(client->prev ? &client->prev->next : &owner->clients) = client->next;
    if (client->next) {
        client->next->prev = client->prev;
    }
    owner->client_count--;
    close(client->fd);
    set_crowded(owner, false);
    free(client->in);
    buffer_finish(&client->out);
    free(client);
}

/* -- reading -- */

static bool make_room(struct client *client, size_t capacity)
{
    if (capacity <= client->in_capacity) {
        return true;
    }
    char *grown = realloc(client->in, capacity);
    if (grown) {
        client->in = grown;
        client->in_capacity = capacity;
    }
    return grown != NULL;
}

/* One recv() and all whole frames. Nothing points into the buffer when this begins. */
static void client_read(struct client *client)
{
    struct wire_head head;
    size_t wanted = client->in_size == client->in_capacity ? client->in_capacity * 2 : 0;
    if (client->in_size >= sizeof(head)) {
        memcpy(&head, client->in, sizeof(head));
        wanted = sizeof(head) + head.size; /* checked below, when the head came */
    }
    if (!make_room(client, wanted)) {
        client_close(client, "there is no memory for its frames");
        return;
    }
    ssize_t n = recv(client->fd, client->in + client->in_size,
                     client->in_capacity - client->in_size, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        client_close(client, NULL);
        return;
    }
    client->in_size += (size_t)n;
    if (!client->in_touched) {
        client->in_touched = true;
        client->in_next = client->owner->touched;
        client->owner->touched = client;
    }
    while (client->in_size - client->in_parsed >= sizeof(head) && !client->closing) {
        const char *at = client->in + client->in_parsed;
        memcpy(&head, at, sizeof(head));
        /* invariant 5: the limit of a frame is known before its memory is taken */
        if (head.size > WIRE_FRAME_MAX || (!client->hello && head.size > 4096)) {
            client_close(client, "a frame is larger than any may be");
            return;
        }
        if (client->in_size - client->in_parsed - sizeof(head) < head.size) {
            return;
        }
        client->in_parsed += sizeof(head) + head.size;
        request_handle(client, &head, at + sizeof(head));
    }
}

/* Behind the commit: what was handled leaves the buffers. */
static void compact(struct owner *owner)
{
    for (struct client *client = owner->touched; client; client = client->in_next) {
        bool filled = client->in_size == client->in_capacity;
        client->in_touched = false;
        client->in_size -= client->in_parsed;
        memmove(client->in, client->in + client->in_parsed, client->in_size);
        client->in_parsed = 0;
        if (filled && client->in_capacity < IN_LARGE) {
            (void)make_room(client, client->in_capacity * 2);
        } else if (client->in_size == 0 && client->in_capacity > IN_LARGE) {
            char *small = realloc(client->in, IN_LARGE);
            client->in_capacity = small ? IN_LARGE : client->in_capacity;
            client->in = small ? small : client->in;
        }
    }
    owner->touched = NULL;
}

static void flush_all(struct owner *owner)
{
    while (owner->flush) {
        struct client *client = owner->flush;
        owner->flush = client->flush_next;
        client->flush_queued = false;
        if (client->out.failed) {
            client_close(client, "it does not read its answers, or there is no memory for them");
        } else if (!client->polls_write) {
            (void)client_flush(client);
        }
    }
}

/* Frees who is closing; that may rebalance groups, so there may be answers again. */
static void reap(struct owner *owner)
{
    struct client *next;
    for (struct client *client = owner->clients; client; client = next) {
        next = client->next;
        if (client->closing && !client->flush_queued) {
            server_drop(client);
        }
    }
}

/* -- the loop -- */

static int timeout_of(int64_t at, int64_t now)
{
    if (at == INT64_MAX) {
        return -1;
    }
    int64_t wait = at - now;
    return wait <= 0 ? 0 : wait > INT_MAX - 1 ? INT_MAX - 1 : (int)wait + 1;
}

static bool serve_events(struct owner *owner, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if (!client) {
            client_accept(owner);
        } else if ((void *)client == (void *)owner) {
            char byte;
            ssize_t n = read(owner->life, &byte, 1);
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
                return false;
            }
        } else {
            if (events[i].events & EPOLLOUT) {
                client_poll_write(client, false);
                client_flush_later(client);
            }
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !client->closing) {
                client_read(client);
            }
        }
    }
    return true;
}

static int setup(struct owner *owner, struct error *error)
{
    struct epoll_event event = {.events = EPOLLIN};
    owner->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (owner->epoll < 0 || epoll_ctl(owner->epoll, EPOLL_CTL_ADD, owner->listener, &event) != 0) {
        return error_set_errno(error, errno, "The embedded log cannot wait for clients");
    }
    event.data.ptr = owner;
    if (owner->life >= 0 && (fcntl(owner->life, F_SETFL, O_NONBLOCK) != 0 ||
                             epoll_ctl(owner->epoll, EPOLL_CTL_ADD, owner->life, &event) != 0)) {
        return error_set_errno(error, errno, "The embedded log cannot watch descriptor %d",
                               owner->life);
    }
    return 0;
}

int server_run(struct owner *owner, struct error *error)
{
    struct epoll_event events[EVENTS];
    if (setup(owner, error) != 0) {
        return -1;
    }
    int64_t expire_at = INT64_MAX;
    bool hungry = false; /* someone can be fed on without an event */
    int64_t idle_at = owner->life < 0 ? clock_monotonic_ms() + IDLE_MS : INT64_MAX;
    for (;;) {
        int64_t now = clock_monotonic_ms();
        int64_t at = owner->retention_at < expire_at ? owner->retention_at : expire_at;
        at = owner->client_count == 0 && idle_at < at ? idle_at : at;
        int count = epoll_wait(owner->epoll, events, EVENTS,
                               hungry || owner->garbage ? 0 : timeout_of(at, now));
        if (count < 0 && errno != EINTR) {
            return error_set_errno(error, errno, "The embedded log cannot wait for clients");
        }
        if (!serve_events(owner, events, count)) {
            break;
        }
        round_commit(owner);
        compact(owner);
        now = clock_monotonic_ms();
        if (owner->garbage || owner->retention_at <= now) {
            retention_run(owner);
        }
        flush_all(owner);
        hungry = false;
        for (struct client *client = owner->clients; client; client = client->next) {
            hungry |= !client_feed(client);
        }
        reap(owner);
        expire_at = groups_expire(owner, now);
        flush_all(owner);
        if (owner->life < 0 && owner->client_count > 0) {
            idle_at = now + IDLE_MS;
        } else if (count == 0 && owner->client_count == 0 && now >= idle_at) {
            break;
        }
    }
    round_commit(owner);
    flush_all(owner);
    return 0;
}
