/*
 * Headers that answers carry besides their own: response.http.headers.config, and those that let pages
 * of other origins in (access.control.allow.*; as Jetty's filters put them). Read once; adding is for
 * [any thread].
 */
#ifndef CORE_REST_HEADERS_H
#define CORE_REST_HEADERS_H

#include <microhttpd.h>

#include "core/base/error.h"
#include "core/config/properties.h"

struct rest_headers;

int rest_headers_load(const struct properties *worker, struct rest_headers **ret_headers,
                      struct error *error) CHECKED;
/** NULL is fine. */
void rest_headers_destroy(struct rest_headers *headers);
void rest_headers_add(const struct rest_headers *headers, struct MHD_Connection *connection,
                      const char *method, struct MHD_Response *response);

#endif
