/* Connections and what they hold, see clients.h. */
#include "core/rest/clients.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "core/base/clock.h"

enum {
    PATIENCE_MS = 500, /* nobody is ended sooner */
    LOOK_MS = 100,
};

struct rest_client {
    struct rest_client *older, *newer;
    int fd;
    int64_t since; /* monotonic ms */
    size_t bytes;
    bool theirs;   /* in the list */
    bool ended;
};

void rest_client_ours(struct rest_clients *clients, struct rest_client *client)
{
    if (client->theirs) {
        client->theirs = false;
        *(client->older ? &client->older->newer : &clients->oldest) = client->newer;
        *(client->newer ? &client->newer->older : &clients->newest) = client->older;
    }
}

void rest_client_theirs(struct rest_clients *clients, struct rest_client *client)
{
    rest_client_ours(clients, client);
    if (client->ended) {
        return;
    }
    client->theirs = true;
    client->since = clock_monotonic_ms();
    client->newer = NULL;
    client->older = clients->newest;
    *(client->older ? &client->older->newer : &clients->oldest) = client;
    clients->newest = client;
}

struct rest_client *rest_client_create(struct rest_clients *clients, int fd)
{
    struct rest_client *client = calloc(1, sizeof(*client));
    if (client) {
        client->fd = fd;
        clients->count++;
        rest_client_theirs(clients, client);
    }
    return client;
}

void rest_client_destroy(struct rest_clients *clients, struct rest_client *client)
{
    if (client) {
        rest_client_ours(clients, client);
        clients->count -= !client->ended;
        clients->bytes -= client->bytes;
        free(client);
    }
}

bool rest_client_holds(struct rest_clients *clients, struct rest_client *client, size_t bytes)
{
    if (bytes > REST_SMALL && bytes > client->bytes &&
        clients->bytes - client->bytes + bytes > clients->bytes_most) {
        return false;
    }
    clients->bytes += client->ended ? 0 : bytes - client->bytes; /* or less: it wraps */
    client->bytes = client->ended ? 0 : bytes;
    return true;
}

/* The daemon sees the end and closes it. */
static void end(struct rest_clients *clients, struct rest_client *client)
{
    rest_client_ours(clients, client);
    (void)rest_client_holds(clients, client, 0);
    client->ended = true;
    clients->count--;
    (void)shutdown(client->fd, SHUT_RDWR);
}

int64_t rest_clients_relieve(struct rest_clients *clients, int64_t now)
{
    /* so that slow ones are ended before anybody is refused */
    size_t bytes_most = clients->bytes_most / 2;
    for (struct rest_client *client = clients->oldest, *newer; client; client = newer) {
        bool full = clients->count >= clients->count_most, heavy = clients->bytes > bytes_most;
        newer = client->newer;
        if (client->since + PATIENCE_MS > now || !(full || heavy)) {
            break;
        }
        if (full || client->bytes > REST_SMALL) {
            end(clients, client);
        }
    }
    return clients->count >= clients->count_most || clients->bytes > bytes_most ? now + LOOK_MS : 0;
}
