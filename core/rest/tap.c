/* /connectors/{}/tap: a sample of live records. Ours; Connect has no such thing. */
#include <stdlib.h>

#include "core/rest/request.h"

static void on_number(void *user, const char *value)
{
    *(int *)user = atoi(value);
}

static void on_stage(void *user, const char *value)
{
    json_object_set_new(user, "stage", json_string(value));
}

void connector_tap_get(struct rest_request *request)
{
    int task = 0, most = 10;
    json_t *body = json_pack("{s:s}", "stage", "transformed");
    rest_query(request, "task", on_number, &task);
    rest_query(request, "limit", on_number, &most);
    rest_query(request, "stage", on_stage, body);
    const struct herder_request what = {
        .verb = HERDER_TAP, .name = request->name, .task = task, .most = most, .body = body};
    rest_ask(request, &what);
}
