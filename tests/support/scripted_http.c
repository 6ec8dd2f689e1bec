/* A server with a script; see scripted_http.h. */
#include "tests/support/scripted_http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* Head and body of a request, as far as there is room. */
static void read_request(int fd, char *request, size_t room)
{
    size_t size = 0, wanted = room - 1;
    request[0] = '\0';
    while (size < wanted) {
        ssize_t got = read(fd, request + size, wanted - size);
        if (got <= 0) {
            return;
        }
        size += (size_t)got;
        request[size] = '\0';
        const char *end = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "\r\nContent-Length:");
        if (end) {
            size_t head = (size_t)(end + 4 - request), body = length ? strtoul(length + 17, NULL, 10) : 0;
            wanted = head + body < room ? head + body : room - 1;
        }
    }
}

static void *serve(void *user)
{
    struct scripted_http *server = user;
    const struct scripted_answer *answer = server->answers;
    for (int fd; (fd = accept(server->fd, NULL, NULL)) >= 0; close(fd)) {
        char request[8192], path[100] = "";
        read_request(fd, request, sizeof(request));
        if (sscanf(request, "%*s %99s", path) == 1 && answer->status == 200) {
            strncat(server->taken, path, sizeof(server->taken) - strlen(server->taken) - 1);
        }
        dprintf(fd, "HTTP/1.1 %d Answer\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", answer->status,
                strlen(answer->body), answer->body);
        answer += answer[1].status != 0;
    }
    return NULL;
}

void scripted_http_start(struct scripted_http *server, const struct scripted_answer *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *server = (struct scripted_http){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answers = answers};
    if (bind(server->fd, (struct sockaddr *)&address, size) != 0 || listen(server->fd, 10) != 0 ||
        getsockname(server->fd, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&server->thread, NULL, serve, server) != 0) {
        perror("scripted_http");
        abort();
    }
    server->port = ntohs(address.sin_port);
}

void scripted_http_stop(struct scripted_http *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
}
