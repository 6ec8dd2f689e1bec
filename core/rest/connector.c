/* /connectors/{}: one connector, its configuration and its life. */
#include <stdlib.h>
#include <string.h>

#include "core/rest/request.h"

static void ask(struct rest_request *request, enum herder_verb verb)
{
    const struct herder_request what = {.verb = verb, .name = request->name};
    rest_ask(request, &what);
}

void connector_get(struct rest_request *request)
{
    ask(request, HERDER_INFO);
}

void connector_delete(struct rest_request *request)
{
    ask(request, HERDER_DELETE);
}

void connector_config_get(struct rest_request *request)
{
    ask(request, HERDER_CONFIG);
}

void connector_status_get(struct rest_request *request)
{
    ask(request, HERDER_STATUS);
}

void connector_pause_put(struct rest_request *request)
{
    ask(request, HERDER_PAUSE);
}

void connector_resume_put(struct rest_request *request)
{
    ask(request, HERDER_RESUME);
}

void connector_stop_put(struct rest_request *request)
{
    ask(request, HERDER_STOP);
}

void connector_topics_get(struct rest_request *request)
{
    ask(request, HERDER_TOPICS);
}

void connector_topics_reset_put(struct rest_request *request)
{
    ask(request, HERDER_RESET_TOPICS);
}

void connector_restart_post(struct rest_request *request)
{
    const struct herder_request what = {
        .verb = HERDER_RESTART,
        .name = request->name,
        .include_tasks = rest_query_flag(request, "includeTasks", false),
        .only_failed = rest_query_flag(request, "onlyFailed", false),
    };
    rest_ask(request, &what);
}

static json_t *read_config(struct rest_request *request)
{
    json_t *body = rest_body_of_texts(request);
    json_t *config = body ? rest_config(request, body) : NULL;
    json_decref(body);
    return config;
}

void connector_config_put(struct rest_request *request)
{
    json_t *config = read_config(request);
    if (!config) {
        return;
    }
    const char *name = json_string_value(json_object_get(config, "name"));
    if (name && strcmp(name, request->name) != 0) {
        char *message = NULL;
        if (asprintf(
                &message,
                "Connector name configuration (%s) doesn't match connector name in the URL (%s)",
                name, request->name) >= 0) {
            rest_answer_error(request, 400, message);
            free(message);
        }
        json_decref(config);
        return;
    }
    json_object_set_new(config, "name", json_string(request->name));
    const struct herder_request what = {
        .verb = HERDER_PUT_CONFIG, .name = request->name, .body = config};
    rest_ask(request, &what);
}

void connector_config_patch(struct rest_request *request)
{
    json_t *body = rest_body_of_texts_or_null(request);
    json_t *config = !body || json_is_null(body) ? json_incref(body) : rest_config(request, body);
    json_decref(body);
    if (config) {
        const struct herder_request what = {
            .verb = HERDER_PATCH_CONFIG, .name = request->name, .body = config};
        rest_ask(request, &what);
    }
}

void fence_put(struct rest_request *request)
{
    rest_answer_error(
        request, 500,
        "Kafka Connect in standalone mode does not support exactly-once source connectors.");
}
