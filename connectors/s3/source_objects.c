/*
 * Which objects there are and in which order they are read; see source.h. [task thread]
 *
 * A row (one topic partition in RESTORE_BACKUP, a folder in GENERIC) belongs to one task, by its hash:
 * new ones need no new division.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/s3/source.h"
#include "connectors/s3/source_name.h"
#include "lib/util/fingerprint.h"

enum {
    ITEMS_MAX = 20000,   /* invariant 5: enough for a while; the listing goes on when they are read */
    UNEVEN_MAX = 200000, /* where it cannot stop before the end of a folder: some 110 MB */
    SINK_DIGITS = 10,    /* of offsets in names, unless the sink was told otherwise */
    AHEAD_MAX = 64,      /* objects whose first piece is asked for before their turn */
    NAME_MAX_SIZE = 1100,
};

/* Whether the item is still to be read; its records before item->records are handed on already. */
static bool is_new(const struct objects *objects, struct item *item, const char *name)
{
    const struct place *place = item->place;
    item->records = 0;
    if (!place->name) {
        return true;
    }
    if (strcmp(place->name, name) == 0) {
        item->records = place->records;
        return !place->end;
    }
    return !objects->settings->generic &&
           (item->offset > place->offset ||
            (item->offset == place->offset && strcmp(name, place->name) > 0));
}

/* -- topics -- */

static const char *keep_topic(struct objects *objects, const char *name, size_t size)
{
    for (const struct topic_text *topic = objects->topics; topic; topic = topic->next) {
        if (strlen(topic->name) == size && memcmp(topic->name, name, size) == 0) {
            return topic->name;
        }
    }
    struct topic_text *topic = malloc(sizeof(*topic) + size + 1);
    if (!topic) {
        return NULL;
    }
    memcpy(topic->name, name, size);
    topic->name[size] = '\0';
    topic->next = objects->topics;
    objects->topics = topic;
    return topic->name;
}

static const char *topic_of(struct objects *objects, const char *key)
{
    for (size_t i = 0; i < objects->settings->topic_count; i++) {
        if (regex_matches(objects->expressions[i], key, strlen(key)) == REGEX_YES) {
            const char *text = objects->settings->topics[i];
            return keep_topic(objects, text, strcspn(text, ":"));
        }
    }
    return NULL;
}

/* -- items -- */

static struct item *add_item(struct objects *objects)
{
    if (objects->item_count == objects->item_capacity) {
        size_t capacity = objects->item_capacity ? objects->item_capacity * 2 : 64;
        struct item *grown = realloc(objects->items, capacity * sizeof(*grown));
        if (!grown) {
            return NULL;
        }
        objects->items = grown;
        objects->item_capacity = capacity;
    }
    struct item *item = &objects->items[objects->item_count++];
    *item = (struct item){.partition = SLUICE_NO_PARTITION};
    return item;
}

static void free_item(struct item *item)
{
    for (int i = 0; i < PARTS; i++) {
        free(item->entry[i].key);
        if (item->streams && item->streams[i].key) {
            stream_end(&item->streams[i]);
        }
    }
    free(item->streams);
    *item = (struct item){0};
}

/* The last folder on the way to the object. */
static bool in_tombstones(const struct source_settings *settings, const struct name_parts *parts)
{
    size_t size = strlen(settings->tombstones);
    const char *end = parts->folder + parts->folder_size;
    size_t delim_size = strlen(settings->directory_delim);
    return parts->folder_size >= size + delim_size && memcmp(end - size, settings->tombstones, size) == 0 &&
           memcmp(end - size - delim_size, settings->directory_delim, delim_size) == 0;
}

/* Every part of an object is an item at first. 0: it was taken, or is none of ours. -1: no memory. */
static int take_backup(struct objects *objects, struct sluice_batch *batch, struct entry *entry,
                       size_t prefix)
{
    const struct source_settings *settings = objects->settings;
    struct name_parts parts;
    char file[NAME_MAX_SIZE];
    if (!source_name_parse(settings, entry->key, prefix, &parts)) {
        return 0;
    }
    int length = snprintf(file, sizeof(file), "%.*s%s%" PRId32, (int)parts.topic_size, parts.topic,
                          settings->file_delim, parts.partition);
    if (length >= (int)sizeof(file) ||
        fingerprint(0, file, (size_t)length) % settings->task_count != settings->task_number) {
        return 0;
    }
    struct item item = {.partition = parts.partition, .offset = parts.offset,
                        .tombstones = in_tombstones(settings, &parts)};
    item.topic = keep_topic(objects, parts.topic, parts.topic_size);
    item.place = source_place(objects, batch, entry->key, parts.folder_size, file);
    if (!item.topic || !item.place) {
        return -1;
    }
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof(name), "%.*s", (int)(entry->key + parts.base_size - parts.name), parts.name);
    const char *end = entry->key + parts.base_size, *digits = end;
    while (digits[-1] >= '0' && digits[-1] <= '9') {
        digits--;
    }
    item.place->uneven = item.place->uneven || (*digits != '0' && end - digits > 1 && end - digits != SINK_DIGITS);
    if (!is_new(objects, &item, name)) {
        return 0;
    }
    struct item *added = add_item(objects);
    if (!added) {
        return -1;
    }
    *added = item;
    int part = parts.kind == OBJECT_KEYS ? PART_KEY : parts.kind == OBJECT_HEADERS ? PART_HEADERS
                                                                                  : PART_VALUE;
    added->entry[part] = *entry;
    entry->key = NULL;
    return 0;
}

static int take_any(struct objects *objects, struct sluice_batch *batch, struct entry *entry)
{
    const struct source_settings *settings = objects->settings;
    size_t folder_size = 0, delim_size = strlen(settings->directory_delim);
    const char *last = source_find_last(entry->key, strlen(entry->key), settings->directory_delim);
    const char *name = last ? last + delim_size : entry->key;
    folder_size = last ? (size_t)(last - entry->key) : 0;
    if (!*name || fingerprint(0, entry->key, folder_size) % settings->task_count !=
                      settings->task_number) {
        return 0;
    }
    struct item item = {.partition = SLUICE_NO_PARTITION};
    item.topic = topic_of(objects, entry->key);
    if (!item.topic) {
        return 0;
    }
    item.place = source_place(objects, batch, entry->key, folder_size, name);
    if (!item.place) {
        return -1;
    }
    if (!is_new(objects, &item, name)) {
        return 0;
    }
    struct item *added = add_item(objects);
    if (!added) {
        return -1;
    }
    *added = item;
    added->entry[PART_VALUE] = *entry;
    entry->key = NULL;
    return 0;
}

static const char *any_key(const struct item *item)
{
    for (int i = 0; i < PARTS; i++) {
        if (item->entry[i].key) {
            return item->entry[i].key;
        }
    }
    return "";
}

char *objects_name(const struct source_settings *settings, const struct item *item)
{
    const char *key = any_key(item);
    const char *name = key + strlen(item->place->folder);
    name += *item->place->folder ? strlen(settings->directory_delim) : 0;
    if (settings->generic) {
        return strdup(name);
    }
    /* topic+partition+digits */
    const char *offset = name + strlen(item->place->file) + strlen(settings->file_delim);
    return strndup(name, (size_t)(offset - name) + strspn(offset, "0123456789"));
}

static int by_turn(const void *a, const void *b)
{
    const struct item *left = a, *right = b;
    int order = strcmp(left->topic, right->topic);
    if (order == 0) {
        order = left->partition < right->partition ? -1 : left->partition > right->partition;
    }
    if (order == 0) {
        order = left->offset < right->offset ? -1 : left->offset > right->offset;
    }
    if (order == 0) {
        order = strcmp(left->place->folder, right->place->folder);
    }
    return order != 0 ? order : strcmp(any_key(left), any_key(right));
}

/* What of it is not there; NULL: it is whole. */
static const char *missing_part(const struct source_settings *settings, const struct item *item)
{
    return !item->tombstones && !item->entry[PART_VALUE].key     ? "its values"
           : settings->keys && !item->entry[PART_KEY].key        ? "its keys (store.kafka.keys)"
           : settings->headers && !item->entry[PART_HEADERS].key ? "its headers (store.kafka.headers)"
                                                                 : NULL;
}

/* False: all of it is from before file.discovery.starting.timestamp. */
static bool is_wanted(const struct source_settings *settings, const struct item *item)
{
    bool wanted = false;
    for (int i = 0; i < PARTS; i++) {
        wanted = wanted || (item->entry[i].key && item->entry[i].modified >= settings->not_before);
    }
    return wanted;
}

/*
 * Whether the item is to be read now. invariant 1: parts of an object come one after another, and where one
 * is not there yet nothing behind it is read, for a place only ever moves on; a later listing has it all.
 */
static bool is_due(struct objects *objects, const struct item *item)
{
    const char *missing = missing_part(objects->settings, item);
    struct place *place = item->place;
    if (!is_wanted(objects->settings, item) || (item->tombstones && item->entry[PART_VALUE].key)) {
        return false;
    }
    if (missing && !place->told) {
        objects->host->log(objects->host, SLUICE_WARN,
                           "%s and what comes behind it are read once there is an object of %s, too",
                           any_key(item), missing);
        place->told = true;
    }
    place->held = missing ? objects->listings : place->held;
    return place->held != objects->listings;
}

/* Sorts, and puts the parts of an object together. */
static void arrange(struct objects *objects)
{
    const struct source_settings *settings = objects->settings;
    size_t kept = 0;
    if (objects->item_count > 0) {
        qsort(objects->items, objects->item_count, sizeof(struct item), by_turn);
    }
    for (size_t i = 0; i < objects->item_count; i++) {
        struct item *item = &objects->items[i];
        struct item *last = kept > 0 ? &objects->items[kept - 1] : NULL;
        if (!settings->generic && last && last->place == item->place && last->offset == item->offset) {
            for (int part = 0; part < PARTS; part++) {
                if (item->entry[part].key && !last->entry[part].key) {
                    last->entry[part] = item->entry[part];
                    item->entry[part].key = NULL;
                }
            }
            free_item(item);
            continue;
        }
        if (kept != i) {
            objects->items[kept] = *item;
            *item = (struct item){0};
        }
        kept++;
    }
    objects->item_count = kept;
    kept = 0;
    for (size_t i = 0; i < objects->item_count && !settings->generic; i++) {
        if (!is_due(objects, &objects->items[i])) {
            free_item(&objects->items[i]);
        } else if (kept++ != i) {
            objects->items[kept - 1] = objects->items[i];
        }
    }
    objects->item_count = settings->generic ? objects->item_count : kept;
    objects->first = 0;
}

/* -- listing -- */

static int take_entries(struct objects *objects, struct sluice_batch *batch, struct fetch *list,
                        size_t prefix)
{
    for (size_t i = 0; i < list->entry_count; i++) {
        struct entry *entry = &list->entries[i];
        bool generic = objects->settings->generic;
        if (generic && entry->modified < objects->settings->not_before) {
            continue; /* in RESTORE_BACKUP it depends on all parts of an object */
        }
        if ((generic ? take_any(objects, batch, entry)
                                        : take_backup(objects, batch, entry, prefix)) != 0) {
            return -1;
        }
    }
    return 0;
}

/*
 * Whether what is listed so far can be read before the rest is. invariant 1: a place only moves on, so that
 * what the rest has of it must come behind.
 */
static bool may_stop(const struct objects *objects, const struct fetch *list)
{
    if (objects->item_count < ITEMS_MAX || objects->settings->generic) {
        return objects->item_count >= ITEMS_MAX;
    }
    const struct place *place = objects->items[objects->item_count - 1].place;
    const char *last = list->entry_count > 0 ? list->entries[list->entry_count - 1].key : NULL;
    bool in_folder = !last || strncmp(last, place->folder, strlen(place->folder)) == 0;
    return !place->uneven || !in_folder;
}

int objects_list(struct objects *objects, struct sluice_batch *batch, int timeout_ms, char *message,
                 size_t size)
{
    const struct source_settings *settings = objects->settings;
    char prefix[NAME_MAX_SIZE] = "";
    if (settings->topics_dir[0]) {
        snprintf(prefix, sizeof(prefix), "%s%s", settings->topics_dir, settings->directory_delim);
    }
    if (!objects->listing) {
        objects->listings += objects->rest == NULL;
        objects->listing = fetch_list(objects->reader, prefix, objects->rest);
        objects->item_count = objects->first = 0;
        free(objects->rest);
        objects->rest = NULL;
    }
    struct fetch *list = objects->listing;
    if (!list) {
        snprintf(message, size, "Out of memory");
        return -1;
    }
    if (!fetch_wait(objects->reader, list, timeout_ms)) {
        return 0;
    }
    int result = 1;
    if (list->state != FETCH_DONE) {
        snprintf(message, size, "%s", list->state == FETCH_GONE ? "The bucket is gone" : list->message);
        result = -1;
    } else if (take_entries(objects, batch, list, strlen(prefix)) != 0) {
        snprintf(message, size, "Out of memory");
        result = -1;
    }
    objects->listing = NULL;
    bool stops = result == 1 && list->next_token && may_stop(objects, list);
    if (result == 1 && list->next_token && !stops && objects->item_count >= UNEVEN_MAX) {
        snprintf(message, size, "%.300s has more than %d objects whose offsets have no zeros in front, so that they are not "
                                "listed in order; restore it in parts (topics.dir)",
                 objects->items[objects->item_count - 1].place->folder, UNEVEN_MAX);
        result = -1;
    } else if (stops) {
        objects->rest = list->next_token;
        list->next_token = NULL;
    } else if (result == 1 && list->next_token) {
        objects->listing = fetch_list(objects->reader, prefix, list->next_token);
        result = objects->listing ? 0 : -1;
    }
    fetch_release(objects->reader, list);
    if (result == 1) {
        arrange(objects);
    }
    return result;
}

struct item *objects_first(struct objects *objects)
{
    return !objects->listing && objects->first < objects->item_count ? &objects->items[objects->first]
                                                                      : NULL;
}

void objects_done(struct objects *objects)
{
    free_item(&objects->items[objects->first++]);
    if (objects->first == objects->item_count) {
        objects->first = objects->item_count = 0;
    }
}

static int open_item(struct objects *objects, struct item *item)
{
    const struct source_settings *settings = objects->settings;
    size_t record_max = (size_t)settings->bucket.memory_limit;
    item->streams = calloc(PARTS, sizeof(*item->streams));
    if (!item->streams) {
        return -1;
    }
    for (int i = 0; i < PARTS; i++) {
        bool bytes = (i == PART_VALUE && settings->format == FORMAT_BYTES) ||
                     (i == PART_KEY && settings->key_format == FORMAT_BYTES);
        if (item->entry[i].key &&
            stream_begin(&item->streams[i], objects->reader, &item->entry[i],
                         bytes ? settings->separator : "\n", record_max) != 0) {
            return -1;
        }
    }
    return 0;
}

int objects_ahead(struct objects *objects)
{
    size_t budget = (size_t)objects->settings->bucket.memory_limit / 2, used = 0;
    for (size_t i = objects->first; i < objects->item_count && i < objects->first + AHEAD_MAX; i++) {
        struct item *item = &objects->items[i];
        for (int part = 0; part < PARTS; part++) {
            uint64_t size = item->entry[part].key ? item->entry[part].size : 0;
            used += size < STREAM_AHEAD * STREAM_PIECE ? (size_t)size : STREAM_AHEAD * STREAM_PIECE;
        }
        if (i > objects->first && used > budget) {
            break;
        }
        if (!item->streams && open_item(objects, item) != 0) {
            return -1;
        }
    }
    return 0;
}

/* -- begin and end -- */

int objects_init(struct objects *objects, const struct source_settings *settings,
                 const struct sluice_host *host, const struct sluice_source_context *context,
                 struct reader *reader, char *message, size_t size)
{
    *objects = (struct objects){
        .settings = settings, .host = host, .context = context, .reader = reader};
    objects->expressions = calloc(settings->topic_count + 1, sizeof(*objects->expressions));
    if (!objects->expressions) {
        snprintf(message, size, "Out of memory");
        return -1;
    }
    for (size_t i = 0; i < settings->topic_count; i++) {
        struct regex_error error;
        const char *text = settings->topics[i], *colon = strchr(text, ':');
        if (!colon || colon == text) {
            snprintf(message, size, "topic.regex.list: '%.100s' is not TOPIC:REGEX", text);
            return -1;
        }
        if (regex_create(colon + 1, &objects->expressions[i], &error) != 0) {
            snprintf(message, size, "topic.regex.list: %.400s", error.message);
            return -1;
        }
    }
    return 0;
}

void objects_forget(struct objects *objects)
{
    for (size_t i = objects->first; i < objects->item_count; i++) {
        free_item(&objects->items[i]);
    }
    objects->first = objects->item_count = 0;
    if (objects->listing) {
        fetch_release(objects->reader, objects->listing);
        objects->listing = NULL;
    }
    free(objects->rest);
    objects->rest = NULL;
}

void objects_finish(struct objects *objects)
{
    objects_forget(objects);
    free(objects->items);
    source_places_finish(objects);
    while (objects->topics) {
        struct topic_text *next = objects->topics->next;
        free(objects->topics);
        objects->topics = next;
    }
    for (size_t i = 0; objects->expressions && objects->expressions[i]; i++) {
        regex_destroy(objects->expressions[i]);
    }
    free(objects->expressions);
    *objects = (struct objects){0};
}
