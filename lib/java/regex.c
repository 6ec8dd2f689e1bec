/* Matching and replacing; the dialect is regex_translate.c's. */
#include "lib/java/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/regex_translate.h"
#include "lib/util/utf8.h"

/* Bounds of one match: steps, and memory of backtracking (invariant 5). */
#define MATCH_LIMIT 10000000
#define DEPTH_LIMIT 1000000
#define HEAP_LIMIT_KB (64 * 1024)

#define ILLEGAL_ARGUMENT "java.lang.IllegalArgumentException"

struct regex {
    pcre2_code *find;
    pcre2_code *whole; /* the same, anchored at both ends: JIT cannot anchor while matching */
    pcre2_match_context *limits;
    uint32_t groups;
};

/* -- scratch memory, one block per thread and pattern library -- */

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void free_scratch(void *data)
{
    pcre2_match_data_free(data);
}

static void make_scratch_key(void)
{
    if (pthread_key_create(&scratch_key, free_scratch) != 0) {
        abort(); /* a process has 1024 keys; we take one */
    }
}

/** Match data with room for the pattern's groups; NULL where memory is out. Owned by the thread. */
static pcre2_match_data *scratch(const struct regex *regex)
{
    pthread_once(&scratch_once, make_scratch_key);
    pcre2_match_data *data = pthread_getspecific(scratch_key);
    if (data && pcre2_get_ovector_count(data) > regex->groups) {
        return data;
    }
    pcre2_match_data *larger =
        pcre2_match_data_create(regex->groups < 15 ? 16 : regex->groups + 1, NULL);
    if (!larger || pthread_setspecific(scratch_key, larger) != 0) {
        pcre2_match_data_free(larger);
        return NULL;
    }
    pcre2_match_data_free(data);
    return larger;
}

/* -- compiling -- */

static int refuse(struct regex_error *error, const char *message, const char *pattern)
{
    error->java_class = "java.util.regex.PatternSyntaxException";
    snprintf(error->message, sizeof(error->message), "%s\n%s", message, pattern);
    utf8_trim(error->message, strlen(error->message));
    return -1;
}

static pcre2_code *compile(const struct buffer *text, uint32_t options, int *ret_code)
{
    PCRE2_SIZE offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)(text->data ? text->data : ""), text->size,
                      PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | options, ret_code, &offset, NULL);
    if (code) {
        pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where there is no JIT, it interprets */
    }
    return code;
}

int regex_create(const char *pattern, struct regex **ret_regex, struct regex_error *error)
{
    struct buffer text;
    buffer_init(&text, (size_t)REGEX_PATTERN_MAX * 32);
    struct regex *regex = NULL;
    int code = 0, result = -1;
    if (regex_translate(pattern, &text, error)) {
        goto out;
    }
    regex = calloc(1, sizeof(*regex));
    if (!regex || !(regex->limits = pcre2_match_context_create(NULL))) {
        refuse(error, "Out of memory", pattern);
        goto out;
    }
    regex->find = compile(&text, 0, &code);
    regex->whole = regex->find ? compile(&text, PCRE2_ANCHORED | PCRE2_ENDANCHORED, &code) : NULL;
    if (!regex->whole) {
        PCRE2_UCHAR reason[200];
        char message[256];
        pcre2_get_error_message(code, reason, sizeof(reason));
        snprintf(message, sizeof(message), "Not supported here: %s", (const char *)reason);
        refuse(error, message, pattern);
        goto out;
    }
    pcre2_pattern_info(regex->find, PCRE2_INFO_CAPTURECOUNT, &regex->groups);
    pcre2_set_match_limit(regex->limits, MATCH_LIMIT); /* invariant 6: no pattern hangs a task */
    pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KB);
    *ret_regex = regex;
    regex = NULL;
    result = 0;
out:
    regex_destroy(regex);
    buffer_finish(&text);
    return result;
}

void regex_destroy(struct regex *regex)
{
    if (regex) {
        pcre2_code_free(regex->find);
        pcre2_code_free(regex->whole);
        pcre2_match_context_free(regex->limits);
        free(regex);
    }
}

/* -- matching -- */

static enum regex_result run(const struct regex *regex, const pcre2_code *code, const char *text,
                             size_t size, size_t start, uint32_t options,
                             pcre2_match_data **ret_data)
{
    pcre2_match_data *data = scratch(regex);
    if (!data) {
        return REGEX_LIMIT;
    }
    *ret_data = data;
    PCRE2_SPTR subject = (PCRE2_SPTR)(text ? text : "");
    int count = pcre2_match(code, subject, size, start, options, data, regex->limits);
    if (count == PCRE2_ERROR_JIT_STACKLIMIT) {
        /* The interpreter takes its memory from the heap, up to the limit. */
        count =
            pcre2_match(code, subject, size, start, options | PCRE2_NO_JIT, data, regex->limits);
    }
    if (count >= 0) {
        return REGEX_YES;
    }
    bool limit = count == PCRE2_ERROR_MATCHLIMIT || count == PCRE2_ERROR_DEPTHLIMIT ||
                 count == PCRE2_ERROR_HEAPLIMIT || count == PCRE2_ERROR_NOMEMORY ||
                 count == PCRE2_ERROR_JIT_STACKLIMIT;
    return limit ? REGEX_LIMIT : REGEX_NO;
}

enum regex_result regex_matches(const struct regex *regex, const char *text, size_t size)
{
    pcre2_match_data *data;
    return run(regex, regex->whole, text, size, 0, 0, &data);
}

enum regex_result regex_find(const struct regex *regex, const char *text, size_t size,
                             size_t *ret_start, size_t *ret_end)
{
    pcre2_match_data *data;
    enum regex_result result = run(regex, regex->find, text, size, 0, 0, &data);
    if (result == REGEX_YES) {
        const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);
        if (ret_start) {
            *ret_start = offsets[0];
        }
        if (ret_end) {
            *ret_end = offsets[1];
        }
    }
    return result;
}

/* -- replacing: Matcher.appendExpandedReplacement -- */

static enum regex_result fail(struct regex_error *error, const char *java_class, const char *format,
                              ...) __attribute__((format(printf, 3, 4)));

static enum regex_result fail(struct regex_error *error, const char *java_class, const char *format,
                              ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    error->java_class = java_class;
    return REGEX_FAILED;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void append_group(const char *text, pcre2_match_data *data, uint32_t group,
                         struct buffer *out)
{
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);
    if (offsets[2 * group] != PCRE2_UNSET) {
        buffer_append(out, text + offsets[2 * group], offsets[2 * group + 1] - offsets[2 * group]);
    }
}

/** `{name}` behind a $; *next is moved behind it. */
static enum regex_result named_group(const struct regex *regex, const char **next,
                                     uint32_t *ret_group, struct regex_error *error)
{
    const char *name = *next + 1;
    size_t length = 0;
    while (is_letter(name[length]) || is_digit(name[length])) {
        length++;
    }
    if (length == 0) {
        return fail(error, ILLEGAL_ARGUMENT, "named capturing group has 0 length name");
    }
    if (name[length] != '}') {
        return fail(error, ILLEGAL_ARGUMENT, "named capturing group is missing trailing '}'");
    }
    if (is_digit(name[0])) {
        return fail(error, ILLEGAL_ARGUMENT,
                    "capturing group name {%.*s} starts with digit character", (int)length, name);
    }
    char key[64];
    int number = -1;
    if (length < sizeof(key)) {
        memcpy(key, name, length);
        key[length] = '\0';
        number = pcre2_substring_number_from_name(regex->find, (PCRE2_SPTR)key);
    }
    if (number < 0) {
        return fail(error, ILLEGAL_ARGUMENT, "No group with name {%.*s}", (int)length, name);
    }
    *ret_group = (uint32_t)number;
    *next = name + length + 1;
    return REGEX_YES;
}

/** Digits behind a $: as many as still name a group, at least one. */
static enum regex_result numbered_group(const struct regex *regex, const char **next,
                                        uint32_t *ret_group, struct regex_error *error)
{
    const char *p = *next;
    uint32_t group = (uint32_t)(*p++ - '0');
    while (is_digit(*p) && group * 10 + (uint32_t)(*p - '0') <= regex->groups) {
        group = group * 10 + (uint32_t)(*p++ - '0');
    }
    if (group > regex->groups) {
        return fail(error, "java.lang.IndexOutOfBoundsException", "No group %u", group);
    }
    *ret_group = group;
    *next = p;
    return REGEX_YES;
}

static enum regex_result append_replacement(const struct regex *regex, const char *text,
                                            pcre2_match_data *data, const char *replacement,
                                            struct buffer *out, struct regex_error *error)
{
    for (const char *p = replacement; *p;) {
        if (*p == '\\') {
            if (!p[1]) {
                return fail(error, ILLEGAL_ARGUMENT, "character to be escaped is missing");
            }
            buffer_append_char(out, p[1]);
            p += 2;
            continue;
        }
        if (*p != '$') {
            size_t plain = strcspn(p, "\\$");
            buffer_append(out, p, plain);
            p += plain;
            continue;
        }
        p++;
        uint32_t group = 0;
        enum regex_result result;
        if (!*p) {
            return fail(error, ILLEGAL_ARGUMENT, "Illegal group reference: group index is missing");
        }
        if (*p == '{') {
            result = named_group(regex, &p, &group, error);
        } else if (is_digit(*p)) {
            result = numbered_group(regex, &p, &group, error);
        } else {
            return fail(error, ILLEGAL_ARGUMENT, "Illegal group reference");
        }
        if (result != REGEX_YES) {
            return result;
        }
        append_group(text, data, group, out);
    }
    return REGEX_YES;
}

static enum regex_result replace(const struct regex *regex, const char *text, size_t size,
                                 const char *replacement, bool all, struct buffer *out,
                                 struct regex_error *error)
{
    size_t done = 0, at = 0;
    enum regex_result result = REGEX_NO;
    while (at <= size) {
        pcre2_match_data *data;
        enum regex_result found =
            run(regex, regex->find, text, size, at, at ? PCRE2_NO_UTF_CHECK : 0, &data);
        if (found == REGEX_LIMIT) {
            return found;
        }
        if (found == REGEX_NO) {
            break;
        }
        result = REGEX_YES;
        const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);
        size_t start = offsets[0], end = offsets[1];
        buffer_append(out, text + done, start - done);
        enum regex_result appended = append_replacement(regex, text, data, replacement, out, error);
        if (appended != REGEX_YES) {
            return appended;
        }
        done = end;
        if (!all) {
            break;
        }
        at = end;
        if (start == end) { /* as Matcher.find(): one character on behind an empty match */
            at++;
            while (at < size && ((unsigned char)text[at] & 0xC0) == 0x80) {
                at++;
            }
        }
    }
    buffer_append(out, text + done, size - done);
    if (out->failed) {
        return fail(error, "java.lang.OutOfMemoryError", "The replaced text is too long");
    }
    return result;
}

enum regex_result regex_replace_first(const struct regex *regex, const char *text, size_t size,
                                      const char *replacement, struct buffer *out,
                                      struct regex_error *error)
{
    return replace(regex, text ? text : "", size, replacement, false, out, error);
}

enum regex_result regex_replace_all(const struct regex *regex, const char *text, size_t size,
                                    const char *replacement, struct buffer *out,
                                    struct regex_error *error)
{
    return replace(regex, text ? text : "", size, replacement, true, out, error);
}
