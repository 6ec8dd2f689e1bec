/* Allowed topics, see allow.h. */
#include "connectors/rest/allow.h"

#include <stdio.h>
#include <string.h>

#include "lib/java/regex.h"

int rest_allow_init(struct rest_allow *allow, const char *pattern, char *message, size_t size)
{
    *allow = (struct rest_allow){.allowed = true};
    if (!pattern || strcmp(pattern, ".*") == 0) {
        return 0;
    }
    struct regex_error error = {0};
    if (regex_create(pattern, &allow->regex, &error) != 0) {
        (void)snprintf(message, size, "%s", error.message);
        return -1;
    }
    return 0;
}

void rest_allow_finish(struct rest_allow *allow)
{
    regex_destroy(allow->regex);
    allow->regex = NULL;
}

void rest_allow_check(struct rest_allow *allow, const char *topic)
{
    if (*topic && strcmp(topic, allow->topic) == 0) {
        return;
    }
    (void)snprintf(allow->topic, sizeof(allow->topic), "%s", topic);
    allow->valid = rest_topic_valid(topic);
    /* A pattern that gives up (REGEX_LIMIT) has not allowed anything. */
    allow->allowed =
        !allow->regex || regex_matches(allow->regex, topic, strlen(topic)) == REGEX_YES;
}
