/*
 * HTTP client on libcurl's multi interface: many requests at once over connections that are kept
 * open, driven by one thread that owns the client. Nothing is followed, retried or authenticated
 * here: redirects and retries mean a new signature, which is the caller's business.
 * Bodies are borrowed, replies are bounded.
 */
#ifndef LIB_HTTP_CLIENT_H
#define LIB_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/buffer.h"

/** Settings of a client; strings are copied. All zero is a good start. */
struct http_options {
    size_t connections_max;      /**< open at a time; 0: 16 */
    int connect_timeout_ms;      /**< 0: 10,000 */
    int stall_timeout_ms;        /**< no byte moved for so long; rounded up to seconds; 0: 60,000 */
    const char *proxy;           /**< URL; NULL: as the environment says */
    const char *proxy_user, *proxy_password;
    const char *ca_file;         /**< NULL: the system's */
    const char *ca_pem;          /**< instead: certificates to trust */
};

struct http_request {
    const char *method;          /**< "GET", "PUT", .. */
    const char *url;             /**< percent-encoded; sent byte by byte as it is */
    const char *const *headers;  /**< "Name: value", closed by NULL; copied. NULL: none */
    /** In one piece; borrowed until the request is done. */
    const void *body;
    size_t body_size;
    /**
     * Instead of body: called for the next bytes of body_size until all were given; rewind() starts
     * anew. Returning 0 early breaks the request off. [client thread]
     */
    size_t (*read)(void *user, char *into, size_t size);
    void (*rewind)(void *user);
    void *read_user;
    int total_timeout_ms;        /**< 0: none */
    size_t reply_max;            /**< 0: 1 MiB */
    bool no_proxy;
    bool decompress;             /**< gzip and deflate are asked for, and the body is what was packed */
    bool expect_continue;        /**< ask before the body is sent */
};

enum http_failure {
    HTTP_FINE,       /**< a reply came; look at its status */
    HTTP_CONNECT,    /**< nobody there: DNS, refused, no route */
    HTTP_TIMEOUT,
    HTTP_TLS,        /**< certificate or handshake */
    HTTP_BROKEN,     /**< reset, closed, not HTTP */
    HTTP_TOO_LARGE,  /**< the reply */
    HTTP_MISUSE,     /**< a URL that makes no sense, no memory */
};

struct http_reply {
    enum http_failure failure;
    int status;              /**< 0: none came */
    int sends;               /**< of the request: more than 1 where a kept connection died under it */
    struct buffer head;      /**< status line and header lines as they came */
    struct buffer body;
    char message[256];       /**< why there is no reply; empty for HTTP_FINE */
};

/** Value of a header of the reply, copied without blanks around it; false where there is none. */
bool http_reply_header(const struct http_reply *reply, const char *name, char *value, size_t size);
/** Values of all headers of the name, joined by commas, as their list; false: there is none, or no memory. */
bool http_reply_headers(const struct http_reply *reply, const char *name, struct buffer *to);
void http_reply_finish(struct http_reply *reply);

struct http_client;
struct http_call;

/** NULL: out of memory, or libcurl cannot be loaded; http_client_problem() says which. */
struct http_client *http_client_create(const struct http_options *options);
const char *http_client_problem(void);
/** Cancels what is under way (no callbacks) and closes all connections. NULL is fine. */
void http_client_destroy(struct http_client *client);

/**
 * Starts a request. done() comes from http_client_run(); the reply is the client's, valid during the
 * call. The call's handle is invalid once done() was called. NULL: out of memory.
 */
struct http_call *http_client_start(struct http_client *client, const struct http_request *request,
                                    void (*done)(void *user, struct http_reply *reply), void *user);
/** Moves bytes, waits at most timeout_ms for more to do, calls done() for what ended. */
void http_client_run(struct http_client *client, int timeout_ms);
/** Ends a wait in http_client_run() early. [any thread] */
void http_client_wake(struct http_client *client);

/**
 * One request on its own, blocking. The reply is the caller's, to be finished in any case. [any thread]
 */
void http_fetch(const struct http_options *options, const struct http_request *request,
                struct http_reply *ret_reply);

#endif
