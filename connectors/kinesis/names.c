/* Names; see names.h. */
#include "connectors/kinesis/names.h"

#include <stdio.h>
#include <string.h>

bool kinesis_name(const char *const *pairs, size_t count, const char *template, const char *variable,
                  const char *name, char ret_name[KINESIS_NAME_SIZE])
{
    size_t size = strlen(name), used = 0;
    char placeholder[32];
    for (size_t i = 0; i < count; i++) {
        if (strncmp(pairs[i], name, size) == 0 && pairs[i][size] == ':') {
            int length = snprintf(ret_name, KINESIS_NAME_SIZE, "%s", pairs[i] + size + 1);
            return length > 0 && length < KINESIS_NAME_SIZE;
        }
    }
    snprintf(placeholder, sizeof(placeholder), "${%s}", variable);
    for (const char *at = template; *at;) {
        bool here = strncmp(at, placeholder, strlen(placeholder)) == 0;
        const char *piece = here ? name : at;
        size_t piece_size = here ? size : 1;
        if (used + piece_size >= KINESIS_NAME_SIZE) {
            return false;
        }
        memcpy(ret_name + used, piece, piece_size);
        used += piece_size;
        at += here ? strlen(placeholder) : 1;
    }
    ret_name[used] = '\0';
    return used > 0;
}

bool kinesis_stream_valid(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size <= KINESIS_STREAM_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == size;
}
