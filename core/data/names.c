/* Field names, made once for the life of the process. [any thread] */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/value.h"
#include "core/data/value_api.h"

static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static struct arena names_arena; /* never freed: names come from configurations and schemas */
static const struct sluice_name **names;
static size_t names_count, names_room;

static size_t name_hash(const char *text, size_t size)
{
    size_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    }
    return hash;
}

static void names_grow(void)
{
    size_t room = names_room ? names_room * 2 : 256;
    const struct sluice_name **grown = calloc(room, sizeof(*grown));
    if (!grown) {
        abort();
    }
    for (size_t i = 0; i < names_room; i++) {
        if (names[i]) {
            size_t at = name_hash(names[i]->text, names[i]->size) & (room - 1);
            while (grown[at]) {
                at = (at + 1) & (room - 1);
            }
            grown[at] = names[i];
        }
    }
    free(names);
    names = grown;
    names_room = room;
}

const struct sluice_name *value_intern(const char *text, size_t size)
{
    pthread_mutex_lock(&names_lock);
    if (names_count * 2 >= names_room) {
        names_grow();
    }
    size_t at = name_hash(text, size) & (names_room - 1);
    while (names[at] && (names[at]->size != size || memcmp(names[at]->text, text, size) != 0)) {
        at = (at + 1) & (names_room - 1);
    }
    if (!names[at]) {
        struct sluice_name *name = arena_alloc(&names_arena, sizeof(*name));
        char *copy = arena_alloc(&names_arena, size + 1);
        memcpy(copy, text, size);
        copy[size] = '\0';
        struct sluice_span json = json_quote(&names_arena, text, size);
        *name = (struct sluice_name){
            .text = copy,
            .json = json.data,
            .size = (uint32_t)size,
            .json_size = (uint32_t)json.size,
            .bit = key_bit(text, size),
            .value = {.type = SLUICE_STRING,
                      .json = json.data,
                      .json_size = (uint32_t)json.size,
                      .text = {copy, size}},
        };
        names[at] = name;
        names_count++;
    }
    const struct sluice_name *found = names[at];
    pthread_mutex_unlock(&names_lock);
    return found;
}

struct sluice_span value_name_text(const struct sluice_name *name)
{
    return (struct sluice_span){name->text, name->size};
}

const struct sluice_value *value_name_value(const struct sluice_name *name)
{
    return &name->value;
}
