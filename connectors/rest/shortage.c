/*
 * What is bounded for all clients together (bodies, records and answers in memory, connections) is held by
 * the slow ones longest, and everybody else waits for them. As long as somebody waits, a body has to come
 * and an answer has to be read at a pace, or its connection is ended; one without a request gives way when
 * there is no other left to accept. Nobody is hurried while there is enough. [http thread]
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "connectors/rest/server_priv.h"

enum {
    PATIENCE_MS = 1000,
    PACE = 100,     /* bytes a ms, measured over PATIENCE_MS */
    LOOK_MS = 100,  /* between two looks */
};

/* Bytes that the client has acknowledged since the connection began; 0 where the system does not tell. */
static uint64_t acknowledged(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *socket =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct tcp_info info;
    socklen_t size = sizeof(info);
    memset(&info, 0, sizeof(info));
    return socket && getsockopt(socket->connect_fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0
               ? info.tcpi_bytes_acked
               : 0;
}

static uint64_t moved(const struct rest_request *request)
{
    return request->state == REST_BACK ? acknowledged(request->connection) : request->size;
}

void rest_shortage_pace(const struct rest_server *server, struct rest_request *request)
{
    bool small = request->state == REST_BACK && request->answer.size <= REST_KEEP;
    request->paced = server->now;
    request->paced_bytes = small ? 0 : moved(request); /* a small answer is out at once, and not worth asking */
}

/* False for one that was given PATIENCE_MS and moved too little. */
static bool keeps_pace(const struct rest_server *server, struct rest_request *request)
{
    int64_t ms = server->now - request->paced;
    if (ms < PATIENCE_MS) {
        return true;
    }
    uint64_t bytes = moved(request);
    bool enough = bytes - request->paced_bytes >= (uint64_t)ms * PACE;
    request->paced = server->now;
    request->paced_bytes = bytes;
    return enough;
}

static const struct rest_fault slow = {
    408, 408, "The body came too slowly while others waited for memory or a connection"};

static void judge(struct rest_server *server, struct rest_ages *ages)
{
    for (struct rest_age *age = ages->oldest, *newer; age; age = newer) {
        struct rest_request *request = (struct rest_request *)age;
        newer = age->newer;
        if (keeps_pace(server, request)) {
            continue;
        }
        if (request->state == REST_READING) {
            rest_serve_end_body(server, request, &slow);
        } else {
            rest_age_remove(ages, age);
            rest_connection_shut(request->connection);
        }
    }
}

int64_t rest_shortage_relieve(struct rest_server *server)
{
    bool full = server->connections >= server->settings->connections_max;
    if (!full && !server->stalled.first && !atomic_load(&server->held)) {
        return -1;
    }
    if (full) { /* one; if that was not enough it is full again */
        rest_connections_evict(server, PATIENCE_MS);
    }
    if (server->now - server->judged < LOOK_MS) {
        return LOOK_MS;
    }
    server->judged = server->now;
    judge(server, &server->reading);
    judge(server, &server->answering);
    return LOOK_MS;
}
