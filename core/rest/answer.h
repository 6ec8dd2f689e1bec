/* How an answer goes out. Inside core/rest only; what handlers set is in request.h. */
#ifndef CORE_REST_ANSWER_H
#define CORE_REST_ANSWER_H

#include "core/rest/headers.h"
#include "core/rest/request.h"

/** Where what was made is found: the path behind the request's own host. */
void rest_answer_location(struct rest_request *request, bool https, const char *path);
/** Forgets it, so that there can be another. */
void rest_answer_drop(struct rest_request *request);
/** Hands it to the daemon. [thread of the listener] */
enum MHD_Result rest_answer_send(struct rest_request *request, const struct rest_headers *headers);

#endif
