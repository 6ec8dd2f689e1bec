/* Listeners: their texts, and the sockets that come of them. No state. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/rest/listener.h"

enum { BACKLOG = 128 };

int rest_parse_listener(const char *text, struct rest_listener *ret_listener, struct error *error)
{
    *ret_listener = (struct rest_listener){.port = -1};
    const char *rest = strstr(text, "://");
    if (!rest || (rest - text != 4 && rest - text != 5) || strncasecmp(text, "http", 4) != 0) {
        return error_set(error, ERROR_CONFIG,
                         "The listener '%s' is not of the form http://host:port", text);
    }
    ret_listener->https = rest - text == 5;
    if (ret_listener->https && text[4] != 's' && text[4] != 'S') {
        return error_set(error, ERROR_CONFIG,
                         "The listener '%s' is not of the form http://host:port or https://host:port",
                         text);
    }
    rest += 3;
    const char *colon = strrchr(rest, ':');
    const char *end = colon;
    char *number_end;
    if (colon && *rest == '[' && colon > rest && colon[-1] == ']') {
        rest++;
        end = colon - 1;
    }
    long port = colon ? strtol(colon + 1, &number_end, 10) : -1;
    if (!colon || number_end == colon + 1 || strspn(number_end, "/") != strlen(number_end) ||
        port < 0 || port > 65535 || (size_t)(end - rest) >= sizeof(ret_listener->host)) {
        return error_set(error, ERROR_CONFIG, "The listener '%s' has no good host and port", text);
    }
    memcpy(ret_listener->host, rest, (size_t)(end - rest));
    ret_listener->port = (int)port;
    return 0;
}

static int bound_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

int rest_listen(struct rest_listener *listener, struct error *error)
{
    char port[16];
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE,
                                   .ai_family = *listener->host ? AF_UNSPEC : AF_INET,
                                   .ai_socktype = SOCK_STREAM};
    (void)snprintf(port, sizeof(port), "%d", listener->port);
    int found = getaddrinfo(*listener->host ? listener->host : NULL, port, &hints, &list);
    if (found != 0) {
        return error_set(error, ERROR_CONFIG, "The listener's host '%s' cannot be found: %s",
                         listener->host, gai_strerror(found));
    }
    int one = 1;
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    }
    bool good =
        fd >= 0 && bind(fd, list->ai_addr, list->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int why = errno;
    freeaddrinfo(list);
    if (!good) {
        if (fd >= 0) {
            close(fd);
        }
        return why == EADDRINUSE
                   ? error_set(
                         error, ERROR_BUSY,
                         "The admin API cannot listen on %s:%d: the port is in use. Stop what uses "
                         "it, or choose another by listeners=http://127.0.0.1:PORT or --rest "
                         "(`off`: without it)",
                         listener->host, listener->port)
                   : error_set_errno(error, why, "The admin API cannot listen on %s:%d",
                                     listener->host, listener->port);
    }
    listener->port = bound_port(fd);
    return fd;
}
