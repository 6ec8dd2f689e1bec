/*
 * sluice.transforms.ReplaceText$Key, $Value: replaces what a Java regular expression matches in
 * texts of fields, by default with nothing. Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "lib/java/regex.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/each_field.h"

/* Longest text that may come out of a replacement. */
#define RESULT_MAX (64u << 20)

struct replace_text {
    struct each_field each; /* first */
    struct regex *regex;
    const char *replacement;
    bool all;
    /* "^" and plain characters with an empty replacement: a compare does it */
    char *prefix; /* owned; NULL: use the regex */
    size_t prefix_size;
    struct buffer out;
};

static void *create(const struct sluice_host *host)
{
    struct replace_text *replace = transform_create(host, sizeof(struct replace_text));
    if (replace) {
        buffer_init(&replace->out, RESULT_MAX);
    }
    return replace;
}

static void destroy(void *self)
{
    struct replace_text *replace = self;
    if (replace) {
        each_field_finish(&replace->each);
        regex_destroy(replace->regex);
        buffer_finish(&replace->out);
        free(replace->prefix);
        free(replace);
    }
}

/*
 * The literal text of a pattern `^literal`, where literal is of plain ASCII characters, one in
 * brackets (`[ ]`), an escaped sign (`\.`) or a \Q..\E part. False: a real pattern.
 */
static bool literal_prefix(const char *pattern, char *out, size_t *ret_size)
{
    size_t size = 0;
    if (*pattern++ != '^') {
        return false;
    }
    while (*pattern) {
        unsigned char c = (unsigned char)*pattern;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c == '\\' && pattern[1] == 'Q') {
            const char *end = strstr(pattern + 2, "\\E");
            size_t length = end ? (size_t)(end - pattern - 2) : strlen(pattern + 2);
            memcpy(out + size, pattern + 2, length);
            size += length;
            pattern += 2 + length + (end ? 2 : 0);
        } else if (c == '\\' && pattern[1] && strchr(".[]{}()*+-?^$|/\\", pattern[1])) {
            out[size++] = pattern[1];
            pattern += 2;
        } else if (c == '[' && pattern[1] && pattern[2] == ']' && !strchr("^\\[]&", pattern[1]) &&
                   (unsigned char)pattern[1] < 0x80) {
            out[size++] = pattern[1];
            pattern += 3;
        } else if (letter || strchr(" /_:;,=<>@!#%&~'\"-", c)) {
            out[size++] = (char)c;
            pattern++;
        } else {
            return false;
        }
        if (*pattern && strchr("*+?{", *pattern)) {
            return false; /* a quantifier after all */
        }
    }
    *ret_size = size;
    return true;
}

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)which;
    (void)schema;
    (void)ret_reason;
    struct replace_text *replace = (struct replace_text *)each;
    const struct sluice_data *data = each->base.data;
    if (data->type(value) != SLUICE_STRING) {
        return CONVERT_KEEP;
    }
    struct sluice_span text = data->text(value);
    if (replace->prefix) {
        size_t size = replace->prefix_size;
        if (text.size < size || memcmp(text.data, replace->prefix, size) != 0) {
            return CONVERT_KEEP;
        }
        *ret_value = data->new_string_view(batch, text.data + size, text.size - size);
        return CONVERT_SET;
    }
    struct regex_error error;
    buffer_reset(&replace->out);
    enum regex_result result = (replace->all ? regex_replace_all : regex_replace_first)(
        replace->regex, text.data, text.size, replace->replacement, &replace->out, &error);
    switch (result) {
    case REGEX_NO:
        return CONVERT_KEEP;
    case REGEX_YES:
        if (!replace->out.failed) {
            *ret_value = data->new_string(batch, replace->out.data ? replace->out.data : "",
                                          replace->out.size);
            return CONVERT_SET;
        }
        each->result =
            BAD_RECORD(&each->base, "The text after replacing is longer than %u bytes", RESULT_MAX);
        return CONVERT_ERROR;
    case REGEX_LIMIT:
        each->result = BAD_RECORD(&each->base, REGEX_GAVE_UP);
        return CONVERT_ERROR;
    default:
        each->result = each->base.host->error(each->base.host, SLUICE_BAD_RECORD, error.java_class,
                                              "%s", error.message);
        return CONVERT_ERROR;
    }
}

static const struct each_field_type replace_type = {
    .purpose = "replacing text",
    .skip_null = true,
    .convert = convert,
};

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct replace_text *replace = self;
    struct each_field *each = &replace->each;
    const struct sluice_config_api *api = each->base.host->config;
    each->type = &replace_type;
    transform_variant(&each->base, class_name);
    replace->replacement = api->get_string(config, "replacement");
    replace->all = api->get_boolean(config, "all");
    const char *pattern = api->get_string(config, "regex");
    struct regex_error error;
    if (regex_create(pattern, &replace->regex, &error) != 0) {
        return BAD_CONFIG(&each->base, INVALID_REGEX, pattern, "regex", error.message);
    }
    if (!*replace->replacement) {
        replace->prefix = malloc(strlen(pattern) + 1);
        if (!replace->prefix) {
            return NO_MEMORY(&each->base);
        }
        if (!literal_prefix(pattern, replace->prefix, &replace->prefix_size)) {
            free(replace->prefix);
            replace->prefix = NULL;
        }
    }
    return each_field_read(each, config);
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    return each_field_apply(self, record);
}

static const struct sluice_option options[] = {
    FIELDS_OPTION("Fields whose texts are changed; all where empty."),
    OPTION(.name = "regex", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_REGEX,
           .doc = "Java regular expression to look for, anywhere in the text."),
    OPTION(.name = "replacement", .type = SLUICE_OPTION_STRING, .default_value = "",
           .importance = SLUICE_HIGH,
           .doc = "What stands instead, in Java's syntax ($1, ${name}); empty: strips the match."),
    OPTION(.name = "all", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true",
           .importance = SLUICE_MEDIUM,
           .doc = "Whether every match is replaced, or the first only."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(replace_text, SLUICE_PACKAGE "ReplaceText",
              "Replaces or strips what a Java regular expression matches in texts.", options,
              &functions);
