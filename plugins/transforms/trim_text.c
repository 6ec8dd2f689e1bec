/*
 * sluice.transforms.TrimText$Key, $Value: takes blanks off both ends of texts. Owned by the chain;
 * [task thread].
 */
#include <stdlib.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/each_field.h"

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct each_field));
}

static void destroy(void *self)
{
    if (self) {
        each_field_finish(self);
        free(self);
    }
}

/* Unicode's White_Space and the separators U+001C..U+001F that Java counts too. */
static bool is_blank(unsigned point)
{
    return (point >= 9 && point <= 13) || (point >= 0x1C && point <= 0x20) || point == 0x85 ||
           point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) ||
           point == 0x2028 || point == 0x2029 || point == 0x202F || point == 0x205F ||
           point == 0x3000;
}

/* Code point of a sequence of size bytes; those of four are no blanks. */
static unsigned decode(const unsigned char *at, size_t size)
{
    return size == 1   ? *at
           : size == 2 ? (at[0] & 0x1Fu) << 6 | (at[1] & 0x3Fu)
           : size == 3 ? (at[0] & 0x0Fu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu)
                       : 0;
}

static struct sluice_span trimmed(struct sluice_span text)
{
    const unsigned char *start = (const unsigned char *)text.data, *end = start + text.size;
    while (start < end) {
        size_t size = *start < 0x80 ? 1 : *start < 0xE0 ? 2 : *start < 0xF0 ? 3 : 4;
        if (size > (size_t)(end - start) || !is_blank(decode(start, size))) {
            break;
        }
        start += size;
    }
    while (start < end) {
        const unsigned char *last = end - 1;
        while (last > start && (*last & 0xC0) == 0x80) {
            last--;
        }
        if (!is_blank(decode(last, (size_t)(end - last)))) {
            break;
        }
        end = last;
    }
    return (struct sluice_span){(const char *)start, (size_t)(end - start)};
}

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)which;
    (void)schema;
    (void)ret_reason;
    const struct sluice_data *data = each->base.data;
    if (data->type(value) != SLUICE_STRING) {
        return CONVERT_KEEP;
    }
    struct sluice_span before = data->text(value), after = trimmed(before);
    if (after.size == before.size) {
        return CONVERT_KEEP;
    }
    *ret_value = data->new_string_view(batch, after.data, after.size);
    return CONVERT_SET;
}

static const struct each_field_type trim_type = {
    .purpose = "trimming text",
    .skip_null = true,
    .convert = convert,
};

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct each_field *each = self;
    each->type = &trim_type;
    transform_variant(&each->base, class_name);
    return each_field_read(each, config);
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    return each_field_apply(self, record);
}

static const struct sluice_option options[] = {
    FIELDS_OPTION("Fields whose texts are trimmed; all where empty."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(trim_text, SLUICE_PACKAGE "TrimText", "Takes blanks off both ends of texts.", options,
              &functions);
