/* The socket of a listener. Inside core/rest only; rest_parse_listener() is in rest.h. */
#ifndef CORE_REST_LISTENER_H
#define CORE_REST_LISTENER_H

#include "core/rest/rest.h"

/** Binds and listens; puts the port that was given in place of 0. A descriptor, or -1. */
int rest_listen(struct rest_listener *listener, struct error *error) CHECKED;

#endif
