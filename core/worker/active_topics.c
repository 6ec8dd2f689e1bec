/*
 * Topics that a connector has used since it was created or since the last reset (KIP-558): told by
 * its tasks' hosts. [loop thread]
 */
#include <string.h>
#include <strings.h>

#include "core/worker/herder_priv.h"
#include "lib/java/regex.h"

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

/* -- what waits to be read -- */

static bool is_listed(const char *list, const char *topic)
{
    static const char between[] = ", \t\r\n\f";
    size_t size = strlen(topic);
    for (const char *at = list + strspn(list, between); *at; at += strspn(at, between)) {
        size_t length = strcspn(at, between);
        if (length == size && strncmp(at, topic, size) == 0) {
            return true;
        }
        at += length;
    }
    return false;
}

static bool runs(const struct connector *connector, const char *type)
{
    if (!connector->exists || strcmp(connector->type, type) != 0) {
        return false;
    }
    for (const struct task *task = connector->tasks; task; task = task->next) {
        if (!task->removed && strcmp(task->state, "RUNNING") == 0) {
            return true;
        }
    }
    return false;
}

/* Topics that sources have written and this sink subscribes to, but has read nothing of. */
static size_t unread_by(const struct herder *herder, const struct connector *sink)
{
    const char *list = json_string_value(json_object_get(sink->config, "topics"));
    const char *pattern = json_string_value(json_object_get(sink->config, "topics.regex"));
    struct regex *regex = NULL;
    struct regex_error why;
    if (pattern && regex_create(pattern, &regex, &why) != 0) {
        return 0; /* its task has failed of it */
    }
    size_t unread = 0;
    for (const struct connector *source = herder->connectors; source; source = source->next) {
        const char *name;
        json_t *value;
        if (!source->exists || strcmp(source->type, "source") != 0) {
            continue;
        }
        json_object_foreach(source->topics, name, value)
        {
            bool wanted = (list && is_listed(list, name)) ||
                          (regex && regex_matches(regex, name, strlen(name)) == REGEX_YES);
            unread += wanted && !json_object_get(sink->topics, name);
        }
    }
    regex_destroy(regex);
    return unread;
}

size_t herder_unread(const struct herder *herder)
{
    size_t unread = 0;
    for (const struct connector *c = herder->connectors; c; c = c->next) {
        unread += runs(c, "sink") ? unread_by(herder, c) : 0;
    }
    return unread;
}
