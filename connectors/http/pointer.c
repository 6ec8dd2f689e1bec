/* JSON pointers on values. */
#include "connectors/http/pointer.h"

#include <stdlib.h>
#include <string.h>

int pointer_parse(const struct sluice_data *data, const char *text, struct pointer *pointer)
{
    *pointer = (struct pointer){NULL, 0};
    if (!*text || strcmp(text, "/") == 0) {
        return 0;
    }
    char *part = malloc(strlen(text) + 1);
    pointer->names = calloc(strlen(text) + 1, sizeof(*pointer->names));
    if (*text != '/' || !part || !pointer->names) {
        free(part);
        pointer_finish(pointer);
        return -1;
    }
    while (*text == '/') {
        size_t size = 0;
        for (text++; *text && *text != '/'; text++) {
            char c = *text;
            if (c == '~' && (text[1] == '0' || text[1] == '1')) {
                c = text[1] == '0' ? '~' : '/';
                text++;
            }
            part[size++] = c;
        }
        pointer->names[pointer->count++] = data->intern(part, size);
    }
    free(part);
    return 0;
}

void pointer_finish(struct pointer *pointer)
{
    free(pointer->names);
    *pointer = (struct pointer){NULL, 0};
}

static const struct sluice_value *element(const struct sluice_data *data,
                                          const struct sluice_value *array,
                                          const struct sluice_name *name)
{
    struct sluice_span text = data->name_text(name);
    size_t index = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || index > SIZE_MAX / 20) {
            return NULL;
        }
        index = index * 10 + (size_t)(text.data[i] - '0');
    }
    return text.size > 0 && index < data->count(array) ? data->at(array, index) : NULL;
}

const struct sluice_value *pointer_find(const struct sluice_data *data, const struct pointer *pointer,
                                        const struct sluice_value *value)
{
    for (size_t i = 0; i < pointer->count && value; i++) {
        switch (data->type(value)) {
        case SLUICE_ARRAY:
            value = element(data, value, pointer->names[i]);
            break;
        case SLUICE_MAP:
        case SLUICE_STRUCT:
            value = data->find(value, pointer->names[i]);
            break;
        default:
            return NULL;
        }
    }
    return value;
}
