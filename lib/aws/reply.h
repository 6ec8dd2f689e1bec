/*
 * What an answer of AWS means for whoever asked: fine, try again (soon, or later), sign again, give
 * up. After the retry rules of the SDKs (aws-and-libraries.md §4). No state.
 */
#ifndef LIB_AWS_REPLY_H
#define LIB_AWS_REPLY_H

#include <stdbool.h>

#include "lib/http/client.h"

enum aws_class {
    AWS_FINE,
    AWS_TRANSIENT,   /**< network, 500, 502, 503, 504, ..: the same request may succeed soon */
    AWS_THROTTLED,   /**< SlowDown and its like: later, and fewer */
    AWS_SKEWED,      /**< our clock is off: sign anew with the server's */
    AWS_EXPIRED,     /**< credentials ran out: fetch new ones */
    AWS_REDIRECTED,  /**< another region or endpoint */
    AWS_CONDITION,   /**< 412 or 409 of a conditional request */
    AWS_MISSING,     /**< 404 */
    AWS_DENIED,      /**< 401, 403 */
    AWS_REFUSED,     /**< any other 4xx: the request is wrong */
};

struct aws_fault {
    enum aws_class class;
    int status;            /**< 0: no reply */
    char code[64];         /**< AWS' name for it, "" where none was given */
    char message[300];     /**< its sentence, or the network's */
    char request_id[80];
    char region[40];       /**< AWS_REDIRECTED: where to, "" if not said */
    int64_t server_time;   /**< AWS_SKEWED: seconds since 1970 by the Date header; 0: unknown */
    int retry_after_ms;    /**< by Retry-After; -1: not said */
};

/**
 * Classes a reply. body_decides: the status may be 200 and the body an <Error> all the same
 * (CompleteMultipartUpload, CopyObject).
 */
void aws_classify(const struct http_reply *reply, bool body_decides, struct aws_fault *ret_fault);
/** "SlowDown (HTTP 503): Please reduce your request rate. [request 1A2B]", for logs and errors. */
const char *aws_fault_text(const struct aws_fault *fault, char *text, size_t size);

#endif
