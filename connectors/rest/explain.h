/*
 * Why a body was refused, in the Proxy's words: binds it slowly as Jackson binds ProduceRequest, so that
 * of several faults the same one is told. body.c alone decides what is refused. [any thread]
 */
#ifndef CONNECTORS_REST_EXPLAIN_H
#define CONNECTORS_REST_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "connectors/rest/fault.h"

/** True where Jackson refuses the body: the fault says why. False: it would take it. */
bool rest_explain(const char *text, size_t size, struct rest_fault *fault);

#endif
