/*
 * Cases of Java's text formats (properties.jsonl, regex.jsonl) against lib/java, which plugins and
 * core share; see vectors.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/properties_text.h"
#include "lib/java/regex.h"
#include "lib/util/buffer.h"
#include "tests/suites/vectors.h"

static bool holds_nul(const json_t *text)
{
    return json_is_string(text) && json_string_length(text) != strlen(json_string_value(text));
}

/* -- properties -- */

static int collect(void *user, const char *key, size_t key_size, const char *value,
                   size_t value_size, size_t line)
{
    (void)line;
    json_object_setn_new_nocheck(user, key, key_size, json_stringn_nocheck(value, value_size));
    return 0;
}

enum outcome vectors_properties(struct vector_case *run)
{
    struct sluice_span text = vector_bytes(run, "text_b64");
    const char *charset = vector_text(run->test, "charset");
    bool latin1 = charset && strcmp(charset, "ISO-8859-1") == 0;
    if (!latin1 && (!charset || strcmp(charset, "UTF-8") != 0)) {
        return vector_wrong(run, "charset %s: not one of ISO-8859-1, UTF-8",
                            charset ? charset : "null");
    }
    json_t *got = json_object(), *want = json_object(), *entry;
    enum properties_status status = properties_text_parse(
        text.data, text.size, latin1 ? PROPERTIES_LATIN1 : PROPERTIES_UTF8, collect, got, NULL);
    size_t i;
    json_array_foreach(json_object_get(run->test, "entries"), i, entry)
    {
        struct sluice_span key = vector_span(json_array_get(entry, 0));
        json_object_setn_nocheck(want, key.data, key.size, json_array_get(entry, 1));
    }
    bool same = vector_null(run->test, "error") ? status == PROPERTIES_OK && json_equal(got, want)
                                                : status == PROPERTIES_MALFORMED_ESCAPE;
    char *shown = json_dumps(got, JSON_SORT_KEYS);
    vector_wrong(run, "status %d, %s", status, shown ? shown : "?");
    free(shown);
    json_decref(got);
    json_decref(want);
    return same ? PASSED : WRONG;
}

/* -- regular expressions -- */

static bool same_error(const json_t *want, const struct regex_error *error)
{
    const char *class_name = vector_text(want, "class"), *message = vector_text(want, "message");
    return class_name && strcmp(class_name, error->java_class) == 0 &&
           (!message || strcmp(message, error->message) == 0);
}

static enum outcome run_replacement(struct vector_case *run, const struct regex *regex,
                                    const char *input, bool matches)
{
    const char *replacement = vector_text(run->test, "replacement");
    const char *want = vector_text(run->test, "replace_first");
    const char *router = vector_text(run->test, "router");
    const json_t *want_error = json_object_get(run->test, "replace_error");
    struct regex_error error = {0};
    struct buffer out;
    buffer_init(&out, 65536);
    enum regex_result got =
        regex_replace_first(regex, input, strlen(input), replacement, &out, &error);
    const char *text = out.data ? out.data : "";
    bool same;
    if (got == REGEX_FAILED || !want) {
        same = got == REGEX_FAILED && !want && same_error(want_error, &error) &&
               (matches ? !router : router && strcmp(router, input) == 0);
        vector_wrong(run, "replacing gives %d, %s", got, got == REGEX_FAILED ? error.message : text);
    } else {
        same = strcmp(text, want) == 0 && router && strcmp(router, matches ? text : input) == 0;
        vector_wrong(run, "replaced: expected %s, got %s", want, text);
    }
    buffer_finish(&out);
    return same ? PASSED : WRONG;
}

enum outcome vectors_regex(struct vector_case *run)
{
    json_t *test = run->test, *want_error = json_object_get(test, "compile_error");
    if (holds_nul(json_object_get(want_error, "message")) ||
        holds_nul(json_object_get(test, "pattern")) || holds_nul(json_object_get(test, "input"))) {
        vector_wrong(run, "holds U+0000, which a text of ours cannot");
        return LEFT_OUT;
    }
    const char *input = vector_text(test, "input");
    struct regex *regex = NULL;
    struct regex_error error = {0};
    if (regex_create(vector_text(test, "pattern"), &regex, &error)) {
        vector_wrong(run, "refused: %s", error.message);
        return json_is_object(want_error) && same_error(want_error, &error) ? PASSED : WRONG;
    }
    enum outcome outcome;
    enum regex_result matches = regex_matches(regex, input, strlen(input));
    enum regex_result found = regex_find(regex, input, strlen(input), NULL, NULL);
    if (json_is_object(want_error)) {
        outcome = vector_wrong(run, "accepted");
    } else if (matches != (int)json_is_true(json_object_get(test, "matches")) ||
               found != (int)json_is_true(json_object_get(test, "find"))) {
        outcome = vector_wrong(run, "matches %d, find %d", matches, found);
    } else {
        outcome = run_replacement(run, regex, input, matches == REGEX_YES);
    }
    regex_destroy(regex);
    return outcome;
}
