/* JSON pointers (RFC 6901) on values: maps, structs and arrays. Constant once made: any thread. */
#ifndef HTTP_POINTER_H
#define HTTP_POINTER_H

#include <sluice/host.h>

struct pointer {
    const struct sluice_name **names; /**< a part each; arrays take it as a number */
    size_t count;
};

/** "" and "/" are the whole value. -1: it does not begin with `/`, or no memory. */
int pointer_parse(const struct sluice_data *data, const char *text, struct pointer *pointer);
void pointer_finish(struct pointer *pointer);
/** NULL where there is nothing. */
const struct sluice_value *pointer_find(const struct sluice_data *data, const struct pointer *pointer,
                                        const struct sluice_value *value);

#endif
