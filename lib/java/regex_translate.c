/* Pattern's grammar: alternatives, groups, quantifiers, atoms. */
#include "lib/java/regex_translate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/regex_parser.h"

#define REPETITION_MAX 65535 /* PCRE's */
#define UNBOUNDED (-1)

#define LINE_ENDS "\\n\\r\\x{85}\\x{2028}\\x{2029}"
#define NEGATED_LINE_END "[^" LINE_ENDS "]"
#define ANY_LINE_END "(?:\\z|(?=[\\r\\x{85}\\x{2028}\\x{2029}])|(?<!\\r)(?=\\n))"
#define LINE_START "(?:\\A|(?:(?<=[\\n\\x{85}\\x{2028}\\x{2029}])|(?<=\\r)(?!\\n))(?!\\z))"

static void expression(struct regex_parser *parser, bool behind);

static void emit(struct regex_parser *parser, const char *text)
{
    buffer_append_text(parser->out, text);
}

/* -- how long a match can be: Pattern's study() of its nodes -- */

/* Kinds of nodes, as far as their study() differs. */
enum node { NODE_CHAR, NODE_NOTHING, NODE_LINE_END, NODE_REFERENCE, NODE_ATOMIC, NODE_GROUP };

#define REPETITIONS_MAX UINT32_C(0x7FFFFFFF) /* Pattern.MAX_REPS */

static const struct regex_study nothing_read = {.valid = true, .deterministic = true};

static uint32_t study_length(const struct regex_study *study)
{
    return study->base + study->max;
}

static void study_leaf(struct regex_study *study, enum node node)
{
    study->max += node == NODE_LINE_END ? 2 : node == NODE_CHAR;
    study->valid = study->valid && node != NODE_REFERENCE;
}

/* One node behind another, or those of a group that is not repeated. */
static void study_append(struct regex_study *study, const struct regex_study *next)
{
    if (next->base > 0) {
        study->base += study->max + next->base;
        study->max = next->max;
    } else {
        study->max += next->max;
    }
    study->valid = study->valid && next->valid;
    study->deterministic = study->deterministic && next->deterministic;
}

/* Curly and GroupCurly: the atom so many times. */
static void study_curly(struct regex_study *study, const struct regex_study *atom, int min, int max)
{
    uint32_t most = max == UNBOUNDED ? REPETITIONS_MAX : (uint32_t)max;
    uint32_t length = study_length(atom) * most + study->max;
    study->valid = study->valid && atom->valid && (int32_t)length >= (int32_t)study->max;
    study->max = length;
    study->deterministic = study->deterministic && atom->deterministic && min == max;
}

/* Branch: what comes behind is reckoned from zero and added. */
static void study_branch(struct regex_study *study, uint32_t most, bool valid)
{
    study->base += study->max + most;
    study->max = 0;
    study->valid = study->valid && valid;
    study->deterministic = false;
}

/* An atom with its quantifier, mode 0, `?` or `+`. star: it was written * or +. */
static void study_quantified(struct regex_study *study, enum node node,
                             const struct regex_study *atom, int min, int max, int32_t mode,
                             bool star)
{
    bool optional = min == 0 && max == 1;
    if (node == NODE_GROUP && mode != '+' && optional && star) {
        uint32_t length = study_length(atom);
        study_branch(study, (int32_t)length > 0 ? length : 0, atom->valid);
    } else if (node == NODE_GROUP && mode != '+' && !atom->deterministic) {
        study->valid = study->deterministic = false; /* a Loop */
    } else if (optional && star) { /* Ques */
        study->max += study_length(atom);
        study->valid = study->valid && atom->valid;
        study->deterministic = false;
    } else if (node == NODE_CHAR && star && mode == 0) { /* CharPropertyGreedy */
        study->max += study->valid ? REPETITIONS_MAX : 0;
        study->deterministic = false;
    } else {
        study_curly(study, atom, min, max);
    }
}

/* -- atoms -- */

static enum node escaped_node(int32_t letter)
{
    return letter >= '1' && letter <= '9'                                 ? NODE_REFERENCE
           : letter == 'k'                                                ? NODE_REFERENCE
           : letter == 'R'                                                ? NODE_LINE_END
           : letter > 0 && letter < 128 && strchr("bBAGzZX", (char)letter) ? NODE_NOTHING
                                                                          : NODE_CHAR;
}

static void escaped_atom(struct regex_parser *parser)
{
    int32_t letter = parser->text[parser->cursor + 1];
    if (letter == 'p' || letter == 'P') {
        regex_next_escaped(parser);
        regex_property(parser);
        return;
    }
    const char *items = NULL;
    bool negated = false;
    int32_t c = regex_escape(parser, false, false, &items, &negated);
    if (c == ESCAPE_CLASS) {
        regex_predefined(parser, items, negated);
    } else if (c != ESCAPE_DONE) {
        regex_literal(parser, c);
    }
}

static void dollar(struct regex_parser *parser)
{
    bool unix_lines = parser->flags & FLAG_UNIX_LINES;
    if (parser->flags & FLAG_MULTILINE) {
        emit(parser, unix_lines ? "(?:(?=\\n)|\\z)" : ANY_LINE_END);
    } else {
        emit(parser, unix_lines ? "(?:\\z|(?=\\n\\z))" : LAST_LINE_END);
    }
}

static void caret(struct regex_parser *parser)
{
    if (!(parser->flags & FLAG_MULTILINE)) {
        emit(parser, "(?:\\A)");
    } else {
        emit(parser, parser->flags & FLAG_UNIX_LINES ? "(?:\\A|(?<=\\n)(?!\\z))" : LINE_START);
    }
}

static void dot(struct regex_parser *parser)
{
    if (parser->flags & FLAG_DOTALL) {
        emit(parser, "(?s:.)");
    } else {
        emit(parser, parser->flags & FLAG_UNIX_LINES ? "[^\\n]" : NEGATED_LINE_END);
    }
}

/* -- quantifiers -- */

/** {n}, {n,}, {n,m} behind the brace; the cursor is then behind the closing one. */
static void counted(struct regex_parser *parser, int *ret_min, int *ret_max)
{
    int32_t c = regex_skip(parser);
    if (!regex_is_digit(c)) {
        regex_fail(parser, "Illegal repetition");
    }
    int64_t counts[2] = {0, UNBOUNDED};
    do {
        counts[0] = counts[0] * 10 + (c - '0');
        if (counts[0] > INT32_MAX) {
            regex_fail(parser, "Illegal repetition range");
        }
    } while (regex_is_digit(c = regex_read(parser)));
    if (c == ',') {
        c = regex_read(parser);
        if (c != '}') {
            counts[1] = 0;
        }
        while (regex_is_digit(c)) {
            counts[1] = counts[1] * 10 + (c - '0');
            if (counts[1] > INT32_MAX) {
                regex_fail(parser, "Illegal repetition range");
            }
            c = regex_read(parser);
        }
    } else {
        counts[1] = counts[0];
    }
    if (c != '}') {
        regex_fail(parser, "Unclosed counted closure");
    }
    if (counts[1] != UNBOUNDED && counts[1] < counts[0]) {
        regex_fail(parser, "Illegal repetition range");
    }
    if (counts[0] > REPETITION_MAX || counts[1] > REPETITION_MAX) {
        regex_fail(parser, "Not supported here: more than %d repetitions", REPETITION_MAX);
    }
    *ret_min = (int)counts[0];
    *ret_max = (int)counts[1];
}

/**
 * A quantifier behind an atom, if one is there. behind: the atom begins an alternative of a
 * look-behind; where such a match begins is free, so its least count says it all (unless it is
 * possessive) and keeps the look-behind as fixed in length as PCRE wants it. start, groups: where
 * the atom begins in the output, and how many groups there were before it. Gives whether the next
 * atom still begins the alternative.
 */
static bool quantifier(struct regex_parser *parser, bool behind, size_t start, int groups,
                       enum node node, const struct regex_study *atom)
{
    int min, max;
    bool star = regex_peek(parser) != '{';
    switch (regex_peek(parser)) {
    case '?':
        min = 0;
        max = 1;
        regex_next(parser);
        break;
    case '*':
        min = 0;
        max = UNBOUNDED;
        regex_next(parser);
        break;
    case '+':
        min = 1;
        max = UNBOUNDED;
        regex_next(parser);
        break;
    case '{':
        counted(parser, &min, &max);
        break;
    default:
        study_append(&parser->study, atom);
        return false;
    }
    int32_t mode = regex_peek(parser);
    if (mode == '?' || mode == '+') {
        regex_next(parser);
    } else {
        mode = 0;
    }
    study_quantified(&parser->study, node, atom, min, max, mode, star || max == UNBOUNDED);
    if (max == 0 && parser->groups == groups && !parser->out->failed) {
        parser->out->size = start; /* nothing of it is left, not even a group to be counted */
        emit(parser, "(?:)");
        return behind;
    }
    if (behind && mode != '+') {
        buffer_printf(parser->out, "{%d}", min);
        return min == 0;
    }
    if (max == UNBOUNDED) {
        buffer_printf(parser->out, "{%d,}", min);
    } else {
        buffer_printf(parser->out, "{%d,%d}", min, max);
    }
    if (mode == '?' || mode == '+') {
        buffer_append_char(parser->out, (char)mode);
    }
    return false;
}

/* -- groups -- */

static unsigned flag_of(int32_t c)
{
    static const char letters[] = "idmsux";
    const char *found = c > 0 && c < 128 ? strchr(letters, (char)c) : NULL;
    if (c == 'U') {
        return FLAG_UNICODE_CLASS | FLAG_UNICODE_CASE;
    }
    return found ? 1u << (found - letters) : 0;
}

/** `(?..` with the cursor on the first flag: up to what is none. */
static void inline_flags(struct regex_parser *parser)
{
    bool off = false;
    for (int32_t c = regex_peek(parser);; c = regex_next(parser)) {
        if (c == 'c') {
            regex_fail(parser, "Not supported here: flag c (canonical equivalence)");
        }
        if (c == '-' && !off) {
            off = true;
        } else if (!flag_of(c)) {
            return;
        } else if (off) {
            parser->flags &= ~flag_of(c);
        } else {
            parser->flags |= flag_of(c);
        }
    }
}

static void begin_named_group(struct regex_parser *parser, int32_t first)
{
    char name[REGEX_NAME_MAX];
    regex_group_name(parser, first, name);
    if (regex_name_known(parser, name)) {
        regex_fail(parser, "Named capturing group <%s> is already defined", name);
    }
    buffer_append(&parser->names, name, strlen(name) + 1);
    parser->groups++;
    buffer_printf(parser->out, "(?<%s>", name);
}

/** What stands behind `(?`. False: flags only, the group is over. */
static bool begin_special_group(struct regex_parser *parser, bool *ret_behind, enum node *ret_node)
{
    int32_t c = regex_skip(parser);
    switch (c) {
    case ':':
    case '=':
    case '!':
    case '>':
        *ret_node = c == ':' ? NODE_GROUP : c == '>' ? NODE_ATOMIC : NODE_NOTHING;
        buffer_printf(parser->out, "(?%c", (char)c);
        return true;
    case '<':
        c = regex_read(parser);
        if (c == '=' || c == '!') {
            *ret_behind = true;
            *ret_node = NODE_NOTHING;
            buffer_printf(parser->out, "(?<%c", (char)c);
        } else {
            begin_named_group(parser, c);
        }
        return true;
    case '$':
    case '@':
        regex_fail(parser, "Unknown group type");
    default:
        parser->cursor--;
        inline_flags(parser);
        c = regex_read(parser);
        if (c == ')') {
            return false;
        }
        if (c != ':') {
            regex_fail(parser, "Unknown inline modifier");
        }
        emit(parser, "(?:");
        return true;
    }
}

/** A group with the cursor on its parenthesis. False: it was flags only, nothing to be repeated. */
static bool group(struct regex_parser *parser, enum node *ret_node, struct regex_study *ret_study)
{
    unsigned flags = parser->flags;
    bool behind = false;
    struct regex_study outer = parser->study;
    *ret_node = NODE_GROUP;
    if (regex_next(parser) == '?') {
        if (!begin_special_group(parser, &behind, ret_node)) {
            return false;
        }
    } else {
        parser->groups++;
        emit(parser, "(");
    }
    regex_enter(parser);
    parser->study = nothing_read;
    expression(parser, behind);
    regex_leave(parser);
    if (behind && !parser->study.valid) {
        regex_fail(parser, "Look-behind group does not have an obvious maximum length");
    }
    *ret_study = *ret_node == NODE_NOTHING ? nothing_read : parser->study;
    parser->study = outer;
    if (regex_read(parser) != ')') {
        regex_fail(parser, "Unclosed group");
    }
    parser->flags = flags;
    emit(parser, ")");
    return true;
}

/* -- sequences and alternatives -- */

/** One atom; false: flags, which cannot be repeated. */
static bool atom(struct regex_parser *parser, int32_t c, enum node *ret_node,
                 struct regex_study *ret_study)
{
    *ret_study = nothing_read;
    *ret_node = c == '\\'            ? escaped_node(parser->text[parser->cursor + 1])
                : strchr("^${", (int)(c > 0 && c < 128 ? c : 'a')) ? NODE_NOTHING
                                                                  : NODE_CHAR;
    study_leaf(ret_study, *ret_node);
    switch (c) {
    case '(':
        return group(parser, ret_node, ret_study);
    case '[':
        regex_class(parser);
        break;
    case '\\':
        escaped_atom(parser);
        break;
    case '^':
        regex_next(parser);
        caret(parser);
        break;
    case '$':
        regex_next(parser);
        dollar(parser);
        break;
    case '.':
        regex_next(parser);
        dot(parser);
        break;
    case '?':
    case '*':
    case '+':
        regex_next(parser);
        regex_fail(parser, "Dangling meta character '%c'", (char)c);
    case '{': /* Java repeats the empty text before it */
        emit(parser, "(?:)");
        break;
    default:
        regex_next(parser);
        regex_literal(parser, c);
    }
    return true;
}

static void sequence(struct regex_parser *parser, bool behind)
{
    for (;;) {
        int32_t c = regex_peek(parser);
        if (c == '|' || c == ')' || (c == 0 && parser->cursor >= parser->size)) {
            return;
        }
        size_t start = parser->out->size;
        int groups = parser->groups;
        enum node node;
        struct regex_study study;
        if (atom(parser, c, &node, &study)) {
            behind = quantifier(parser, behind, start, groups, node, &study);
        }
    }
}

static void expression(struct regex_parser *parser, bool behind)
{
    sequence(parser, behind);
    if (regex_peek(parser) != '|') {
        return;
    }
    uint32_t most = study_length(&parser->study);
    bool valid = parser->study.valid;
    while (regex_peek(parser) == '|') {
        regex_next(parser);
        emit(parser, "|");
        parser->study = nothing_read;
        sequence(parser, behind);
        uint32_t length = study_length(&parser->study);
        most = (int32_t)length > (int32_t)most ? length : most;
        valid = valid && parser->study.valid;
    }
    parser->study = nothing_read;
    study_branch(&parser->study, most, valid);
}

/* -- the whole -- */

static int translate(struct regex_parser *parser)
{
    if (setjmp(parser->failed)) {
        return -1;
    }
    parser->cursor = parser->depth = parser->groups = 0;
    parser->flags = 0;
    parser->study = nothing_read;
    buffer_reset(&parser->names);
    expression(parser, false);
    if (parser->cursor != parser->size) {
        regex_fail(parser, regex_peek(parser) == ')' ? "Unmatched closing ')'"
                                                     : "Unexpected internal error");
    }
    if (parser->out->failed) {
        regex_fail(parser, "Not supported here: the pattern is too long");
    }
    return 0;
}

int regex_translate(const char *pattern, struct buffer *out, struct regex_error *error)
{
    struct regex_parser parser = {.pattern = pattern, .out = out, .error = error};
    int result = -1;
    if (strlen(pattern) > REGEX_PATTERN_MAX || !regex_load(&parser)) {
        error->java_class = "java.util.regex.PatternSyntaxException";
        snprintf(error->message, sizeof(error->message), "Pattern is longer than %d bytes",
                 REGEX_PATTERN_MAX);
        goto out;
    }
    buffer_init(&parser.names, REGEX_PATTERN_MAX * 2);
    result = translate(&parser);
    if (result == 0) { /* again, now that references to groups that are nowhere can be told */
        parser.total_groups = parser.groups;
        buffer_reset(out);
        result = translate(&parser);
    }
out:
    free(parser.text);
    buffer_finish(&parser.names);
    return result;
}
