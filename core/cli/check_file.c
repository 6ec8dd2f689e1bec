/* Reading a file for `sluice check`, and keeping what is found in it. */
#include "core/cli/check.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"
#include "core/config/memory.h"
#include "lib/java/properties_text.h"

static void add_finding(struct check_file *file, bool error, const char *key, const char *hint,
                        const char *format, va_list args)
{
    char *message = NULL;
    int length = vasprintf(&message, format, args);
    memory_checked(length < 0 ? NULL : message);
    const char *line = key ? properties_get(&file->lines, key) : NULL;
    file->findings = memory_grown(file->findings, file->count + 1, sizeof(*file->findings));
    file->findings[file->count++] = (struct finding){
        .error = error,
        .key = key ? memory_text(key) : NULL,
        .line = line ? strtoul(line, NULL, 10) : 0,
        .message = message,
        .hint = hint ? memory_text(hint) : NULL,
    };
    file->errors += error;
}

void check_error(struct check_file *file, const char *key, const char *hint, const char *format,
                 ...)
{
    va_list args;
    va_start(args, format);
    add_finding(file, true, key, hint, format, args);
    va_end(args);
}

void check_warning(struct check_file *file, const char *key, const char *hint, const char *format,
                   ...)
{
    va_list args;
    va_start(args, format);
    add_finding(file, false, key, hint, format, args);
    va_end(args);
}

bool check_is_variable(const char *value)
{
    const char *begin = value ? strstr(value, "${") : NULL;
    const char *end = begin ? strchr(begin, '}') : NULL;
    return end && memchr(begin, ':', (size_t)(end - begin));
}

/* -- .properties -- */

static int take_pair(void *user, const char *key, size_t key_size, const char *value,
                     size_t value_size, size_t line)
{
    struct check_file *file = user;
    char number[24];
    if (strlen(key) != key_size || strlen(value) != value_size) {
        check_error(file, NULL, "take it out", "line %zu: key or value holds the character U+0000",
                    line);
        return 0;
    }
    if (properties_get(&file->properties, key)) {
        check_warning(file, key, "take one of the two out",
                      "is given twice; line %zu counts, the one before it does not", line);
    }
    snprintf(number, sizeof(number), "%zu", line);
    properties_set(&file->lines, key, number);
    properties_set(&file->properties, key, value);
    return 0;
}

static void read_properties(struct check_file *file, const char *data, size_t size)
{
    size_t line = 0;
    enum properties_status status =
        properties_text_parse(data, size, PROPERTIES_LATIN1, take_pair, file, &line);
    if (status == PROPERTIES_MALFORMED_ESCAPE) {
        check_error(file, NULL, "four hexadecimal digits follow \\u; a backslash is written \\\\",
                    "line %zu: Malformed \\uxxxx encoding.", line);
    } else if (status != PROPERTIES_OK) {
        check_error(file, NULL, NULL, "line %zu: %s", line,
                    status == PROPERTIES_TOO_LONG ? "too long" : "out of memory");
    }
    size_t number = 1;
    for (size_t i = 0; i < size; i++) {
        number += data[i] == '\n';
        if ((unsigned char)data[i] >= 0x80) {
            if (i == 0 && size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
                check_warning(file, NULL, "save it as UTF-8 without BOM",
                              "line 1: begins with a byte order mark (BOM), which becomes part of the "
                              "first key, for Connect as for sluice");
                i += 2;
                continue;
            }
            check_warning(file, NULL, "write such characters as \\uXXXX",
                          "line %zu: not ASCII; Connect reads these files as ISO-8859-1, so UTF-8 "
                          "text arrives garbled",
                          number);
            break;
        }
    }
}

/* -- JSON: {"k":"v",..} or {"name":..,"config":{..}} -- */

static void take_member(struct check_file *file, const char *key, json_t *value)
{
    char *text = NULL;
    if (json_is_string(value)) {
        properties_set(&file->properties, key, json_string_value(value));
    } else if (json_is_null(value)) {
        check_error(file, key, NULL, "Null value can not be supplied as the configuration value.");
    } else if (json_is_object(value) || json_is_array(value)) {
        check_error(file, key, "write the value as a string", "is an object or array");
    } else if ((text = json_dumps(value, JSON_ENCODE_ANY))) {
        properties_set(&file->properties, key, text);
    }
    free(text);
}

static void read_json(struct check_file *file, const char *data, size_t size)
{
    json_error_t error;
    json_t *root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        check_error(file, NULL, NULL, "line %d: %s", error.line,
                    root ? "not a JSON object" : error.text);
        json_decref(root);
        return;
    }
    json_t *config = json_object_get(root, "config");
    const char *name = json_string_value(json_object_get(root, "name")), *key;
    json_t *value;
    json_object_foreach(json_is_object(config) ? config : root, key, value)
    {
        take_member(file, key, value);
    }
    if (json_is_object(config) && name) {
        const char *inner = properties_get(&file->properties, "name");
        if (inner && strcmp(inner, name) != 0) {
            check_error(file, "name", NULL,
                        "Connector name configuration (%s) doesn't match connector name (%s)",
                        inner, name);
        }
        properties_set(&file->properties, "name", name);
    }
    json_decref(root);
}

int check_file_read(struct check_file *file, const char *path)
{
    *file = (struct check_file){.path = path};
    struct error error = {0};
    char *data = NULL;
    size_t size = 0;
    if (properties_read_file(path, &data, &size, &error)) {
        check_error(file, NULL, NULL, "%s", error.message);
        int result = error.code == ERROR_SYSTEM ? CLI_ENVIRONMENT : CLI_OK;
        error_clear(&error);
        return result;
    }
    size_t begin = 0;
    while (begin < size && isspace((unsigned char)data[begin])) {
        begin++;
    }
    if (begin < size && data[begin] == '{') {
        read_json(file, data, size);
    } else {
        read_properties(file, data, size);
    }
    free(data);
    return CLI_OK;
}

void check_file_finish(struct check_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->findings[i].key);
        free(file->findings[i].message);
        free(file->findings[i].hint);
    }
    free(file->findings);
    properties_finish(&file->properties);
    properties_finish(&file->lines);
}
