#include "core/host/used_topics.h"

#include <stdlib.h>
#include <string.h>

#include "core/host/task.h"

enum { TOPICS_MOST = 10000 };

void used_topics_init(struct used_topics *topics, bool off)
{
    *topics = (struct used_topics){.off = off};
    pthread_mutex_init(&topics->lock, NULL);
}

/* True where it is new. */
static bool add(struct used_topics *topics, const char *topic)
{
    for (size_t i = 0; i < topics->count; i++) {
        if (strcmp(topics->names[i], topic) == 0) {
            return false;
        }
    }
    char **grown = topics->count < TOPICS_MOST
                       ? realloc(topics->names, (topics->count + 1) * sizeof(*grown))
                       : NULL;
    topics->names = grown ? grown : topics->names;
    char *copy = grown ? strdup(topic) : NULL;
    if (!copy) {
        return false;
    }
    topics->names[topics->count++] = copy;
    return true;
}

void used_topics_note(struct task *task, const char *topic)
{
    struct used_topics *topics = &task->topics;
    unsigned resets = atomic_load_explicit(&topics->resets, memory_order_relaxed);
    if (topics->off || (resets == topics->last_resets && strcmp(topics->last, topic) == 0)) {
        return;
    }
    pthread_mutex_lock(&topics->lock);
    bool fresh = add(topics, topic);
    pthread_mutex_unlock(&topics->lock);
    size_t size = strlen(topic);
    if (size < sizeof(topics->last)) {
        memcpy(topics->last, topic, size + 1);
        topics->last_resets = resets;
    }
    if (fresh) {
        task_send(task, json_pack("{s:s,s:s}", "type", "topic", "topic", topic));
    }
}

void used_topics_reset(struct used_topics *topics)
{
    pthread_mutex_lock(&topics->lock);
    for (size_t i = 0; i < topics->count; i++) {
        free(topics->names[i]);
    }
    topics->count = 0;
    atomic_fetch_add(&topics->resets, 1);
    pthread_mutex_unlock(&topics->lock);
}
