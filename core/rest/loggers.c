/* /admin/loggers. */
#include <strings.h>

#include "core/rest/request.h"

struct scope {
    bool seen, cluster;
};

static void on_scope(void *user, const char *value)
{
    struct scope *scope = user;
    if (!scope->seen) { /* an unknown one counts as worker */
        *scope = (struct scope){true, strcasecmp(value, "cluster") == 0};
    }
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
        struct scope scope = {0};
        rest_query(request, "scope", on_scope, &scope);
        const struct herder_request what = {.verb = HERDER_SET_LOGGER,
                                            .name = request->name,
                                            .body = level,
                                            .cluster = scope.cluster};
        rest_ask(request, &what);
    }
}
