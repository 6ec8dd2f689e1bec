/* What an answer becomes: records with offsets, and the next page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/http/link.h"
#include "connectors/http/source.h"

static void put(const struct source *source, struct sluice_batch *batch, struct sluice_value *map,
                const char *name, struct sluice_value *value)
{
    source->host->data->put(batch, map, source->host->data->intern(name, strlen(name)), value);
}

static struct sluice_value *text_value(const struct source *source, struct sluice_batch *batch,
                                       const char *text)
{
    return source->host->data->new_string(batch, text, strlen(text));
}

static struct sluice_value *partition_of(const struct source *source, struct sluice_batch *batch,
                                         const struct entity *entity)
{
    struct sluice_value *map = source->host->data->new_map(batch, 2);
    put(source, batch, map, "url", text_value(source, batch, source->url));
    put(source, batch, map, "entityName", text_value(source, batch, entity->name));
    return map;
}

/* page: URL of the page the record is of; NULL: by the template. */
static struct sluice_value *offset_of(const struct source *source, struct sluice_batch *batch,
                                      const char *offset, const char *page, size_t seen)
{
    struct sluice_value *map = source->host->data->new_map(batch, 3);
    put(source, batch, map, "offset", text_value(source, batch, offset));
    if (source->mode == OFFSET_CURSOR) {
        if (page) {
            put(source, batch, map, "page", text_value(source, batch, page));
        }
        put(source, batch, map, "seen",
            source->host->data->new_integer(batch, SLUICE_INT64, (int64_t)seen));
    }
    return map;
}

static const struct sluice_value *member(const struct source *source, const struct sluice_value *map,
                                         const char *name)
{
    return source->host->data->find(map, source->host->data->intern(name, strlen(name)));
}

void source_restore(struct source *source, struct sluice_batch *batch, struct entity *entity)
{
    const struct sluice_data *data = source->host->data;
    entity->restored = true;
    const struct sluice_value *stored =
        source->mode == OFFSET_SNAPSHOT
            ? NULL
            : source->context->offset(source->host, batch, partition_of(source, batch, entity));
    if (!stored) {
        return;
    }
    const struct sluice_value *offset = member(source, stored, "offset");
    const struct sluice_value *page = member(source, stored, "page");
    const struct sluice_value *seen = member(source, stored, "seen");
    if (offset && data->type(offset) == SLUICE_STRING) {
        struct sluice_span text = data->text(offset);
        free(entity->offset);
        entity->offset = strndup(text.data, text.size);
    }
    if (page && data->type(page) == SLUICE_STRING) {
        struct sluice_span text = data->text(page);
        entity->page_url = strndup(text.data, text.size);
    }
    entity->seen = seen ? (size_t)data->integer(seen) : 0;
}

/* -- answers -- */

/* A scalar of the answer as text, to be freed; NULL: null, empty, or no scalar. */
static char *scalar(const struct source *source, struct sluice_batch *batch, const struct sluice_value *value)
{
    const struct sluice_data *data = source->host->data;
    enum sluice_type type = data->type(value);
    if (!value || type == SLUICE_NULL || type == SLUICE_MAP || type == SLUICE_ARRAY) {
        return NULL;
    }
    struct sluice_span text = type == SLUICE_STRING ? data->text(value) : data->to_json(batch, value);
    return text.size > 0 && text.size < OFFSET_MAX ? strndup(text.data, text.size) : NULL;
}

void source_first_page(struct source *source, struct entity *entity)
{
    free(entity->page_url);
    entity->page_url = NULL;
    free(entity->offset);
    entity->offset = strdup(source->initial);
    entity->seen = 0;
}

/* Moves the entity to its next page, or lets it rest. */
static enum sluice_result turn_page(struct source *source, struct sluice_batch *batch,
                                    struct entity *entity, const struct sluice_value *answer, size_t count,
                                    bool moved)
{
    bool paged = source->mode == OFFSET_CURSOR || source->mode == OFFSET_SNAPSHOT;
    char *next = NULL;
    if (paged && source->by_link) {
        struct buffer links;
        buffer_init(&links, source->reply.head.max);
        next = http_reply_headers(&source->reply, "Link", &links) ? link_next(links.data) : NULL;
        buffer_finish(&links);
    } else if (paged && source->has_next_pointer) {
        next = scalar(source, batch, pointer_find(source->host->data, &source->next_pointer, answer));
    }
    bool has_next = false; /* a page that names itself is the last so far */
    if (next && (source->by_link || link_is_reference(next))) {
        char *url = link_absolute(source->target.data, next);
        if (!url) {
            snprintf(source->failure, sizeof(source->failure),
                     "the next page '%.200s' is on another server", next);
            free(next);
            return SLUICE_OK;
        }
        has_next = strcmp(url, source->target.data) != 0;
        free(entity->page_url);
        entity->page_url = url;
    } else if (next) {
        has_next = entity->page_url || !entity->offset || strcmp(next, entity->offset) != 0;
        free(entity->page_url);
        entity->page_url = NULL;
        free(entity->offset);
        entity->offset = strdup(next);
    }
    /* A scheduled run reads on behind the last offset until nothing new comes. */
    bool more = has_next || (moved && source->by_offset && runs_scheduled(&source->runs));
    free(next);
    if (paged && more) {
        entity->seen = 0;
    } else if (source->mode == OFFSET_CURSOR) {
        entity->seen = count; /* the last page so far: asked for again, without what was read */
    } else if (source->mode == OFFSET_SNAPSHOT) {
        source_first_page(source, entity);
    }
    if (!entity->offset) {
        return source->host->error(source->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "no memory");
    }
    if (more) {
        entity->due = http_now_ms() + source->page_interval;
        source->attempt = 0;
        source->renewed = false;
    } else {
        source_rest(source, entity, source->interval);
    }
    return SLUICE_OK;
}

/* The offset behind a record; to be freed. */
static char *offset_behind(struct source *source, struct sluice_batch *batch, const struct entity *entity,
                           const struct sluice_value *item, size_t number)
{
    if (source->mode == OFFSET_INCREMENTING) {
        char text[32];
        snprintf(text, sizeof(text), "%lld", strtoll(entity->offset, NULL, 10) + (long long)number + 1);
        return strdup(text);
    }
    if (source->mode == OFFSET_CHAINING) {
        char *found =
            scalar(source, batch, pointer_find(source->host->data, &source->offset_pointer, item));
        return found ? found : strdup(entity->offset);
    }
    return strdup(entity->offset);
}

/* One record of the answer. */
static int add_record(struct source *source, struct sluice_batch *batch, struct entity *entity,
                      const struct sluice_value *item, size_t number, char **last)
{
    const struct sluice_host *host = source->host;
    struct sluice_record *record = host->records->add(batch, entity->topic);
    runs_added(&source->runs, record);
    host->records->set_value(record, NULL, item);
    if (source->has_key_pointer) {
        host->records->set_key(record, NULL, pointer_find(host->data, &source->key_pointer, item));
    }
    free(*last);
    *last = offset_behind(source, batch, entity, item, number);
    if (!*last) {
        return -1;
    }
    if (source->mode != OFFSET_SNAPSHOT) {
        host->records->set_source(record, partition_of(source, batch, entity),
                                  offset_of(source, batch, *last, entity->page_url, number + 1));
    }
    return 0;
}

enum sluice_result source_take_answer(struct source *source, struct sluice_batch *batch,
                                      struct entity *entity)
{
    const struct sluice_host *host = source->host;
    const struct sluice_data *data = host->data;
    struct sluice_json_error why = {.size = sizeof(why)};
    size_t size = source->reply.body.size;
    char *copy = host->records->alloc(batch, size + 1); /* values are views of it */
    memcpy(copy, source->reply.body.data ? source->reply.body.data : "", size);
    struct sluice_value *answer = NULL;
    char message[400];
    if (size > 0 &&
        data->from_json(batch, copy, size, SLUICE_JSON_STRICT, &answer, &why) != SLUICE_OK) {
        snprintf(message, sizeof(message), "the answer is no JSON: %s", why.message);
        return source_give_up(source, batch, entity, message);
    }
    const struct sluice_value *list = pointer_find(data, &source->data_pointer, answer);
    bool is_list = list && data->type(list) == SLUICE_ARRAY;
    size_t count = is_list ? data->count(list) : list && data->type(list) != SLUICE_NULL ? 1 : 0;
    size_t from = source->mode == OFFSET_CURSOR && entity->seen < count ? entity->seen
                  : source->mode == OFFSET_CURSOR                       ? count
                                                                        : 0;
    char *last = NULL;
    if (source->mode == OFFSET_CURSOR && entity->seen > count) {
        from = 0; /* another page than before under this name */
    }
    for (size_t i = from; i < count; i++) {
        if (add_record(source, batch, entity, is_list ? data->at(list, i) : list, i, &last) != 0) {
            return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "no memory");
        }
    }
    bool moved = false;
    if (last && (source->mode == OFFSET_INCREMENTING || source->mode == OFFSET_CHAINING)) {
        moved = strcmp(last, entity->offset) != 0;
        free(entity->offset);
        entity->offset = last;
        last = NULL;
    }
    free(last);
    return turn_page(source, batch, entity, answer, count, moved);
}
