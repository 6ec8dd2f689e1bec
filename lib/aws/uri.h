/* Percent-encoding as AWS signs it: everything but A-Z a-z 0-9 - . _ ~ becomes %XX. */
#ifndef LIB_AWS_URI_H
#define LIB_AWS_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/buffer.h"

/** Appends size bytes encoded; slashes stay where keep_slashes. Failure: buffer->failed. */
void aws_uri_encode(struct buffer *buffer, const char *text, size_t size, bool keep_slashes);

/** Decodes %XX in place, and + as a blank: what S3 answers with encoding-type=url. */
void aws_uri_decode(char *text);

/** A URL taken apart; each part inside the text it was made of, NULL-terminated copies. */
struct aws_url {
    bool tls;
    char host[256];   /**< without port; [v6] in brackets */
    char authority[272]; /**< as the Host header says it: with a port where it is not the default */
    int port;
    char path[512];   /**< "" or begins with a slash, without one at its end */
};
/** False: not http://host or https://host, a user name, a query, or too long. */
bool aws_url_parse(const char *text, struct aws_url *ret_url);

#endif
