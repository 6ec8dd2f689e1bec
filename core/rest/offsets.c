/* /connectors/{}/offsets: form is checked here, as Jackson would; meaning in the herder. */
#include <stdio.h>
#include <string.h>

#include "core/rest/request.h"

void connector_offsets_get(struct rest_request *request)
{
    const struct herder_request what = {.verb = HERDER_OFFSETS, .name = request->name};
    rest_ask(request, &what);
}

void connector_offsets_delete(struct rest_request *request)
{
    const struct herder_request what = {.verb = HERDER_RESET_OFFSETS, .name = request->name};
    rest_ask(request, &what);
}

/* An object with no other members than these two. */
static bool check_members(struct rest_request *request, json_t *object, const char *type,
                          const char *first, const char *second)
{
    const char *name;
    json_t *value;
    char message[512];
    if (!json_is_object(object)) {
        (void)snprintf(message, sizeof(message),
                       "Cannot deserialize value of type "
                       "`org.apache.kafka.connect.runtime.rest.entities.%s`: it is no object",
                       type);
        rest_answer_error(request, 500, message);
        return false;
    }
    json_object_foreach(object, name, value)
    {
        if (strcmp(name, first) != 0 && (!second || strcmp(name, second) != 0)) {
            (void)snprintf(message, sizeof(message),
                           "Unrecognized field \"%.200s\" (class "
                           "org.apache.kafka.connect.runtime.rest.entities.%s), not marked as "
                           "ignorable",
                           name, type);
            rest_answer_error(request, 500, message);
            return false;
        }
    }
    return true;
}

static bool check_map(struct rest_request *request, json_t *value)
{
    if (!value || json_is_null(value) || json_is_object(value)) {
        return true;
    }
    rest_answer_error(request, 500,
                      "Cannot deserialize value of type `java.util.Map<java.lang.String,"
                      "java.lang.Object>`: it is no object");
    return false;
}

static bool check_list(struct rest_request *request, json_t *list)
{
    json_t *item;
    size_t i;
    if (list && !json_is_null(list) && !json_is_array(list)) {
        rest_answer_error(request, 500,
                          "Cannot deserialize value of type `java.util.ArrayList`: it is no array");
        return false;
    }
    json_array_foreach(list, i, item)
    {
        if (!check_members(request, item, "ConnectorOffset", "partition", "offset") ||
            !check_map(request, json_object_get(item, "partition")) ||
            !check_map(request, json_object_get(item, "offset"))) {
            return false;
        }
    }
    return true;
}

void connector_offsets_patch(struct rest_request *request)
{
    json_t *body = rest_body(request);
    json_t *list = json_object_get(body, "offsets");
    if (!body || !check_members(request, body, "ConnectorOffsets", "offsets", NULL) ||
        !check_list(request, list)) {
        json_decref(body);
        return;
    }
    if (json_array_size(list) == 0) {
        rest_answer_error(request, 400,
                          "Partitions / offsets need to be provided for an alter offsets request");
    } else {
        const struct herder_request what = {
            .verb = HERDER_ALTER_OFFSETS, .name = request->name, .body = json_incref(list)};
        json_decref(body); /* the herder's thread has the list alone */
        rest_ask(request, &what);
        return;
    }
    json_decref(body);
}
