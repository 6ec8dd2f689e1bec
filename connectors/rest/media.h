/*
 * Media types of requests and answers, read as strictly as the Proxy's Jersey reads them. No memory,
 * any thread.
 */
#ifndef CONNECTORS_REST_MEDIA_H
#define CONNECTORS_REST_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

#include <sluice/version.h>

#define REST_TYPE_V2 "application/vnd.kafka.v2+json"
#define REST_TYPE_JSON "application/json"

/** `type/subtype` without its parameters, a span of the header. */
struct rest_media {
    const char *text;
    size_t size;
};

/** Of a Content-Type header; -1: it is none. */
int rest_media_content(const char *header, struct rest_media *ret_media) SLUICE_CHECKED;
/** Letters in any case. */
bool rest_media_is(const struct rest_media *media, const char *type);
/**
 * Type of the answer for an Accept header (NULL: none came): *ret_type is static, NULL where nothing
 * that we have is accepted. -1: the header is malformed.
 */
int rest_media_negotiate(const char *header, const char **ret_type) SLUICE_CHECKED;

#endif
