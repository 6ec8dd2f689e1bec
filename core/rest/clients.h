/*
 * Who is connected to a listener, and what waits for them: idle connections, bodies that come, answers that are not
 * read. Connections and bytes are bounded, and as soon as they are used up those who keep us waiting longest make
 * room. The caller holds the lock of server.c.
 */
#ifndef CORE_REST_CLIENTS_H
#define CORE_REST_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes that any request and any answer may have, whatever others hold. */
#define REST_SMALL 16384

struct rest_client;

/** Of one listener; zeroed, then its limits set. */
struct rest_clients {
    struct rest_client *oldest, *newest; /* whose turn it is, since when */
    size_t count, bytes;                 /* without those that were ended */
    size_t count_most, bytes_most;
};

/** A connection begins, and it is the client's turn. NULL: out of memory. */
struct rest_client *rest_client_create(struct rest_clients *clients, int fd);
/** It is closed; NULL is fine. */
void rest_client_destroy(struct rest_clients *clients, struct rest_client *client);
/** From now on it is the client's turn: to ask, to send, to read. */
void rest_client_theirs(struct rest_clients *clients, struct rest_client *client);
/** It is ours: nobody is ended for what takes us long. */
void rest_client_ours(struct rest_clients *clients, struct rest_client *client);
/** It has so many bytes in memory now; false where that are too many, and nothing was counted. */
bool rest_client_holds(struct rest_clients *clients, struct rest_client *client, size_t bytes);
/** Ends whoever is in the way; returns the time (monotonic ms) to look again, 0: there is enough. */
int64_t rest_clients_relieve(struct rest_clients *clients, int64_t now);

#endif
