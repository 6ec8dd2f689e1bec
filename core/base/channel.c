#include "core/base/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LENGTH_SIZE = 4, READ_SIZE = 65536 };

void channel_init(struct channel *channel, int fd)
{
    channel->fd = fd;
    buffer_init(&channel->in, CHANNEL_MAX + LENGTH_SIZE + READ_SIZE);
    pthread_mutex_init(&channel->lock, NULL);
}

void channel_finish(struct channel *channel)
{
    if (channel->fd >= 0) {
        close(channel->fd);
        channel->fd = -1;
    }
    buffer_finish(&channel->in);
    pthread_mutex_destroy(&channel->lock);
}

static int send_all(int fd, const char *data, size_t size, struct error *error)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
            continue;
        }
        if (sent < 0) {
            return error_set_errno(error, errno, "Could not send on the control channel");
        }
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

int channel_send(struct channel *channel, json_t *message, struct error *error)
{
    struct buffer out;
    buffer_init(&out, CHANNEL_MAX + LENGTH_SIZE);
    char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    if (!text) {
        return error_set(error, ERROR_NO_MEMORY, "Could not print a control message");
    }
    size_t size = strlen(text);
    unsigned char length[LENGTH_SIZE] = {(unsigned char)size, (unsigned char)(size >> 8),
                                         (unsigned char)(size >> 16), (unsigned char)(size >> 24)};
    int result;
    if (size > CHANNEL_MAX || buffer_append(&out, length, LENGTH_SIZE) != 0 ||
        buffer_append(&out, text, size) != 0) {
        result = error_set(error, ERROR_TOO_LARGE, "A control message of %zu bytes is too large", size);
    } else {
        pthread_mutex_lock(&channel->lock);
        result = send_all(channel->fd, out.data, out.size, error);
        pthread_mutex_unlock(&channel->lock);
    }
    free(text);
    buffer_finish(&out);
    return result;
}

/* A message that is already here, without reading. 1 or 0, or -1 for rubbish. */
static int next_message(struct channel *channel, json_t **ret_message, struct error *error)
{
    if (channel->in.size < LENGTH_SIZE) {
        return 0;
    }
    const unsigned char *p = (const unsigned char *)channel->in.data;
    size_t size = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
    if (size > CHANNEL_MAX) {
        return error_set(error, ERROR_INTERNAL, "A control message claims %zu bytes", size);
    }
    if (channel->in.size < LENGTH_SIZE + size) {
        return 0;
    }
    json_error_t why;
    json_t *message = json_loadb(channel->in.data + LENGTH_SIZE, size, JSON_ALLOW_NUL, &why);
    buffer_consume(&channel->in, LENGTH_SIZE + size);
    if (!json_is_object(message)) {
        json_decref(message);
        return error_set(error, ERROR_INTERNAL, "A control message is no JSON object: %s", why.text);
    }
    *ret_message = message;
    return 1;
}

int channel_receive(struct channel *channel, json_t **ret_message, struct error *error)
{
    for (;;) {
        int ready = next_message(channel, ret_message, error);
        if (ready != 0) {
            return ready;
        }
        if (buffer_reserve(&channel->in, READ_SIZE) != 0) {
            return error_set(error, ERROR_NO_MEMORY, "Out of memory for control messages");
        }
        ssize_t got = read(channel->fd, channel->in.data + channel->in.size, READ_SIZE);
        if (got > 0) {
            channel->in.size += (size_t)got;
        } else if (got == 0) {
            return -2;
        } else if (errno == EAGAIN) {
            return 0;
        } else if (errno == ECONNRESET) {
            return -2;
        } else if (errno != EINTR) {
            return error_set_errno(error, errno, "Could not read the control channel");
        }
    }
}
