/* Paths and headers: lines of method, path, Content-Type, Accept. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/rest/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    const char *parts[4] = {NULL, NULL, NULL, NULL};
    char *rest = text;
    for (int i = 0; i < 4 && rest; i++) {
        parts[i] = strsep(&rest, "\n");
    }
    struct rest_route route;
    struct rest_fault fault = {0};
    if (parts[1]) {
        if (rest_route_find(parts[0], parts[1], parts[2], parts[3], &route, &fault) != 0 &&
            (fault.status < 400 || fault.status > 499)) {
            abort();
        }
        if (!route.type || strlen(route.topic) > REST_TOPIC_MAX + 1) {
            abort();
        }
        (void)rest_topic_valid(route.topic);
        fault.status = 0;
        int stream = rest_route_streams(parts[0], parts[1], &route, &fault);
        if (strlen(route.topic) > REST_TOPIC_MAX + 1 || (stream < 0) != (fault.status >= 400)) {
            abort();
        }
    }
    free(text);
    return 0;
}
