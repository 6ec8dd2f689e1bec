#include "core/host/subscription.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "lib/java/regex.h"

enum {
    LOOK_AGAIN_MS = 30000,  /* where the broker does not say by itself that topics changed; */
    FIRST_LOOK_MS = 1000,   /* reached from here by doubling, as most new topics come together */
    NONE_LOOK_MS = 2000,    /* at most, while the pattern matches nothing */
    RETRY_MS = 500,
    NONE_YET_MS = 200,      /* while the pattern matches nothing */
    METADATA_TIMEOUT_MS = 3000,
};

struct subscription {
    struct regex *regex;     /* NULL: `topics` */
    char **topics;           /* subscribed now, or to be */
    size_t count;
    bool subscribed;
    int64_t epoch;           /* of the topics last looked at */
    int64_t next_look;       /* monotonic ms */
    int64_t wait;            /* until the look after that one */
    int64_t most;            /* of wait: metadata.max.age.ms, where that is shorter */
};

static void drop_topics(struct subscription *subscription)
{
    for (size_t i = 0; i < subscription->count; i++) {
        free(subscription->topics[i]);
    }
    free(subscription->topics);
    subscription->topics = NULL;
    subscription->count = 0;
}

void subscription_destroy(struct subscription *subscription)
{
    if (subscription) {
        drop_topics(subscription);
        regex_destroy(subscription->regex);
        free(subscription);
    }
}

static int add_topic(struct subscription *subscription, const char *name, size_t size)
{
    for (size_t i = 0; i < subscription->count; i++) {
        if (strlen(subscription->topics[i]) == size &&
            memcmp(subscription->topics[i], name, size) == 0) {
            return 0;
        }
    }
    char **grown = realloc(subscription->topics, (subscription->count + 1) * sizeof(*grown));
    char *copy = grown ? strndup(name, size) : NULL;
    if (!copy) {
        if (grown) {
            subscription->topics = grown;
        }
        return -1;
    }
    subscription->topics = grown;
    subscription->topics[subscription->count++] = copy;
    return 0;
}

/* ConfigDef's LIST: commas, blanks around items dropped, empty items too (kafka-connect.md §7.1). */
static int parse_list(struct subscription *subscription, const char *list)
{
    while (*list) {
        size_t size = strcspn(list, ",");
        const char *from = list, *to = list + size;
        while (from < to && strchr(" \t\r\n\f", *from)) {
            from++;
        }
        while (to > from && strchr(" \t\r\n\f", to[-1])) {
            to--;
        }
        if (to > from && add_topic(subscription, from, (size_t)(to - from)) != 0) {
            return -1;
        }
        list += size + (list[size] == ',');
    }
    return 0;
}

int subscription_create(const struct properties *config, const struct properties *client,
                        struct subscription **ret, struct error *error)
{
    const char *topics = properties_get(config, "topics");
    const char *pattern = properties_get(config, "topics.regex");
    topics = topics ? topics : "";
    bool has_topics = topics[strspn(topics, " \t,")] != '\0';
    bool has_pattern = pattern && pattern[strspn(pattern, " \t")] != '\0';
    if (has_topics && has_pattern) {
        return error_set_class(error, ERROR_CONFIG, "org.apache.kafka.common.config.ConfigException",
                               "topics and topics.regex are mutually exclusive options, but both are "
                               "set.");
    }
    if (!has_topics && !has_pattern) {
        return error_set_class(error, ERROR_CONFIG, "org.apache.kafka.common.config.ConfigException",
                               "Must configure one of topics or topics.regex");
    }
    struct subscription *subscription = calloc(1, sizeof(*subscription));
    if (!subscription) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for the subscription");
    }
    const char *age = properties_get(client, "metadata.max.age.ms");
    int64_t most = age ? strtoll(age, NULL, 10) : LOOK_AGAIN_MS;
    subscription->most = most >= RETRY_MS && most < LOOK_AGAIN_MS ? most : LOOK_AGAIN_MS;
    subscription->epoch = -2;
    if (has_pattern) {
        struct regex_error why;
        if (regex_create(pattern, &subscription->regex, &why) != 0) {
            subscription_destroy(subscription);
            return error_set_class(error, ERROR_CONFIG,
                                   "org.apache.kafka.common.config.ConfigException",
                                   "Invalid value %s for configuration topics.regex: %s", pattern,
                                   why.message);
        }
    } else if (parse_list(subscription, topics) != 0) {
        subscription_destroy(subscription);
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for the subscription");
    }
    *ret = subscription;
    return 0;
}

static bool same_topics(const struct subscription *a, const struct subscription *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) { /* both ascending, as the broker lists them */
        if (strcmp(a->topics[i], b->topics[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* Topics of the cluster that the pattern matches as a whole; internal ones are left out. */
static int match_topics(struct subscription *subscription, struct broker *broker, bool *ret_changed,
                        struct error *error)
{
    struct broker_topics list = {0};
    struct subscription found = {0};
    if (broker_topics(broker, METADATA_TIMEOUT_MS, &list, error) != 0) {
        return -1;
    }
    int result = 0;
    for (size_t i = 0; i < list.count && result == 0; i++) {
        const char *name = list.topics[i].name;
        if (!list.topics[i].internal &&
            regex_matches(subscription->regex, name, strlen(name)) == REGEX_YES) {
            result = add_topic(&found, name, strlen(name));
        }
    }
    broker_topics_free(&list);
    if (result != 0) {
        drop_topics(&found);
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for the subscription");
    }
    *ret_changed = !same_topics(subscription, &found);
    if (*ret_changed) {
        drop_topics(subscription);
        subscription->topics = found.topics;
        subscription->count = found.count;
    } else {
        drop_topics(&found);
    }
    return 0;
}

static void plan_look(struct subscription *subscription, int64_t now, bool changed)
{
    int64_t most = subscription->most;
    if (subscription->epoch < 0 && subscription->count == 0 && most > NONE_LOOK_MS) {
        most = NONE_LOOK_MS;
    }
    int64_t wait = subscription->epoch >= 0 ? LOOK_AGAIN_MS
                   : changed                ? FIRST_LOOK_MS
                                            : subscription->wait * 2;
    subscription->wait = wait < FIRST_LOOK_MS ? FIRST_LOOK_MS : wait > most ? most : wait;
    subscription->next_look = now + subscription->wait;
}

int subscription_refresh(struct subscription *subscription, struct broker *broker,
                         struct broker_consumer *consumer, struct error *error)
{
    int64_t now = clock_monotonic_ms();
    bool changed = !subscription->subscribed;
    if (subscription->regex) {
        int64_t epoch = broker_topics_epoch(broker);
        bool moved = epoch < 0 || epoch != subscription->epoch;
        if (!moved && now < subscription->next_look) {
            return 0;
        }
        if (epoch < 0 && now < subscription->next_look) {
            return 0;
        }
        subscription->next_look = now + RETRY_MS;
        bool other = false;
        if (match_topics(subscription, broker, &other, error) != 0) {
            return -1;
        }
        subscription->epoch = epoch;
        plan_look(subscription, now, other);
        changed = changed ? subscription->count > 0 : other;
    } else if (!changed || now < subscription->next_look) {
        return 0;
    }
    if (!changed) {
        return 0;
    }
    subscription->next_look = now + RETRY_MS;
    if (broker_consumer_subscribe(consumer, (const char *const *)subscription->topics,
                                  subscription->count, error) != 0) {
        subscription->subscribed = false;
        return -1;
    }
    subscription->subscribed = true;
    if (subscription->regex) {
        plan_look(subscription, now, true);
    }
    return 0;
}

int subscription_wait(const struct subscription *subscription, int timeout_ms)
{
    if (!subscription->regex && subscription->subscribed) {
        return timeout_ms;
    }
    if (subscription->regex && subscription->count == 0 && timeout_ms > NONE_YET_MS) {
        timeout_ms = NONE_YET_MS;
    }
    int64_t left = subscription->next_look - clock_monotonic_ms();
    return left <= 0 ? 1 : left < timeout_ms ? (int)left : timeout_ms;
}
