/* State of one translation, shared by regex_translate.c and the files it is made of. */
#ifndef LIB_JAVA_REGEX_PARSER_H
#define LIB_JAVA_REGEX_PARSER_H

#include <setjmp.h>
#include <stdint.h>

#include "lib/java/regex_translate.h"

#define REGEX_NAME_MAX 128

/* At the end, or before a line end that is the last; never between CR and LF. */
#define LAST_LINE_END                                                                              \
    "(?:\\z|(?=\\r\\n\\z)|(?=[\\r\\x{85}\\x{2028}\\x{2029}]\\z)|(?<!\\r)(?=\\n\\z))"

/** Pattern's flags, as `(?idmsuxU)` sets them. */
enum regex_flag {
    FLAG_CASE = 1 << 0,          /* i */
    FLAG_UNIX_LINES = 1 << 1,    /* d */
    FLAG_MULTILINE = 1 << 2,     /* m */
    FLAG_DOTALL = 1 << 3,        /* s */
    FLAG_UNICODE_CASE = 1 << 4,  /* u */
    FLAG_COMMENTS = 1 << 5,      /* x */
    FLAG_UNICODE_CLASS = 1 << 6, /* U */
};

/**
 * What Pattern.TreeInfo knows of nodes that were read: how long a match can be, in wrapping ints as
 * there. It alone decides which look-behinds Java takes. base: up to the last alternatives, whose
 * rest is reckoned anew from zero.
 */
struct regex_study {
    uint32_t base, max;
    bool valid; /* there is a greatest length */
    bool deterministic;
};

/**
 * The reader works as java.util.regex.Pattern does, over code points with zeros behind them and
 * a cursor, because the index in an error message is where that cursor stands.
 */
struct regex_parser {
    int32_t *text; /* \Q..\E taken out, zeros behind */
    int size;
    int cursor;
    unsigned flags;
    struct regex_study study; /* of the alternative that is read */
    int depth;           /* of groups and classes */
    int groups;          /* capturing groups begun so far */
    int total_groups;    /* of the whole pattern, known on the second pass */
    struct buffer names; /* of groups, each closed by a NUL */
    struct buffer *out;
    const char *pattern;
    struct regex_error *error;
    jmp_buf failed; /* where an error ends; nothing between holds memory */
};

/** Ends the translation with Java's message: `text near index <cursor - 1>`, pattern, caret. */
_Noreturn void regex_fail(struct regex_parser *parser, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Pattern's own reading functions, by the same names. */
int32_t regex_peek(struct regex_parser *parser);
int32_t regex_read(struct regex_parser *parser);
int32_t regex_next(struct regex_parser *parser);
int32_t regex_next_escaped(struct regex_parser *parser);
int32_t regex_skip(struct regex_parser *parser);

/** One deeper; ends the translation where it is too deep for the stack. */
void regex_enter(struct regex_parser *parser);
void regex_leave(struct regex_parser *parser);

/** What an escape was: a character, a class as items of `[..]`, or written to out already. */
enum { ESCAPE_DONE = -1, ESCAPE_CLASS = -2 };

/**
 * Reads an escape at the cursor. A character is returned; of ESCAPE_CLASS *ret_items is what goes
 * into
 * `[..]` (static), with *ret_negated. Within a class anchors and references are errors.
 */
int32_t regex_escape(struct regex_parser *parser, bool in_class, bool is_range,
                     const char **ret_items, bool *ret_negated);

/** `[..]` at the cursor, written to out as an expression for one character. */
void regex_class(struct regex_parser *parser);
/** `\p..` with the cursor on the p, written to out in the same way. */
void regex_property(struct regex_parser *parser);
/** One character of the pattern as it is. */
void regex_literal(struct regex_parser *parser, int32_t c);
/** A predefined class as one expression. */
void regex_predefined(struct regex_parser *parser, const char *items, bool negated);

/** Name of a group up to `>`; first is its first character. */
void regex_group_name(struct regex_parser *parser, int32_t first, char name[REGEX_NAME_MAX]);
/** Whether a group of that name has begun. */
bool regex_name_known(const struct regex_parser *parser, const char *name);

/** Loads parser->pattern into text, with \Q..\E taken out; false where memory is out. */
bool regex_load(struct regex_parser *parser);

static inline bool regex_is_digit(int32_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool regex_is_letter(int32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

#endif
