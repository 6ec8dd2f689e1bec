/* /connector-plugins. */
#include "core/rest/request.h"

void plugins_get(struct rest_request *request)
{
    const struct herder_request what = {
        .verb = HERDER_PLUGINS,
        .all_kinds = !rest_query_flag(request, "connectorsOnly", true),
    };
    rest_ask(request, &what);
}

void plugin_config_get(struct rest_request *request)
{
    const struct herder_request what = {.verb = HERDER_PLUGIN_CONFIG, .name = request->name};
    rest_ask(request, &what);
}

void plugin_validate_put(struct rest_request *request)
{
    json_t *body = rest_body_of_texts(request);
    json_t *config = body ? rest_config(request, body) : NULL;
    json_decref(body);
    if (config) {
        const struct herder_request what = {
            .verb = HERDER_VALIDATE, .name = request->name, .body = config};
        rest_ask(request, &what);
    }
}
