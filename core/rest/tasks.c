/* /connectors/{}/tasks. */
#include "core/rest/request.h"

static void ask(struct rest_request *request, enum herder_verb verb)
{
    const struct herder_request what = {
        .verb = verb, .name = request->name, .task = request->number};
    rest_ask(request, &what);
}

void tasks_get(struct rest_request *request)
{
    ask(request, HERDER_TASKS);
}

void tasks_config_get(struct rest_request *request)
{
    ask(request, HERDER_TASKS_CONFIG);
}

void task_status_get(struct rest_request *request)
{
    ask(request, HERDER_TASK_STATUS);
}

void task_restart_post(struct rest_request *request)
{
    ask(request, HERDER_RESTART_TASK);
}

void tasks_post(struct rest_request *request)
{
    rest_answer_error(request, 500,
                      "Kafka Connect in standalone mode does not support externally setting task "
                      "configurations.");
}
