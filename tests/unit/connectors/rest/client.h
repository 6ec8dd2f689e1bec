/* A small HTTP/1.1 client for the tests: one connection, bytes as given, answers read by length. */
#ifndef TESTS_UNIT_CONNECTORS_REST_CLIENT_H
#define TESTS_UNIT_CONNECTORS_REST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#define JSON_V2 "application/vnd.kafka.json.v2+json"
#define BINARY_V2 "application/vnd.kafka.binary.v2+json"

struct client {
    int fd;
    unsigned port;
    char in[1 << 20];
    size_t in_size;
    /* the answer read last */
    int status;         /* 0: the connection was closed before a whole answer */
    char headers[4096];
    char body[1 << 20];
    bool head;          /* no body is to come */
};

void client_open(struct client *client, unsigned port);
void client_close(struct client *client);
void client_send(struct client *client, const char *bytes, size_t size);
/** Reads one answer, at most 5 s; false at the end of the connection. */
bool client_receive(struct client *client);
/** Sends a request with a body of its length and reads the answer; type and body may be NULL. */
void client_request(struct client *client, const char *method, const char *path, const char *type,
                    const char *body);
/** POST of JSON_V2 on a path. */
void client_post(struct client *client, const char *path, const char *body);
/** Value of a header of the answer into value (200 bytes); false where it is not there. */
bool client_header(const struct client *client, const char *name, char *value);

#endif
