/* How far the objects of each place are read, as stored and since; see source.h. [task thread] */
#include <stdlib.h>
#include <string.h>

#include "connectors/s3/source.h"
#include "lib/util/fingerprint.h"

enum { TABLE_MIN = 1024 };

static uint64_t hash_of(const char *folder, size_t folder_size, const char *file)
{
    return fingerprint(fingerprint(0, folder, folder_size), file, strlen(file));
}

static bool grow_table(struct objects *objects)
{
    size_t capacity = objects->place_capacity ? objects->place_capacity * 2 : TABLE_MIN;
    struct place **table = calloc(capacity, sizeof(struct place *));
    if (!table) {
        return objects->place_capacity > 0; /* a slower table will do */
    }
    for (size_t i = 0; i < objects->place_capacity; i++) {
        while (objects->places[i]) {
            struct place *place = objects->places[i];
            objects->places[i] = place->next;
            uint64_t hash = hash_of(place->folder, strlen(place->folder), place->file);
            place->next = table[hash % capacity];
            table[hash % capacity] = place;
        }
    }
    free(objects->places);
    objects->places = table;
    objects->place_capacity = capacity;
    return true;
}

static struct sluice_value *text_value(const struct objects *objects, struct sluice_batch *batch,
                                       const char *text)
{
    return objects->host->data->new_string(batch, text, strlen(text));
}

static const struct sluice_name *name_of(const struct objects *objects, const char *name)
{
    return objects->host->data->intern(name, strlen(name));
}

/* What the worker has stored for the place. */
static void load_place(struct objects *objects, struct sluice_batch *batch, struct place *place)
{
    const struct sluice_data *data = objects->host->data;
    if (!objects->context->offset) {
        return;
    }
    const struct sluice_value *offset =
        objects->context->offset(objects->host, batch, source_partition(objects, batch, place));
    if (!offset) {
        return;
    }
    struct sluice_span name = data->text(data->find(offset, name_of(objects, "object")));
    place->records = data->integer(data->find(offset, name_of(objects, "record")));
    place->end = data->boolean(data->find(offset, name_of(objects, "end")));
    place->offset = data->integer(data->find(offset, name_of(objects, "offset")));
    place->name = name.data ? strndup(name.data, name.size) : NULL;
}

const struct sluice_value *source_partition(const struct objects *objects, struct sluice_batch *batch,
                                            const struct place *place)
{
    const struct sluice_data *data = objects->host->data;
    struct sluice_value *map = data->new_map(batch, 3);
    data->put(batch, map, name_of(objects, "bucket"),
              text_value(objects, batch, objects->settings->bucket.bucket));
    data->put(batch, map, name_of(objects, "folder"), text_value(objects, batch, place->folder));
    data->put(batch, map, name_of(objects, "file"), text_value(objects, batch, place->file));
    return map;
}

struct place *source_place(struct objects *objects, struct sluice_batch *batch,
                           const char *folder, size_t folder_size, const char *file)
{
    uint64_t hash = hash_of(folder, folder_size, file);
    if (objects->place_count >= objects->place_capacity && !grow_table(objects)) {
        return NULL;
    }
    struct place **slot = &objects->places[hash % objects->place_capacity];
    for (struct place *place = *slot; place; place = place->next) {
        if (strcmp(place->file, file) == 0 && strlen(place->folder) == folder_size &&
            memcmp(place->folder, folder, folder_size) == 0) {
            return place;
        }
    }
    struct place *place = calloc(1, sizeof(*place));
    if (!place) {
        return NULL;
    }
    place->folder = strndup(folder, folder_size);
    place->file = strdup(file);
    if (!place->folder || !place->file) {
        free(place->folder);
        free(place->file);
        free(place);
        return NULL;
    }
    load_place(objects, batch, place);
    place->next = *slot;
    *slot = place;
    objects->place_count++;
    return place;
}

void source_places_finish(struct objects *objects)
{
    for (size_t i = 0; i < objects->place_capacity; i++) {
        while (objects->places[i]) {
            struct place *place = objects->places[i];
            objects->places[i] = place->next;
            free(place->folder);
            free(place->file);
            free(place->name);
            free(place);
        }
    }
    free(objects->places);
}
