/* See field_path.h. */
#include "plugins/field_path.h"

#include <stdlib.h>
#include <string.h>

static struct field_step *add_step(struct field_path *path, enum field_step_kind kind)
{
    if (path->count == FIELD_PATH_STEPS) {
        return NULL;
    }
    struct field_step *step = &path->steps[path->count++];
    *step = (struct field_step){.kind = kind};
    return step;
}

static const char too_long[] = "it has more than 64 parts";

/* `..` at *at; the name is put together in room. */
static const char *quoted_name(const char **at, char *room, size_t *ret_size)
{
    const char *p = *at + 1;
    size_t size = 0;
    while (*p && *p != '`') {
        if (p[0] == '\\' && p[1] == '`') {
            p++;
        }
        room[size++] = *p++;
    }
    if (*p != '`') {
        return "a backtick is not closed";
    }
    *at = p + 1;
    *ret_size = size;
    return NULL;
}

/* [n] or [*] at *at. */
static const char *element(struct field_path *path, const char **at)
{
    const char *p = *at + 1;
    char *end = NULL;
    struct field_step *step;
    if (strncmp(p, "*]", 2) == 0) {
        step = add_step(path, STEP_ALL);
        *at = p + 2;
        return step ? NULL : too_long;
    }
    long number = strtol(p, &end, 10);
    if (end == p || *end != ']' || number > INT32_MAX || number < INT32_MIN) {
        return "behind [ comes a number or *, and ]";
    }
    step = add_step(path, STEP_ELEMENT);
    if (!step) {
        return too_long;
    }
    step->element = number;
    *at = end + 1;
    return NULL;
}

const char *field_path_parse(struct field_path *path, const struct sluice_data *data,
                             const char *text)
{
    *path = (struct field_path){.count = 0};
    char *room = malloc(strlen(text) + 1);
    const char *at = text, *wrong = room ? NULL : "out of memory";
    bool name_due = true; /* at the beginning and behind a dot */
    while (!wrong && (*at || (name_due && at > text))) {
        size_t size = 0;
        if (*at == '[' && (!name_due || at == text)) {
            wrong = element(path, &at);
        } else if (!name_due) {
            wrong = "behind a part comes a dot, [ or the end";
        } else {
            if (*at == '`') {
                wrong = quoted_name(&at, room, &size);
            } else {
                size = strcspn(at, ".[");
                memcpy(room, at, size);
                at += size;
            }
            if (!wrong && size == 0) {
                wrong = "a part is empty";
            }
            struct field_step *step = wrong ? NULL : add_step(path, STEP_NAME);
            if (step) {
                step->name = data->intern(room, size);
            } else if (!wrong) {
                wrong = too_long;
            }
        }
        name_due = !wrong && *at == '.';
        at += name_due;
    }
    if (!wrong && path->count == 0) {
        wrong = "it is empty";
    }
    free(room);
    return wrong;
}

ptrdiff_t field_step_element(const struct field_step *step, size_t count)
{
    ptrdiff_t i = step->element < 0 ? step->element + (ptrdiff_t)count : step->element;
    return i >= 0 && (size_t)i < count ? i : -1;
}
