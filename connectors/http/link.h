/* Where an answer says its next page is: the Link header (RFC 8288) and references. Any thread. */
#ifndef HTTP_LINK_H
#define HTTP_LINK_H

#include <stdbool.h>

/** URI of the link with the relation `next` in a header's value, to be freed; NULL: there is none. */
char *link_next(const char *header);
/**
 * A reference of an answer to base as a URL, to be freed. NULL: it is on another server, or no memory.
 * Credentials go along with every page: only to the server they are for.
 */
char *link_absolute(const char *base, const char *reference);
/** Whether the text is a URL, or begins with `/`: what else it may be is the value of an offset. */
bool link_is_reference(const char *text);

#endif
