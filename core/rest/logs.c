/* /connectors/{}/logs: the last log lines about a connector. Ours; Connect has no such thing. */
#include <stdlib.h>

#include "core/rest/request.h"

enum { LINES_DEFAULT = 200, LINES_MOST = 1000 };

static void on_number(void *user, const char *value)
{
    char *end;
    long long number = strtoll(value, &end, 10);
    if (end != value && *end == '\0' && number >= 0) {
        *(int64_t *)user = number;
    }
}

void connector_logs_get(struct rest_request *request)
{
    int64_t after = 0, most = LINES_DEFAULT;
    rest_query(request, "after", on_number, &after);
    rest_query(request, "limit", on_number, &most);
    const struct herder_request what = {
        .verb = HERDER_LOGS,
        .name = request->name,
        .after = after,
        .most = (int)(most > LINES_MOST ? LINES_MOST : most),
    };
    rest_ask(request, &what);
}
