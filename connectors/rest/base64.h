/* Base64 as Guava's BaseEncoding.base64() reads it; REST Proxy's binary records. Any thread. */
#ifndef CONNECTORS_REST_BASE64_H
#define CONNECTORS_REST_BASE64_H

#include <stddef.h>

#include <sluice/version.h>

/** Most bytes that size characters can stand for. */
#define REST_BASE64_MAX(size) ((size) / 4 * 3 + 3)

/**
 * Decodes into bytes (REST_BASE64_MAX(size) of room). Standard alphabet, no blanks; padding may be
 * missing, and bits left over are ignored. -1 where the text is not base64.
 */
int rest_base64_decode(const char *text, size_t size, char *bytes, size_t *ret_size) SLUICE_CHECKED;

#endif
