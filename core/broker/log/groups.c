/*
 * Consumer groups. A member is a connection: it joins with its topics and is gone with its socket.
 * Partitions are shared out by Kafka's range assignor over members in the order of their names, and
 * handed over cooperatively: a partition that moves is first revoked, and assigned to its new
 * member when the old one has acknowledged; whoever does not in time is put out of the group.
 *
 * Generations grow with every change and with every owner, so a commit by one who was a member
 * before is told from one of now. [owner's one thread]
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/broker/log/owner.h"

#define LOGGER "sluice.log.groups"

struct member {
    struct client *client;
    struct group *group;
    struct member *next; /* by name of the client, then as they came */
    char **topics;
    size_t topic_count;
    enum wire_reset reset;
    int64_t joined;     /* generation */
    int64_t timeout_ms; /* to acknowledge a revocation */
    int64_t deadline;   /* monotonic ms; 0: nothing to acknowledge */
};

struct claim {
    struct topic *topic;
    int32_t partition;
    struct member *owner, *target;
    bool revoking; /* the owner was told */
};

struct group {
    struct group *next;
    char *name;
    struct member *members;
    size_t member_count;
    struct claim *claims; /* by name of the topic and partition */
    size_t claim_count;
    int64_t generation;
};

static struct group *group_find(const struct owner *owner, const char *name)
{
    struct group *group = owner->groups;
    while (group && strcmp(group->name, name) != 0) {
        group = group->next;
    }
    return group;
}

bool group_has_members(const struct owner *owner, const char *name)
{
    return group_find(owner, name) != NULL;
}

static int compare_claims(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = strcmp(x->topic->name, y->topic->name);
    return order ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

static struct claim *claim_find(const struct group *group, struct topic *topic, int32_t partition)
{
    struct claim wanted = {.topic = topic, .partition = partition};
    return group->claim_count == 0 ? NULL
                                   : bsearch(&wanted, group->claims, group->claim_count,
                                             sizeof(wanted), compare_claims);
}

/* -- telling members -- */

static void put_claim(struct buffer *out, const struct claim *claim)
{
    wire_put_text(out, claim->topic->name);
    wire_put_u32(out, (uint32_t)claim->partition);
}

static void send_revocations(struct group *group, struct member *member)
{
    struct buffer *out = &member->client->out;
    uint32_t count = 0;
    for (size_t i = 0; i < group->claim_count; i++) {
        struct claim *claim = &group->claims[i];
        count += claim->owner == member && claim->target != member && !claim->revoking;
    }
    if (count == 0) {
        return;
    }
    size_t begin = wire_begin(out, WIRE_REVOKE, 0);
    wire_put_i64(out, group->generation);
    wire_put_u32(out, count);
    for (size_t i = 0; i < group->claim_count; i++) {
        struct claim *claim = &group->claims[i];
        if (claim->owner == member && claim->target != member && !claim->revoking) {
            claim->revoking = true;
            put_claim(out, claim);
        }
    }
    wire_end(out, begin);
    if (member->deadline == 0) {
        member->deadline = clock_monotonic_ms() + member->timeout_ms;
    }
    client_flush_later(member->client);
}

static void put_position(struct owner *owner, struct member *member, const struct claim *claim)
{
    const struct partition *partition = claim->topic->partitions[claim->partition];
    struct error ignored = {0};
    int64_t offset = offsets_get(owner, member->group->name, claim->topic->id, claim->partition);
    if (offset < 0) {
        offset = member->reset == WIRE_RESET_LATEST     ? partition->next
                 : member->reset == WIRE_RESET_EARLIEST ? partition->start
                                                        : -3 /* an error */;
    } else {
        /* Out of range: the consumer hears of it where it fetches, if its policy is none. */
        int64_t there = fetch_resolve(partition, offset, member->reset, &ignored);
        offset = ignored.code == ERROR_NONE ? there : offset;
        error_clear(&ignored);
    }
    wire_put_i64(&member->client->out, offset);
    wire_put_i64(&member->client->out, partition->next);
}

/* A read transaction is open. */
static void send_assignments(struct owner *owner, struct group *group, struct member *member)
{
    struct buffer *out = &member->client->out;
    uint32_t count = 0;
    for (size_t i = 0; i < group->claim_count; i++) {
        count += group->claims[i].owner == NULL && group->claims[i].target == member;
    }
    if (count == 0) {
        return;
    }
    size_t begin = wire_begin(out, WIRE_ASSIGN, 0);
    wire_put_i64(out, group->generation);
    wire_put_u32(out, count);
    for (size_t i = 0; i < group->claim_count; i++) {
        struct claim *claim = &group->claims[i];
        if (claim->owner == NULL && claim->target == member) {
            claim->owner = member;
            put_claim(out, claim);
            put_position(owner, member, claim);
        }
    }
    wire_end(out, begin);
    client_flush_later(member->client);
}

/* Moves on as far as it can: asks for what shall move, hands out what is free. */
static void hand_over(struct owner *owner, struct group *group)
{
    struct error error = {0};
    round_commit(owner); /* offsets committed in this turn are where the new member starts */
    if (store_read_begin(&owner->store, &error) != 0) {
        log_warn(LOGGER, "Group %s cannot be balanced: %s", group->name, error.message);
        error_clear(&error);
        return;
    }
    for (struct member *member = group->members; member; member = member->next) {
        send_revocations(group, member);
        send_assignments(owner, group, member);
    }
    store_read_end(&owner->store);
}

/* -- balancing -- */

static bool subscribed(const struct member *member, const struct topic *topic)
{
    for (size_t i = 0; i < member->topic_count; i++) {
        if (strcmp(member->topics[i], topic->name) == 0) {
            return true;
        }
    }
    return false;
}

/* Range: each subscriber in order gets partitions/subscribers of them, the first ones one more. */
static void assign_range(struct group *group, struct topic *topic, struct claim *claims)
{
    int32_t subscribers = 0, at = 0, rank = 0;
    for (struct member *member = group->members; member; member = member->next) {
        subscribers += subscribed(member, topic);
    }
    for (struct member *member = group->members; member; member = member->next) {
        if (subscribed(member, topic)) {
            int32_t share = topic->count / subscribers + (rank++ < topic->count % subscribers);
            for (int32_t i = 0; i < share; i++) {
                claims[at++].target = member;
            }
        }
    }
}

static bool wanted(const struct group *group, const struct topic *topic)
{
    for (const struct member *member = group->members; member; member = member->next) {
        if (subscribed(member, topic)) {
            return true;
        }
    }
    return false;
}

static void rebalance(struct owner *owner, struct group *group)
{
    size_t capacity = group->claim_count + (size_t)owner->partition_count + 1, count = 0;
    struct claim *claims = calloc(capacity, sizeof(*claims));
    if (!claims) {
        log_error(LOGGER, "No memory to balance group %s", group->name);
        return;
    }
    group->generation = ++owner->last_generation;
    for (size_t i = 0; i < group->claim_count; i++) {
        group->claims[i].target = NULL;
    }
    for (size_t t = 0; t < owner->topic_count; t++) {
        struct topic *topic = owner->topics[t];
        if (!wanted(group, topic)) {
            continue;
        }
        struct claim *first = &claims[count];
        for (int32_t i = 0; i < topic->count; i++) {
            struct claim *old = claim_find(group, topic, i);
            claims[count] = old ? *old : (struct claim){.topic = topic, .partition = i};
            if (old) {
                old->owner = NULL; /* it has moved into the new list */
            }
            count++;
        }
        assign_range(group, topic, first);
    }
    for (size_t i = 0; i < group->claim_count; i++) {
        if (group->claims[i].owner) { /* wanted by nobody, to be given up */
            claims[count++] = group->claims[i];
        }
    }
    qsort(claims, count, sizeof(*claims), compare_claims);
    free(group->claims);
    group->claims = claims;
    group->claim_count = count;
    hand_over(owner, group);
}

/* -- members -- */

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i]);
    }
    free(texts);
}

static void member_remove(struct member *member)
{
    struct group *group = member->group;
    struct member **link = &group->members;
    while (*link != member) {
        link = &(*link)->next;
    }
    *link = member->next;
    group->member_count--;
    for (size_t i = 0; i < group->claim_count; i++) {
        struct claim *claim = &group->claims[i];
        if (claim->owner == member) {
            claim->owner = NULL;
            claim->revoking = false;
        }
        if (claim->target == member) {
            claim->target = NULL;
        }
    }
    member->client->member = NULL;
    free_texts(member->topics, member->topic_count);
    free(member);
}

static void group_free(struct owner *owner, struct group *group)
{
    struct group **link = &owner->groups;
    while (*link != group) {
        link = &(*link)->next;
    }
    *link = group->next;
    owner->group_count--;
    free(group->name);
    free(group->claims);
    free(group);
}

static void without(struct owner *owner, struct group *group)
{
    if (group->members) {
        rebalance(owner, group);
    } else {
        group_free(owner, group);
    }
}

void group_leave(struct client *client)
{
    if (client->member) {
        struct group *group = client->member->group;
        log_info(LOGGER, "%s left group %s", client->name, group->name);
        member_remove(client->member);
        without(client->owner, group);
    }
}

static struct group *group_get(struct owner *owner, const char *name)
{
    struct group *group = group_find(owner, name);
    if (group || owner->group_count >= WIRE_MAX_GROUPS) {
        return group;
    }
    group = calloc(1, sizeof(*group));
    char *copy = strdup(name);
    if (!group || !copy) {
        free(group);
        free(copy);
        return NULL;
    }
    group->name = copy;
    group->next = owner->groups;
    owner->groups = group;
    owner->group_count++;
    return group;
}

static struct member *member_add(struct client *client, const char *name)
{
    struct group *group = group_get(client->owner, name);
    struct member *member =
        group && group->member_count < WIRE_MAX_MEMBERS ? calloc(1, sizeof(*member)) : NULL;
    if (!member) {
        if (group && !group->members) {
            group_free(client->owner, group);
        }
        return NULL;
    }
    member->client = client;
    member->group = group;
    struct member **link = &group->members;
    while (*link && strcmp((*link)->client->name, client->name) <= 0) {
        link = &(*link)->next;
    }
    member->next = *link;
    *link = member;
    group->member_count++;
    client->member = member;
    return member;
}

static char **read_texts(struct wire_reader *reader, size_t *ret_count)
{
    uint32_t count = wire_get_u32(reader);
    if (reader->failed || count > WIRE_MAX_TOPICS) {
        reader->failed = true;
        return NULL;
    }
    char **texts = calloc((size_t)count + 1, sizeof(*texts));
    for (uint32_t i = 0; texts && i < count && !reader->failed; i++) {
        texts[i] = wire_get_strdup(reader, WIRE_MAX_TOPIC_NAME);
        reader->failed = reader->failed || !texts[i];
    }
    *ret_count = count;
    return texts;
}

void group_join(struct client *client, struct wire_reader *reader)
{
    char name[WIRE_MAX_GROUP_NAME + 1];
    size_t count = 0;
    wire_get_text(reader, name, sizeof(name));
    uint32_t reset = wire_get_u32(reader);
    uint32_t timeout = wire_get_u32(reader);
    char **topics = read_texts(reader, &count);
    struct member *member = client->member;
    if (!topics || reader->failed || *name == '\0' || reset > WIRE_RESET_NONE ||
        (member && strcmp(member->group->name, name) != 0)) {
        free_texts(topics, topics ? count : 0);
        client_close(client, "a request to join a group is malformed");
        return;
    }
    bool first = !member;
    if (!member) {
        member = member_add(client, name);
    }
    if (!member) {
        free_texts(topics, count);
        client_close(client, "there are too many groups, or members of this one");
        return;
    }
    free_texts(member->topics, member->topic_count);
    member->topics = topics;
    member->topic_count = count;
    member->reset = (enum wire_reset)reset;
    member->timeout_ms = timeout;
    rebalance(client->owner, member->group);
    if (first) {
        member->joined = member->group->generation;
        log_info(LOGGER, "%s joined group %s (generation %lld, %zu members)", client->name, name,
                 (long long)member->joined, member->group->member_count);
    }
}

void group_revoked(struct client *client, struct wire_reader *reader)
{
    uint32_t count = wire_get_u32(reader);
    struct member *member = client->member;
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        char name[WIRE_MAX_TOPIC_NAME + 1];
        wire_get_text(reader, name, sizeof(name));
        int32_t number = (int32_t)wire_get_u32(reader);
        struct topic *topic = reader->failed ? NULL : topic_find(client->owner, name, strlen(name));
        struct claim *claim = topic && member ? claim_find(member->group, topic, number) : NULL;
        if (claim && claim->owner == member && claim->revoking) {
            claim->owner = NULL;
            claim->revoking = false;
        }
    }
    if (reader->failed) {
        client_close(client, "an acknowledged revocation is malformed");
        return;
    }
    if (!member) {
        return; /* put out meanwhile; it was told */
    }
    bool left = false;
    for (size_t i = 0; i < member->group->claim_count; i++) {
        left |= member->group->claims[i].owner == member && member->group->claims[i].revoking;
    }
    member->deadline = left ? member->deadline : 0;
    hand_over(client->owner, member->group);
}

/* invariant 1: what a member may commit is what it holds now */
int group_check_commit(struct client *client, const char *name, int64_t generation,
                       const struct offset_entry *entries, size_t count, struct error *error)
{
    const struct group *group = group_find(client->owner, name);
    const struct member *member = client->member;
    if (!group && generation == -1) {
        return 0;
    }
    bool fine = group && member && member->group == group && generation >= member->joined &&
                generation <= group->generation;
    for (size_t i = 0; fine && i < count; i++) {
        struct topic *topic = topic_by_id(client->owner, entries[i].topic);
        const struct claim *claim = topic ? claim_find(group, topic, entries[i].partition) : NULL;
        fine = claim && claim->owner == member && entries[i].offset >= 0;
    }
    if (!fine) {
        return error_set_class(
            error, ERROR_GENERATION, "org.apache.kafka.clients.consumer.CommitFailedException",
            "Offsets of group %s cannot be committed: the group has moved on and "
            "assigned the partitions to another member",
            name);
    }
    return 0;
}

int64_t groups_expire(struct owner *owner, int64_t now_ms)
{
    int64_t next = INT64_MAX;
    struct group *group = owner->groups;
    while (group) {
        struct group *after = group->next;
        struct member *member = group->members;
        while (member && !(member->deadline != 0 && member->deadline <= now_ms)) {
            if (member->deadline != 0 && member->deadline < next) {
                next = member->deadline;
            }
            member = member->next;
        }
        if (member) {
            struct client *client = member->client;
            log_warn(LOGGER,
                     "%s did not give up its partitions within %lld ms and is put out of "
                     "group %s",
                     client->name, (long long)member->timeout_ms, group->name);
            size_t begin = wire_begin(&client->out, WIRE_LOST, 0);
            wire_put_u32(&client->out, 1);
            wire_end(&client->out, begin);
            client_flush_later(client);
            member_remove(member);
            without(owner, group);
            next = now_ms; /* look at it again */
        }
        group = after;
    }
    return next;
}

/* -- topics come and go -- */

static void tell_gone(struct group *group, struct member *member, const struct topic *topic)
{
    struct buffer *out = &member->client->out;
    uint32_t count = 0;
    for (size_t i = 0; i < group->claim_count; i++) {
        count += group->claims[i].topic == topic && group->claims[i].owner == member;
    }
    if (count == 0) {
        return;
    }
    size_t begin = wire_begin(out, WIRE_LOST, 0);
    wire_put_u32(out, 0);
    wire_put_u32(out, count);
    for (size_t i = 0; i < group->claim_count; i++) {
        if (group->claims[i].topic == topic && group->claims[i].owner == member) {
            put_claim(out, &group->claims[i]);
        }
    }
    wire_end(out, begin);
    client_flush_later(member->client);
}

void groups_topic_gone(struct owner *owner, struct topic *topic)
{
    for (struct group *group = owner->groups; group; group = group->next) {
        for (struct member *member = group->members; member; member = member->next) {
            tell_gone(group, member, topic);
        }
        size_t kept = 0;
        for (size_t i = 0; i < group->claim_count; i++) {
            if (group->claims[i].topic != topic) {
                group->claims[kept++] = group->claims[i];
            }
        }
        group->claim_count = kept;
    }
}

void groups_topics_changed(struct owner *owner)
{
    for (struct group *group = owner->groups; group; group = group->next) {
        rebalance(owner, group);
    }
}

void groups_free(struct owner *owner)
{
    while (owner->groups) {
        while (owner->groups->members) {
            member_remove(owner->groups->members);
        }
        group_free(owner, owner->groups);
    }
}
