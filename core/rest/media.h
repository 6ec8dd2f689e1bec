/*
 * Media types in a request's headers, as strictly as Jersey reads them. [any thread]
 */
#ifndef CORE_REST_MEDIA_H
#define CORE_REST_MEDIA_H

enum rest_media {
    REST_MEDIA_MALFORMED,
    REST_MEDIA_OTHER,    /* not this type */
    REST_MEDIA_WILDCARD, /* it falls under this */
    REST_MEDIA_EXACT,
};

/** How a Content-Type stands to type (`application/json`). */
enum rest_media rest_media_content(const char *header, const char *type);
/**
 * How an Accept header stands to it, NULL or blank: anything goes. A quality of 0 refuses nothing.
 * *ret_parameters: those (`;charset=utf-8`) of the range that takes it, which the answer's type carries
 * too; owned by the caller, NULL: none.
 */
enum rest_media rest_media_accept(const char *header, const char *type, char **ret_parameters);

#endif
