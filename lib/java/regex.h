/*
 * java.util.regex on PCRE2. A pattern is read by Java's rules and written anew for PCRE2, so that
 * what differs between the dialects (classes with && and nesting, flags, line ends, case folding,
 * \b, properties, escapes) means what it means in Java, and errors are Java's own. What cannot be
 * translated is refused with a sentence that says so.
 *
 * Texts are UTF-8 and need not be checked before: malformed ones match nothing. Work per call is
 * limited: a pattern that backtracks without end gives REGEX_LIMIT instead of hanging.
 * A compiled pattern is constant: [any thread], all at once; scratch memory is kept per thread.
 */
#ifndef LIB_JAVA_REGEX_H
#define LIB_JAVA_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/buffer.h"

struct regex;

/** Longest pattern that is taken, in bytes. */
#define REGEX_PATTERN_MAX 65536

struct regex_error {
    const char *java_class; /* static */
    char message[512];      /* as the exception's getMessage(), cut where longer */
};

enum regex_result {
    REGEX_NO = 0,
    REGEX_YES = 1,
    REGEX_LIMIT = -1,  /* gave up: the pattern takes too many steps on this text */
    REGEX_FAILED = -2, /* replacing only: error is filled */
};

/** Compiles Pattern.compile(pattern, 0). -1 with error: PatternSyntaxException as a rule. */
int regex_create(const char *pattern, struct regex **ret_regex, struct regex_error *error);
/** NULL is fine. */
void regex_destroy(struct regex *regex);

/** Matcher.matches(): the whole text. */
enum regex_result regex_matches(const struct regex *regex, const char *text, size_t size);
/** Matcher.find(): anywhere. *ret_start, *ret_end (may be NULL): the first match, in bytes. */
enum regex_result regex_find(const struct regex *regex, const char *text, size_t size,
                             size_t *ret_start, size_t *ret_end);

/**
 * Matcher.replaceFirst(), replaceAll(): appends the result to out, whose cap bounds it. Replacement
 * in Java's syntax: $1, ${name}, \x for x. REGEX_NO: no match, the text is appended as it is.
 * REGEX_FAILED with Java's exception: `No group 2` (IndexOutOfBoundsException), .. .
 */
enum regex_result regex_replace_first(const struct regex *regex, const char *text, size_t size,
                                      const char *replacement, struct buffer *out,
                                      struct regex_error *error);
enum regex_result regex_replace_all(const struct regex *regex, const char *text, size_t size,
                                    const char *replacement, struct buffer *out,
                                    struct regex_error *error);

#endif
