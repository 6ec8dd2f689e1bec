/*
 * Connections that have no request under way, see server_priv.h. libmicrohttpd ends one on which nothing
 * moves; one that sends a byte of its headers now and then would stay for ever, and as many of them as there
 * may be connections would keep everybody else out. [http thread]
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "connectors/rest/server_priv.h"

struct connection {
    struct rest_age age; /* first */
    struct MHD_Connection *connection;
};

static struct connection *of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* As long as one may be idle, and then as long as a body may take. */
static int64_t longest(const struct rest_server *server)
{
    return server->settings->idle_ms + server->settings->receive_ms;
}

static void wait(struct rest_server *server, struct connection *connection)
{
    rest_age_add(&server->between, &connection->age, server->now + longest(server));
}

void rest_connection_shut(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info) {
        (void)shutdown(info->connect_fd, SHUT_RDWR);
    }
}

void rest_connection_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct rest_server *server = cls;
    struct connection *ours = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        server->connections++;
        ours = calloc(1, sizeof(*ours)); /* without it the connection has no such limit */
        *socket_context = ours;
        if (ours) {
            ours->connection = connection;
            wait(server, ours);
        }
        return;
    }
    server->connections--;
    if (ours) {
        rest_age_remove(&server->between, &ours->age);
        free(ours);
        *socket_context = NULL;
    }
}

void rest_connection_begin(struct rest_server *server, struct MHD_Connection *connection)
{
    struct connection *ours = of(connection);
    if (ours) {
        rest_age_remove(&server->between, &ours->age);
    }
}

void rest_connection_end(struct rest_server *server, struct MHD_Connection *connection)
{
    struct connection *ours = of(connection);
    if (ours && !ours->age.timed) {
        wait(server, ours);
    }
}

static void end(struct rest_server *server, struct rest_age *age)
{
    rest_age_remove(&server->between, age);
    rest_connection_shut(((struct connection *)age)->connection);
}

void rest_connections_expire(struct rest_server *server)
{
    struct rest_age *age;
    while ((age = server->between.oldest) != NULL && age->deadline <= server->now) {
        end(server, age);
    }
}

void rest_connections_evict(struct rest_server *server, int64_t at_least_ms)
{
    struct rest_age *age = server->between.oldest;
    if (age && age->deadline - longest(server) + at_least_ms <= server->now) {
        end(server, age);
    }
}
