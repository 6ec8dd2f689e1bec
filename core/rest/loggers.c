/* /admin/loggers. */
#include <strings.h>

#include "core/rest/request.h"

static void on_scope(void *user, const char *value)
{
    bool *cluster = user;
    *cluster = strcasecmp(value, "cluster") == 0; /* an unknown one counts as worker */
}

void loggers_get(struct rest_request *request)
{
    const struct herder_request what = {.verb = HERDER_LOGGERS};
    rest_ask(request, &what);
}

void logger_get(struct rest_request *request)
{
    const struct herder_request what = {.verb = HERDER_LOGGER, .name = request->name};
    rest_ask(request, &what);
}

void logger_put(struct rest_request *request)
{
    json_t *body = rest_body_of_texts(request);
    json_t *level = body ? rest_config(request, body) : NULL;
    json_decref(body);
    if (level) {
        struct herder_request what = {
            .verb = HERDER_SET_LOGGER, .name = request->name, .body = level};
        rest_query(request, "scope", on_scope, &what.cluster);
        rest_ask(request, &what);
    }
}
