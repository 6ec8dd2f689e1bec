#include "core/worker/connector_file.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/config/properties.h"
#include "core/store/replace_file.h"
#include "lib/java/properties_text.h"
#include "lib/util/buffer.h"

enum { FILE_MOST = 16 << 20 };

static const char *const targets[] = {"RUNNING", "PAUSED", "STOPPED"};

bool connector_target_parse(const char *text, enum connector_target *ret)
{
    for (int i = 0; i < 3; i++) {
        if (strcasecmp(text, targets[i]) == 0) {
            *ret = (enum connector_target)i;
            return true;
        }
    }
    return false;
}

const char *connector_target_name(enum connector_target target)
{
    return targets[target];
}

/* -- reading -- */

/* lake.properties -> lake */
static char *base_name(const char *path)
{
    char *copy = strdup(path);
    char *name = copy ? strdup(basename(copy)) : NULL;
    char *dot = name ? strrchr(name, '.') : NULL;
    if (dot && dot != name && (strcmp(dot, ".properties") == 0 || strcmp(dot, ".json") == 0)) {
        *dot = '\0';
    }
    free(copy);
    return name;
}

/* Numbers and booleans become text. NULL with error for what is none. */
static json_t *strings_of(const char *path, json_t *object, struct error *error)
{
    json_t *strings = json_object(), *value;
    const char *name;
    json_object_foreach(object, name, value)
    {
        if (json_is_string(value)) {
            json_object_set(strings, name, value);
        } else if (json_is_object(value) || json_is_array(value) || json_is_null(value)) {
            (void)error_set(error, ERROR_CONFIG, "%s: the key '%s' has no text for a value", path,
                            name);
            json_decref(strings);
            return NULL;
        } else {
            char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
            json_object_set_new(strings, name, json_string(text ? text : ""));
            free(text);
        }
    }
    return strings;
}

static int parse_json(const char *path, const char *data, size_t size, struct connector_file *ret,
                      struct error *error)
{
    json_error_t why;
    json_t *object = json_loadb(data, size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(object)) {
        int line = object ? 1 : why.line;
        json_decref(object);
        return error_set(error, ERROR_SYNTAX, "%s, line %d: %s", path, line,
                         object ? "it is no JSON object" : why.text);
    }
    json_t *inner = json_object_get(object, "config");
    bool full = json_is_object(inner);
    const char *state = full ? json_string_value(json_object_get(object, "initial_state")) : NULL;
    const char *outer = full ? json_string_value(json_object_get(object, "name")) : NULL;
    int result = 0;
    ret->config = strings_of(path, full ? inner : object, error);
    const char *own = json_string_value(json_object_get(ret->config, "name"));
    if (!ret->config) {
        result = -1;
    } else if (outer && own && strcmp(own, outer) != 0) {
        result = error_set(error, ERROR_CONFIG, "%s: 'name' is '%s', but 'config' says '%s'", path,
                           outer, own);
    } else if (outer && !own) {
        json_object_set_new(ret->config, "name", json_string(outer));
    }
    if (result == 0 && state && !connector_target_parse(state, &ret->initial_state)) {
        result = error_set(error, ERROR_CONFIG,
                           "%s: the key 'initial_state' is '%s'; it can be RUNNING, PAUSED or STOPPED",
                           path, state);
    }
    json_decref(object);
    return result;
}

static int parse_properties(const char *path, const char *data, size_t size,
                            struct connector_file *ret, struct error *error)
{
    struct properties properties = {0};
    int result = properties_load(&properties, data, size, path, error);
    ret->config = json_object();
    for (size_t i = 0; result == 0 && i < properties.count; i++) {
        json_t *value = json_string(properties.items[i].value);
        json_object_set_new(ret->config, properties.items[i].name, value ? value : json_string(""));
    }
    properties_finish(&properties);
    return result;
}

int connector_file_parse(const char *path, const char *data, size_t size,
                         struct connector_file *ret, struct error *error)
{
    *ret = (struct connector_file){.initial_state = TARGET_RUNNING};
    bool json = data[strspn(data, " \t\r\n")] == '{';
    int result = json ? parse_json(path, data, size, ret, error)
                      : parse_properties(path, data, size, ret, error);
    if (result != 0) {
        connector_file_finish(ret);
        return result;
    }
    const char *given = json_string_value(json_object_get(ret->config, "name"));
    ret->named = given && *given;
    ret->name = ret->named ? strdup(given) : base_name(path);
    if (!ret->name) {
        abort();
    }
    if (!ret->named) {
        json_object_set_new(ret->config, "name", json_string(ret->name));
    }
    return 0;
}

int connector_file_read(const char *path, struct connector_file *ret, struct error *error)
{
    char *data = NULL;
    size_t size = 0;
    *ret = (struct connector_file){0};
    int result = properties_read_file(path, &data, &size, error);
    result = result == 0 ? connector_file_parse(path, data, size, ret, error) : result;
    free(data);
    return result;
}

void connector_file_finish(struct connector_file *file)
{
    free(file->name);
    json_decref(file->config);
    *file = (struct connector_file){0};
}

/* -- writing -- */

static char *properties_text(json_t *config, size_t *ret_size)
{
    struct buffer out;
    const char *name;
    json_t *value;
    buffer_init(&out, FILE_MOST);
    (void)buffer_append_text(&out, "# Written by sluice: changed over the admin API.\n");
    json_object_foreach(config, name, value)
    {
        properties_text_append(&out, name, true);
        (void)buffer_append_char(&out, '=');
        properties_text_append(&out, json_string_value(value) ? json_string_value(value) : "", false);
        (void)buffer_append_char(&out, '\n');
    }
    *ret_size = out.size;
    return buffer_take(&out);
}

int connector_file_write(const char *path, json_t *config, struct error *error)
{
    static const char end[] = ".properties";
    size_t size = strlen(path), length = 0;
    bool as_properties = size > sizeof(end) - 1 && strcmp(path + size - (sizeof(end) - 1), end) == 0;
    char *text = as_properties ? properties_text(config, &length) : json_dumps(config, JSON_INDENT(2));
    if (!text) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for %s", path);
    }
    int result = replace_file(path, text, as_properties ? length : strlen(text), 0600, NULL, error);
    free(text);
    return result;
}
