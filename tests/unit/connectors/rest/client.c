/* HTTP client of the tests, see client.h. */
#include "tests/unit/connectors/rest/client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void client_open(struct client *client, unsigned port)
{
    client->port = port;
    client->in_size = 0;
    client->head = false;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 5};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        perror("connect");
        abort();
    }
}

void client_close(struct client *client)
{
    (void)close(client->fd);
    client->fd = -1;
}

void client_send(struct client *client, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; /* the answer tells why */
        }
        bytes += sent;
        size -= (size_t)sent;
    }
}

static char *end_of_headers(struct client *client)
{
    client->in[client->in_size] = '\0';
    char *end = strstr(client->in, "\r\n\r\n");
    return end ? end + 4 : NULL;
}

bool client_receive(struct client *client)
{
    client->status = 0;
    client->body[0] = client->headers[0] = '\0';
    for (;;) {
        char *body = end_of_headers(client);
        if (body && strncmp(client->in, "HTTP/1.1 100", 12) == 0) {
            client->in_size -= (size_t)(body - client->in);
            memmove(client->in, body, client->in_size);
            continue;
        }
        if (body) {
            (void)snprintf(client->headers, sizeof(client->headers), "%.*s",
                           (int)(body - client->in), client->in);
            char length[200] = "0";
            (void)client_header(client, "Content-Length", length);
            size_t size = client->head ? 0 : strtoul(length, NULL, 10);
            size_t all = (size_t)(body - client->in) + size;
            if (client->in_size >= all) {
                client->status = atoi(client->in + 9);
                memcpy(client->body, body, size);
                client->body[size] = '\0';
                client->in_size -= all;
                memmove(client->in, client->in + all, client->in_size);
                return true;
            }
        }
        ssize_t got = recv(client->fd, client->in + client->in_size,
                           sizeof(client->in) - 1 - client->in_size, 0);
        if (got <= 0) {
            return false;
        }
        client->in_size += (size_t)got;
    }
}

void client_request(struct client *client, const char *method, const char *path, const char *type,
                    const char *body)
{
    size_t size = (body ? strlen(body) : 0) + strlen(path) + 500;
    char *text = malloc(size);
    int used = snprintf(text, size, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path);
    if (type) {
        used += snprintf(text + used, size - (size_t)used, "Content-Type: %s\r\n", type);
    }
    if (body) {
        used += snprintf(text + used, size - (size_t)used, "Content-Length: %zu\r\n", strlen(body));
    }
    used += snprintf(text + used, size - (size_t)used, "\r\n%s", body ? body : "");
    client->head = strcmp(method, "HEAD") == 0;
    client_send(client, text, (size_t)used);
    free(text);
    (void)client_receive(client);
}

void client_post(struct client *client, const char *path, const char *body)
{
    client_request(client, "POST", path, JSON_V2, body);
}

bool client_header(const struct client *client, const char *name, char *value)
{
    size_t size = strlen(name);
    for (const char *line = strstr(client->headers, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, size) == 0 && line[size] == ':') {
            (void)snprintf(value, 200, "%.*s", (int)strcspn(line + size + 2, "\r\n"),
                           line + size + 2);
            return true;
        }
    }
    return false;
}
