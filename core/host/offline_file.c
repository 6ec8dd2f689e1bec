/* The file of `sluice transform`: a connector's, as .properties or as JSON. See offline_file.h. */
#include "core/host/offline_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int load_json(const char *data, size_t size, const char *path, struct properties *properties,
                     struct error *error)
{
    json_error_t why;
    json_t *root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &why), *value;
    if (!json_is_object(root)) {
        int line = root ? 1 : why.line;
        const char *fault = root ? "it is no JSON object" : why.text;
        json_decref(root);
        return error_set(error, ERROR_SYNTAX, "%s, line %d: %s", path, line, fault);
    }
    json_t *config = json_object_get(root, "config");
    const char *name;
    json_object_foreach(json_is_object(config) ? config : root, name, value)
    {
        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (!json_is_null(value)) {
            properties_set(properties, name, text ? text : json_string_value(value));
        }
        free(text);
    }
    json_decref(root);
    return 0;
}

int offline_file_load(const char *path, struct properties *properties, struct error *error)
{
    char *data = NULL;
    size_t size = 0;
    if (properties_read_file(path, &data, &size, error) != 0) {
        return -1;
    }
    int result = data[strspn(data, " \t\r\n")] == '{' ? load_json(data, size, path, properties, error)
                                                      : properties_load(properties, data, size, path, error);
    free(data);
    return result;
}
