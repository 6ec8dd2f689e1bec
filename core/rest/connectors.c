/* /connectors: the list, and creating one. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/rest/request.h"

static void on_expand(void *user, const char *value)
{
    struct herder_request *what = user;
    what->expand = true;
    what->expand_info = what->expand_info || strcmp(value, "info") == 0;
    what->expand_status = what->expand_status || strcmp(value, "status") == 0;
    what->expand_metrics = what->expand_metrics || strcmp(value, "metrics") == 0;
}

void connectors_get(struct rest_request *request)
{
    struct herder_request what = {.verb = HERDER_LIST};
    rest_query(request, "expand", on_expand, &what);
    rest_ask(request, &what);
}

/* As String.trim(), to which U+0000 is a blank. */
static const char *trim(const char *text, size_t *size)
{
    while (*size > 0 && (unsigned char)*text <= ' ') {
        text++;
        (*size)--;
    }
    while (*size > 0 && (unsigned char)text[*size - 1] <= ' ') {
        (*size)--;
    }
    return text;
}

/* The body's name without blanks around it; a number or a boolean serves as well. NULL: answered. */
static json_t *read_name(struct rest_request *request, json_t *body)
{
    json_t *given = json_object_get(body, "name");
    if (json_is_string(given)) {
        size_t size = json_string_length(given);
        const char *text = trim(json_string_value(given), &size);
        return json_stringn(text, size);
    }
    json_t *outer = given ? json_pack("{s:O}", "name", given) : json_object();
    json_t *texts = rest_config(request, outer), *name = json_object_get(texts, "name");
    json_t *result = !texts ? NULL : json_is_string(name) ? json_incref(name) : json_string("");
    json_decref(outer);
    json_decref(texts);
    return result;
}

/* In the words of a validation, which no text with a NUL in it gets to. */
static void refuse_nul(struct rest_request *request, json_t *name)
{
    static const char front[] =
        "Connector configuration is invalid and contains the following 1 error(s):\nInvalid value ";
    static const char back[] =
        " for configuration name: String may not contain control sequences but had the following "
        "ASCII chars: 0\nYou can also find the above list of errors at the endpoint "
        "`/connector-plugins/{connectorType}/config/validate`";
    struct buffer message;
    buffer_init(&message, REST_BODY_MAX * 2);
    (void)buffer_append_text(&message, front);
    (void)buffer_append(&message, json_string_value(name), json_string_length(name));
    (void)buffer_append_text(&message, back);
    json_t *body = json_pack("{s:i,s:o}", "error_code", 400, "message",
                             json_stringn(message.data ? message.data : "", message.size));
    buffer_finish(&message);
    rest_answer(request, 400, body);
    json_decref(body);
}

static bool read_state(const char *text, enum connector_target *ret)
{
    static const char *const names[] = {"RUNNING", "PAUSED", "STOPPED"};
    for (int i = 0; i < 3; i++) {
        if (strcasecmp(text, names[i]) == 0) {
            *ret = (enum connector_target)i;
            return true;
        }
    }
    return false;
}

/* Members that CreateConnectorRequest has; others are refused. */
static bool check_members(struct rest_request *request, json_t *body)
{
    const char *name;
    json_t *value;
    if (!json_is_object(body)) {
        rest_answer_error(
            request, 500,
            "Cannot deserialize value of type "
            "`org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest`: the "
            "body is no object");
        return false;
    }
    json_object_foreach(body, name, value)
    {
        if (strcmp(name, "name") != 0 && strcmp(name, "config") != 0 &&
            strcmp(name, "initial_state") != 0) {
            char message[512];
            (void)snprintf(
                message, sizeof(message),
                "Unrecognized field \"%.200s\" (class "
                "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest), not "
                "marked as ignorable (3 known properties: \"config\", \"name\", "
                "\"initial_state\"])",
                name);
            rest_answer_error(request, 500, message);
            return false;
        }
    }
    return true;
}

void connectors_post(struct rest_request *request)
{
    json_t *body = rest_body_of_texts(request), *given = NULL, *config = NULL;
    if (!body || !check_members(request, body)) {
        goto out;
    }
    struct herder_request what = {.verb = HERDER_CREATE};
    json_t *state = json_object_get(body, "initial_state");
    if (state && !json_is_null(state) &&
        !(json_is_string(state) && read_state(json_string_value(state), &what.initial_state))) {
        rest_answer_error(
            request, 500,
            "Cannot construct instance of `org.apache.kafka.connect.runtime.rest.entities."
            "CreateConnectorRequest$InitialState`: it is RUNNING, PAUSED or STOPPED");
        goto out;
    }
    given = read_name(request, body);
    config = given ? rest_config(request, json_object_get(body, "config")) : NULL;
    if (!config) {
        goto out;
    }
    const char *name = json_string_value(given);
    const char *inner = json_string_value(json_object_get(config, "name"));
    if (inner && strcmp(inner, name) != 0) {
        char *message = NULL;
        if (asprintf(
                &message,
                "Connector name configuration (%s) doesn't match connector name in the URL (%s)",
                inner, name) >= 0) {
            rest_answer_error(request, 400, message);
            free(message);
        }
        goto out;
    }
    if (strlen(name) != json_string_length(given)) {
        refuse_nul(request, given);
        goto out;
    }
    json_object_set_new(config, "name", json_string(name));
    what.name = name;
    what.body = config; /* from here the herder's thread has it alone */
    config = NULL;
    rest_ask(request, &what);
out:
    json_decref(body);
    json_decref(given);
    json_decref(config);
}
