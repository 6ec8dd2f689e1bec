/* The headers of a request that the server goes by, found in one pass. [http thread] */
#ifndef CONNECTORS_REST_HEADERS_H
#define CONNECTORS_REST_HEADERS_H

#include <stdbool.h>

#include <microhttpd.h>

#include "connectors/rest/fault.h"

/** Texts are libmicrohttpd's and live as long as the request; NULL: not there. */
struct rest_headers {
    const char *type, *accept; /* of several the first */
    const char *length;
    bool chunked;
    bool expects; /* waits for `100 Continue` before it sends its body */
};

/**
 * Reads them. -1 with a fault (400) where it is not sure where the request ends: somebody in front of us
 * may have seen another end, and what follows would be taken for a request that he let pass.
 */
int rest_headers_read(struct MHD_Connection *connection, struct rest_headers *headers,
                      struct rest_fault *fault) SLUICE_CHECKED;

#endif
