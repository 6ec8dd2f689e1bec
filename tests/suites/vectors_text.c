/*
 * Runs recorded cases of Java's text formats against lib/java and core/config: properties.jsonl,
 * regex.jsonl, the dates of transforms.jsonl (TimestampConverter), and the validate_plugin cases of
 * configdef.jsonl for which a table is known here.
 *
 *     vectors_text FILE.jsonl...
 *
 * Prints a line per case and closes with `N passed, N failed`; exit 1 where any failed. Cases of
 * other kinds are left out without a word: they belong to other runners.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/dates.h"
#include "lib/java/properties_text.h"
#include "lib/java/regex.h"
#include "lib/util/buffer.h"

static int passed, failed;

static void result(const json_t *test, bool good, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void result(const json_t *test, bool good, const char *format, ...)
{
    const char *id = json_string_value(json_object_get(test, "id"));
    if (good) {
        passed++;
        printf("ok %s\n", id);
        return;
    }
    failed++;
    printf("FAILED %s: ", id);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* -- properties -- */

static size_t decode_base64(const char *text, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = 0;
    uint32_t bits = 0;
    int count = 0;
    for (; *text && *text != '='; text++) {
        bits = bits << 6 | (uint32_t)(strchr(digits, *text) - digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            to[size++] = (char)(bits >> count);
        }
    }
    return size;
}

static int collect(void *user, const char *key, size_t key_size, const char *value,
                   size_t value_size, size_t line)
{
    (void)line;
    char *name = strndup(key, key_size);
    json_object_set_new(user, name, json_stringn(value, value_size));
    free(name);
    return 0;
}

static void run_properties(const json_t *test)
{
    const char *base64 = text_of(test, "text_b64");
    char *data = malloc(strlen(base64) + 1);
    size_t size = decode_base64(base64, data);
    bool latin1 = strcmp(text_of(test, "charset"), "ISO-8859-1") == 0;
    json_t *got = json_object(), *want = json_object();
    enum properties_status status = properties_text_parse(
        data, size, latin1 ? PROPERTIES_LATIN1 : PROPERTIES_UTF8, collect, got, NULL);
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(test, "entries"), i, entry)
    {
        json_object_set(want, json_string_value(json_array_get(entry, 0)),
                        json_array_get(entry, 1));
    }
    if (json_is_null(json_object_get(test, "error"))) {
        char *shown = json_dumps(got, JSON_SORT_KEYS);
        result(test, status == PROPERTIES_OK && json_equal(got, want), "status %d, %.200s", status,
               shown);
        free(shown);
    } else {
        result(test, status == PROPERTIES_MALFORMED_ESCAPE, "status %d", status);
    }
    json_decref(got);
    json_decref(want);
    free(data);
}

/* -- dates: conversions of TimestampConverter that go through a pattern -- */

/** The converted value in a record: under the envelope's payload, and in its field where one is
 * named. */
static json_t *converted(const json_t *record, bool schemas, const char *field)
{
    const char *text = text_of(record, "value");
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    json_t *found = schemas ? json_object_get(value, "payload") : value;
    found = field && field[0] ? json_object_get(found, field) : found;
    json_t *copy = json_deep_copy(found);
    json_decref(value);
    return copy;
}

static bool is_timestamp(const json_t *record, bool schemas)
{
    return !schemas || strstr(text_of(record, "value"), "org.apache.kafka.connect.data.Timestamp");
}

/** given: as in the configuration, where blanks around it do not count. */
static void run_date(const json_t *test, const char *given)
{
    char pattern[256];
    snprintf(pattern, sizeof(pattern), "%s", given + strspn(given, " "));
    for (size_t end = strlen(pattern); end > 0 && pattern[end - 1] == ' '; end--) {
        pattern[end - 1] = '\0';
    }
    if (!pattern[0]) {
        return;
    }
    const json_t *config = json_object_get(test, "config");
    bool schemas = json_is_true(json_object_get(test, "schemas"));
    const char *field = text_of(config, "field");
    const char *target = text_of(config, "target.type");
    const json_t *outputs = json_object_get(test, "records_out");
    char message[DATE_MESSAGE_MAX] = "";
    struct date_format *format = NULL;
    if (date_format_create(pattern, &format, message, sizeof(message))) {
        const char *said = text_of(json_object_get(test, "error"), "message");
        result(test, said && strstr(said, message), "%s", message);
        return;
    }
    size_t i;
    json_t *record;
    bool good = true, used = false;
    char seen[256] = "";
    json_array_foreach(json_object_get(test, "records_in"), i, record)
    {
        json_t *in = converted(record, schemas, field);
        json_t *out = converted(json_array_get(outputs, i), schemas, field);
        if (json_is_string(in) && strcmp(target, "string") != 0) {
            int64_t ms = -1;
            bool matched = date_format_parse(format, zone_utc(), json_string_value(in),
                                             json_string_length(in), &ms, NULL);
            snprintf(seen, sizeof(seen), "%s gives %d, %lld", json_string_value(in), matched,
                     (long long)ms);
            if (json_is_integer(out) &&
                (strcmp(target, "unix") == 0 || (schemas && strcmp(target, "Timestamp") == 0))) {
                used = true;
                good = good && matched && ms == json_integer_value(out);
            } else if (i >= json_array_size(outputs)) {
                used = true;
                good = good && !matched;
            }
        } else if (json_is_integer(in) && json_is_string(out) && is_timestamp(record, schemas) &&
                   !json_object_get(config, "unix.precision")) {
            date_format_print(format, zone_utc(), json_integer_value(in), seen, sizeof(seen));
            used = true;
            good = good && strcmp(seen, json_string_value(out)) == 0;
        }
        json_decref(in);
        json_decref(out);
        if (!good) {
            break;
        }
    }
    if (used) {
        result(test, good, "pattern %s: %s", pattern, seen);
    }
    date_format_destroy(format);
}

/* -- regular expressions -- */

static bool same_error(const json_t *want, const struct regex_error *error)
{
    return strcmp(text_of(want, "class"), error->java_class) == 0 &&
           strcmp(text_of(want, "message"), error->message) == 0;
}

static void run_replacement(const json_t *test, const struct regex *regex, const char *input,
                            bool matches)
{
    const char *replacement = text_of(test, "replacement");
    const char *want = text_of(test, "replace_first"), *router = text_of(test, "router");
    const json_t *want_error = json_object_get(test, "replace_error");
    struct regex_error error = {0};
    struct buffer out;
    buffer_init(&out, 65536);
    enum regex_result got =
        regex_replace_first(regex, input, strlen(input), replacement, &out, &error);
    const char *text = out.data ? out.data : "";
    if (got == REGEX_FAILED || !want) {
        result(test, got == REGEX_FAILED && !want && same_error(want_error, &error),
               "replacing gives %d, %s", got, got == REGEX_FAILED ? error.message : text);
    } else {
        bool routed = !matches ? strcmp(router, input) == 0 : strcmp(router, text) == 0;
        result(test, strcmp(text, want) == 0 && routed, "replaced: %s", text);
    }
    buffer_finish(&out);
}

static void run_regex(const json_t *test)
{
    const char *input = text_of(test, "input");
    const json_t *want_error = json_object_get(test, "compile_error");
    const json_t *message = json_object_get(want_error, "message");
    if (message && json_string_length(message) != strlen(json_string_value(message))) {
        printf("left out %s: its message holds U+0000, which ours cannot\n", text_of(test, "id"));
        return;
    }
    struct regex *regex = NULL;
    struct regex_error error = {0};
    if (regex_create(text_of(test, "pattern"), &regex, &error)) {
        result(test, json_is_object(want_error) && same_error(want_error, &error), "refused: %s",
               error.message);
        return;
    }
    enum regex_result matches = regex_matches(regex, input, strlen(input));
    enum regex_result found = regex_find(regex, input, strlen(input), NULL, NULL);
    if (json_is_object(want_error)) {
        result(test, false, "accepted");
    } else if (matches != (int)json_is_true(json_object_get(test, "matches")) ||
               found != (int)json_is_true(json_object_get(test, "find"))) {
        result(test, false, "matches %d, find %d", matches, found);
    } else {
        run_replacement(test, regex, input, matches == REGEX_YES);
    }
    regex_destroy(regex);
}

static void run_case(const json_t *test)
{
    if (json_object_get(test, "pattern") && json_object_get(test, "input")) {
        run_regex(test);
        return;
    }
    if (json_object_get(test, "text_b64")) {
        run_properties(test);
        return;
    }
    const char *class_name = text_of(test, "class");
    const char *pattern = text_of(json_object_get(test, "config"), "format");
    if (class_name && strstr(class_name, "TimestampConverter") && pattern) {
        run_date(test, pattern);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "re");
        if (!file) {
            perror(argv[i]);
            return 2;
        }
        char *line = NULL;
        size_t room = 0;
        while (getline(&line, &room, file) > 0) {
            json_error_t error;
            json_t *test = json_loads(line, JSON_ALLOW_NUL, &error);
            if (!test) {
                fprintf(stderr, "%s: %s\n", argv[i], error.text);
                return 2;
            }
            run_case(test);
            json_decref(test);
        }
        free(line);
        fclose(file);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}
