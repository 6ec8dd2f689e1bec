/* See json_diff.h. Recursion is bounded by the depth that reading JSON allows. */
#include "core/cli/json_diff.h"

#include <string.h>

#include "core/data/batch.h"
#include "lib/util/buffer.h"

/* How much of a value a line shows. */
enum { SHOWN = 200, PATH_MAX_BYTES = 1 << 16 };

struct diff {
    FILE *out;
    struct sluice_batch *batch; /* of what is printed */
    struct buffer path;
};

static void side(struct diff *diff, char sign, const struct sluice_value *value)
{
    struct sluice_span json = data_api.to_json(diff->batch, value);
    const char *path = diff->path.size > 0 ? diff->path.data : "(all)";
    fprintf(diff->out, "    %c %.*s: %.*s%s\n", sign,
            diff->path.size > 0 ? (int)diff->path.size : 5, path,
            (int)(json.size > SHOWN ? SHOWN : json.size), json.data, json.size > SHOWN ? ".." : "");
}

static const struct sluice_value *member(const struct sluice_value *map, struct sluice_span name)
{
    return data_api.find(map, data_api.intern(name.data, name.size));
}

static void compare(struct diff *diff, const struct sluice_value *expected,
                    const struct sluice_value *got);

/* expected or got NULL: the member is on the other side only. */
static void compare_at(struct diff *diff, const char *format, struct sluice_span name, size_t place,
                       const struct sluice_value *expected, const struct sluice_value *got)
{
    size_t before = diff->path.size;
    if (name.data) {
        buffer_printf(&diff->path, format, before > 0 ? "." : "", (int)name.size, name.data);
    } else {
        buffer_printf(&diff->path, "[%zu]", place);
    }
    if (expected && got) {
        compare(diff, expected, got);
    } else {
        side(diff, expected ? '-' : '+', expected ? expected : got);
    }
    diff->path.size = before;
}

static void compare(struct diff *diff, const struct sluice_value *expected,
                    const struct sluice_value *got)
{
    enum sluice_type type = data_api.type(expected);
    if (data_api.equal(expected, got)) {
        return;
    }
    if (type != data_api.type(got) || (type != SLUICE_MAP && type != SLUICE_ARRAY)) {
        side(diff, '-', expected);
        side(diff, '+', got);
        return;
    }
    size_t count = data_api.count(expected), other = data_api.count(got);
    if (type == SLUICE_ARRAY) {
        for (size_t i = 0; i < count || i < other; i++) {
            compare_at(diff, "", (struct sluice_span){NULL, 0}, i,
                       i < count ? data_api.at(expected, i) : NULL,
                       i < other ? data_api.at(got, i) : NULL);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct sluice_span name = data_api.text(data_api.key_at(expected, i));
        compare_at(diff, "%s%.*s", name, 0, data_api.at(expected, i), member(got, name));
    }
    for (size_t i = 0; i < other; i++) {
        struct sluice_span name = data_api.text(data_api.key_at(got, i));
        if (!member(expected, name)) {
            compare_at(diff, "%s%.*s", name, 0, NULL, data_api.at(got, i));
        }
    }
}

void json_diff(FILE *out, const struct sluice_value *expected, const struct sluice_value *got)
{
    struct diff diff = {.out = out, .batch = batch_new(NULL)};
    buffer_init(&diff.path, PATH_MAX_BYTES);
    compare(&diff, expected, got);
    buffer_finish(&diff.path);
    records_api.release(diff.batch);
}
