/* Finding shards; see shards.h. */
#include "connectors/kinesis/shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 1 << 20, RESTARTS_MAX = 5 };

void shards_finish(struct shards *shards)
{
    for (struct shard *shard = shards->first, *next; shard; shard = next) {
        next = shard->next;
        free(shard->iterator);
        buffer_finish(&shard->body);
        free(shard);
    }
    *shards = (struct shards){0};
}

struct shard *shards_find(const struct shards *shards, const char *stream, const char *id)
{
    for (struct shard *shard = shards->first; shard; shard = shard->next) {
        if (strcmp(shard->id, id) == 0 && strcmp(shard->stream, stream) == 0) {
            return shard;
        }
    }
    return NULL;
}

int64_t shard_task(const char *id, size_t stream_number, int64_t task_count)
{
    const char *digits = strrchr(id, '-');
    uint64_t number = digits ? strtoull(digits + 1, NULL, 10) : 0;
    return (int64_t)((number + stream_number) % (uint64_t)task_count);
}

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int add(struct shards *shards, const char *stream, const json_t *from)
{
    const char *id = text_at(from, "ShardId");
    struct shard *shard = shards_find(shards, stream, id);
    if (!shard) {
        shard = calloc(1, sizeof(*shard));
        if (!shard) {
            return -1;
        }
        shard->stream = stream;
        snprintf(shard->id, sizeof(shard->id), "%s", id);
        snprintf(shard->parents[0], KINESIS_SHARD_SIZE, "%s", text_at(from, "ParentShardId"));
        snprintf(shard->parents[1], KINESIS_SHARD_SIZE, "%s", text_at(from, "AdjacentParentShardId"));
        buffer_init(&shard->body, 8192);
        struct shard **last = &shards->first;
        while (*last) {
            last = &(*last)->next;
        }
        *last = shard;
    }
    shard->seen = true;
    shard->open = !json_is_string(json_object_get(json_object_get(from, "SequenceNumberRange"),
                                                  "EndingSequenceNumber"));
    return 0;
}

int shards_list(struct shards *shards, struct kinesis_access *access, const char *stream,
                struct aws_fault *ret_fault)
{
    struct buffer body;
    json_t *page = NULL;
    const char *token = NULL;
    int result = -1, restarts = 0;
    buffer_init(&body, TOKEN_MAX);
    for (struct shard *shard = shards->first; shard; shard = shard->next) {
        shard->seen = false;
    }
    do {
        buffer_reset(&body);
        if (token) {
            (void)buffer_append_text(&body, "{\"NextToken\":");
            kinesis_append_json(&body, token);
            (void)buffer_append_char(&body, '}');
        } else {
            (void)buffer_printf(&body, "{\"StreamName\":\"%s\"}", stream);
        }
        json_decref(page);
        page = kinesis_call(access, "ListShards", &body, ret_fault);
        if (!page && token && restarts++ < RESTARTS_MAX &&
            strcmp(ret_fault->code, "ExpiredNextTokenException") == 0) {
            token = NULL; /* from the beginning */
            continue;
        }
        if (!page) {
            goto clean_up;
        }
        const json_t *list = json_object_get(page, "Shards");
        for (size_t i = 0; i < json_array_size(list); i++) {
            if (add(shards, stream, json_array_get(list, i)) != 0) {
                *ret_fault = (struct aws_fault){.class = AWS_TRANSIENT, .message = "out of memory"};
                goto clean_up;
            }
        }
        token = json_string_value(json_object_get(page, "NextToken"));
    } while (!page || token);
    for (struct shard *shard = shards->first; shard; shard = shard->next) {
        shard->listed = strcmp(shard->stream, stream) == 0 ? shard->seen : shard->listed;
    }
    result = 0;
clean_up:
    json_decref(page);
    buffer_finish(&body);
    return result;
}
