/* A question that is asked of the list of topics. [any thread] */
#include <string.h>

#include "core/broker/broker.h"

int broker_topic_exists(struct broker *broker, const char *topic, int timeout_ms, bool *ret_there,
                        struct error *error)
{
    struct broker_topics list = {0};
    *ret_there = false;
    if (broker_topics(broker, timeout_ms, &list, error) != 0) {
        return -1;
    }
    for (size_t i = 0; i < list.count && !*ret_there; i++) {
        *ret_there = strcmp(list.topics[i].name, topic) == 0;
    }
    broker_topics_free(&list);
    return 0;
}
