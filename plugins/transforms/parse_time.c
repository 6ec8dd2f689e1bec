/*
 * sluice.transforms.ParseTime$Key, $Value: reads times in any of several patterns and writes them
 * in one. Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "lib/java/dates.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/each_field.h"
#include "plugins/transforms/lists.h"

#define MOST_FORMATS 32

struct parse_time {
    struct each_field each; /* first */
    struct date_format *formats[MOST_FORMATS];
    size_t count;
    size_t same; /* the format that is the target's own; count: none */
    struct date_format *target;
    bool lenient;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct parse_time));
}

static void destroy(void *self)
{
    struct parse_time *parser = self;
    if (parser) {
        each_field_finish(&parser->each);
        for (size_t i = 0; i < parser->count; i++) {
            date_format_destroy(parser->formats[i]);
        }
        date_format_destroy(parser->target);
        free(parser);
    }
}

/*
 * Strict: the whole text is the time and is written just so; Java's parser alone takes 2020-13-45
 * and ignores what follows.
 */
static bool is_exact(const struct date_format *format, struct sluice_span text, int64_t ms)
{
    char again[256];
    size_t size = date_format_print(format, zone_utc(), ms, again, sizeof(again));
    return size < sizeof(again) && size == text.size && memcmp(again, text.data, size) == 0;
}

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)which;
    (void)schema;
    const struct parse_time *parser = (const struct parse_time *)each;
    const struct sluice_data *data = each->base.data;
    enum sluice_type type = data->type(value);
    int64_t ms = 0;
    if (type == SLUICE_DATE) {
        ms = data->integer(value);
    } else if (type == SLUICE_STRING) {
        struct sluice_span text = data->text(value);
        size_t i = 0;
        while (
            i < parser->count &&
            !(date_format_parse(parser->formats[i], zone_utc(), text.data, text.size, &ms, NULL) &&
              (parser->lenient || is_exact(parser->formats[i], text, ms)))) {
            i++;
        }
        if (i == parser->count) {
            *ret_reason = "matches none of the formats";
            return CONVERT_WRONG;
        }
        if (i == parser->same && !parser->lenient) {
            return CONVERT_KEEP; /* it was just shown to be written like the target */
        }
    } else {
        *ret_reason = "is not a text";
        return CONVERT_WRONG;
    }
    char out[256];
    size_t size = date_format_print(parser->target, zone_utc(), ms, out, sizeof(out));
    if (size >= sizeof(out)) {
        *ret_reason = "gives a text that is too long";
        return CONVERT_WRONG;
    }
    *ret_value = data->new_string(batch, out, size);
    return CONVERT_SET;
}

static enum sluice_result field_schema(struct each_field *each, struct sluice_batch *batch,
                                       size_t which, const struct sluice_schema *schema,
                                       const struct sluice_schema **ret_schema)
{
    (void)batch;
    (void)which;
    const struct sluice_data *data = each->base.data;
    bool optional = data->schema_optional(schema) || each->on_error == ON_ERROR_NULL;
    *ret_schema = data->schema_retain(data->schema_plain(SLUICE_STRING, optional));
    return SLUICE_OK;
}

static const struct each_field_type time_type = {
    .purpose = "reading times",
    .skip_null = true,
    .convert = convert,
    .schema = field_schema,
};

static enum sluice_result make_format(const struct transform *base, const char *key,
                                      struct text pattern, struct date_format **ret_format)
{
    char message[DATE_MESSAGE_MAX] = "Out of memory";
    char *copy = strndup(pattern.data, pattern.size);
    int result = copy ? date_format_create(copy, ret_format, message, sizeof(message)) : -1;
    free(copy);
    return result == 0 ? SLUICE_OK
                       : BAD_CONFIG(base, "Invalid value %.*s for configuration %s: %s",
                                    (int)pattern.size, pattern.data, key, message);
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct parse_time *parser = self;
    struct each_field *each = &parser->each;
    const struct sluice_config_api *api = each->base.host->config;
    each->type = &time_type;
    transform_variant(&each->base, class_name);
    each_field_read_on_error(each, config);
    parser->lenient = api->get_boolean(config, "lenient");
    const char *target = api->get_string(config, "target.format");
    const char *formats = api->get_string(config, "formats");
    const char *separator = api->get_string(config, "formats.separator");
    enum sluice_result result = each_field_read(each, config);
    struct text pattern;
    parser->same = MOST_FORMATS;
    while (result == SLUICE_OK && separated_next(&formats, separator, &pattern)) {
        if (parser->count == MOST_FORMATS) {
            return BAD_CONFIG(&each->base, "At most %d patterns can be given in formats",
                              MOST_FORMATS);
        }
        result = make_format(&each->base, "formats", pattern, &parser->formats[parser->count]);
        if (result == SLUICE_OK) {
            if (!target) {
                target = strndupa(pattern.data, pattern.size);
            }
            if (text_is(pattern, target)) {
                parser->same = parser->count;
            }
            parser->count++;
        }
    }
    if (result == SLUICE_OK) {
        result = make_format(&each->base, "target.format", (struct text){target, strlen(target)},
                             &parser->target);
    }
    return result;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    return each_field_apply(self, record);
}

static const struct sluice_option options[] = {
    OPTION(.name = "fields", .type = SLUICE_OPTION_LIST, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,
           .doc = "Fields that hold times; those that are missing stay missing."),
    OPTION(.name = "formats", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY,
           .doc = "Patterns of java.text.SimpleDateFormat, tried in turn, separated by "
                  "formats.separator. Times without a zone are UTC."),
    OPTION(.name = "formats.separator", .type = SLUICE_OPTION_STRING, .default_value = ",",
           .importance = SLUICE_LOW, .valid = SLUICE_VALID_NON_EMPTY,
           .doc = "What stands between the patterns of formats."),
    OPTION(.name = "target.format", .type = SLUICE_OPTION_STRING, .importance = SLUICE_HIGH,
           .valid = SLUICE_VALID_NON_EMPTY,
           .doc = "The pattern times are written in; the first of formats where not given."),
    OPTION(.name = "lenient", .type = SLUICE_OPTION_BOOLEAN, .default_value = "false",
           .importance = SLUICE_LOW,
           .doc =
               "Whether texts are read as Java's lenient parser does: 2020-13-45 is a day in 2021, "
               "and what follows the pattern is ignored."),
    ON_ERROR_OPTIONS("fail"),
    OPTION(.name = "default.value", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
           .doc = "The value under on.error=default, in one of the formats."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(parse_time, SLUICE_PACKAGE "ParseTime",
              "Reads times in any of several patterns and writes them in one.", options,
              &functions);
