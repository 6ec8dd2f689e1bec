/* /, /health, /metrics. */
#include "core/rest/request.h"

static void ask(struct rest_request *request, enum herder_verb verb)
{
    const struct herder_request what = {.verb = verb};
    rest_ask(request, &what);
}

void root_get(struct rest_request *request)
{
    ask(request, HERDER_SERVER_INFO);
}

void health_get(struct rest_request *request)
{
    rest_ask_health(request);
}

void metrics_get(struct rest_request *request)
{
    ask(request, HERDER_METRICS);
}
