/*
 * Topics that a connector has used since it was created or since the last reset (KIP-558): told by
 * its tasks' hosts. [loop thread]
 */
#include <string.h>
#include <strings.h>

#include "core/worker/herder_priv.h"

enum { TOPICS_MOST = 100000 };

void active_topics_add(struct connector *connector, const char *topic)
{
    if (!connector->topics) {
        connector->topics = json_object();
    }
    if (json_object_size(connector->topics) < TOPICS_MOST) {
        json_object_set_new(connector->topics, topic, json_null());
    }
}

static bool enabled(const struct herder *herder, const char *key)
{
    const char *text = properties_get(herder->worker, key);
    return !text || strcasecmp(text, "false") != 0;
}

static void read_topics(struct command *command, const struct connector *connector)
{
    json_t *names = json_array(), *value;
    const char *name;
    json_object_foreach(connector ? connector->topics : NULL, name, value)
    {
        json_array_append_new(names, json_string(name));
    }
    json_t *body = json_pack("{s:{s:o}}", command->request.name, "topics", names);
    command_reply(command, 200, body, NULL);
    json_decref(body);
}

static void reset(struct command *command, struct connector *connector)
{
    if (connector) {
        json_decref(connector->topics);
        connector->topics = NULL;
        for (struct task *task = connector->tasks; task; task = task->next) {
            if (task->host) {
                host_send(task->host, json_pack("{s:s}", "type", "topics_reset"));
            }
        }
    }
    command_reply(command, 202, NULL, NULL);
}

void active_topics_request(struct herder *herder, struct command *command)
{
    struct connector *connector = herder_find(herder, command->request.name);
    bool resets = command->request.verb == HERDER_RESET_TOPICS;
    if (!enabled(herder, "topic.tracking.enable")) {
        command_reply(command, 403, NULL, "Topic tracking is disabled.");
    } else if (resets && !enabled(herder, "topic.tracking.allow.reset")) {
        command_reply(command, 403, NULL, "Topic tracking reset is disabled.");
    } else if (resets) {
        reset(command, connector);
    } else {
        read_topics(command, connector);
    }
    command_finish(command);
}
