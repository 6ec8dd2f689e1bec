/* Allowed topics, see allow.h. */
#include "connectors/rest/allow.h"

#include <stdio.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

int rest_allow_init(struct rest_allow *allow, const char *pattern, char *message, size_t size)
{
    *allow = (struct rest_allow){.allowed = true};
    if (!pattern || strcmp(pattern, ".*") == 0) {
        return 0;
    }
    int code;
    PCRE2_SIZE offset;
    allow->regex = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                 PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &code, &offset, NULL);
    if (!allow->regex) {
        (void)snprintf(message, size, "no regular expression, at character %zu", (size_t)offset);
        return -1;
    }
    return 0;
}

void rest_allow_finish(struct rest_allow *allow)
{
    pcre2_code_free(allow->regex);
    allow->regex = NULL;
}

void rest_allow_check(struct rest_allow *allow, const char *topic)
{
    if (*topic && strcmp(topic, allow->topic) == 0) {
        return;
    }
    (void)snprintf(allow->topic, sizeof(allow->topic), "%s", topic);
    allow->valid = rest_topic_valid(topic);
    allow->allowed = true;
    if (allow->regex) {
        pcre2_match_data *match = pcre2_match_data_create_from_pattern(allow->regex, NULL);
        allow->allowed = match && pcre2_match(allow->regex, (PCRE2_SPTR)topic, strlen(topic), 0, 0,
                                              match, NULL) >= 0;
        pcre2_match_data_free(match);
    }
}
