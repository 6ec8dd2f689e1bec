#include "core/config/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/config/memory.h"
#include "lib/java/digits.h"
#include "lib/java/double_text.h"
#include "lib/java/regex.h"

#define HIDDEN "[hidden]"

/* -- texts -- */

char *format_text(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int length = vasprintf(&text, format, args);
    va_end(args);
    return memory_checked(length < 0 ? NULL : text);
}

/* `Invalid value x for configuration name: message`; value NULL is printed as null. */
static char *invalid_value(const char *name, const char *value, const char *message)
{
    return format_text("Invalid value %s for configuration %s: %s", value ? value : "null", name,
                       message);
}

/** String.trim(): everything up to U+0020 at both ends. */
static char *trimmed(const char *text)
{
    while (*text && (unsigned char)*text <= ' ') {
        text++;
    }
    size_t size = strlen(text);
    while (size > 0 && (unsigned char)text[size - 1] <= ' ') {
        size--;
    }
    return memory_checked(strndup(text, size));
}

/** Items put together, with separators and brackets as wanted. */
static char *join(const struct value *value, const char *open, const char *separator,
                  const char *close)
{
    size_t size = strlen(open) + strlen(close) + 1;
    for (size_t i = 0; i < value->item_count; i++) {
        size += strlen(value->items[i]) + strlen(separator);
    }
    char *text = memory_zeroed(size, 1), *end = stpcpy(text, open);
    for (size_t i = 0; i < value->item_count; i++) {
        end = stpcpy(stpcpy(end, i ? separator : ""), value->items[i]);
    }
    stpcpy(end, close);
    return text;
}

/* -- numbers -- */

/** Integer.parseInt and its kin: a sign, digits of any script, nothing else; within the type's range. */
static bool parse_integer(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = *text == '-';
    const char *p = text + (negative || *text == '+'), *end = p + strlen(p);
    bool good = p < end;
    int64_t value = 0;
    for (size_t step; good && p < end; p += step) {
        int digit = java_digit(p, (size_t)(end - p), &step);
        good = digit >= 0 && !__builtin_mul_overflow(value, 10, &value) &&
               !(negative ? __builtin_sub_overflow(value, digit, &value)
                          : __builtin_add_overflow(value, digit, &value));
    }
    *ret = value;
    return good && value >= min && value <= max;
}

/** Double.parseDouble: NaN, Infinity, decimal and hexadecimal numbers with an optional f or d. */
static bool parse_real(const char *text, double *ret)
{
    const char *p = text + (*text == '-' || *text == '+');
    if (strcmp(p, "NaN") == 0 || strcmp(p, "Infinity") == 0) {
        *ret = *p == 'N' ? (double)NAN : *text == '-' ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
    const char *digits = hex ? "0123456789abcdefABCDEF" : "0123456789";
    p += hex ? 2 : 0;
    size_t count = strspn(p, digits);
    p += count;
    if (*p == '.') {
        size_t fraction = strspn(p + 1, digits);
        p += 1 + fraction;
        count += fraction;
    }
    if (count == 0) {
        return false;
    }
    bool exponent = hex ? *p == 'p' || *p == 'P' : *p == 'e' || *p == 'E';
    if (exponent) {
        p++;
        p += *p == '-' || *p == '+';
        size_t length = strspn(p, "0123456789");
        if (length == 0) {
            return false;
        }
        p += length;
    } else if (hex) {
        return false; /* Java demands the exponent */
    }
    const char *end = p;
    if (*p && strchr("fFdD", *p)) {
        p++;
    }
    if (*p) {
        return false;
    }
    char *number = memory_checked(strndup(text, (size_t)(end - text)));
    *ret = strtod(number, NULL);
    free(number);
    return true;
}

/* -- parsing -- */

static bool is_space(char c)
{
    return c && strchr(" \t\n\v\f\r", c);
}

/** Splits trimmed text on commas with the blanks around them; empty items are kept. */
static void split_list(struct value *value)
{
    const char *p = value->text;
    if (!*p) {
        return;
    }
    size_t room = 1;
    for (const char *q = p; *q; q++) {
        room += *q == ',';
    }
    value->items = memory_zeroed(room, sizeof(*value->items));
    for (;;) {
        size_t size = strcspn(p, ",");
        const char *next = p + size;
        while (size > 0 && is_space(p[size - 1])) {
            size--;
        }
        value->items[value->item_count++] = memory_checked(strndup(p, size));
        if (!*next) {
            return;
        }
        p = next + 1;
        while (is_space(*p)) {
            p++;
        }
    }
}

void value_finish(struct value *value)
{
    for (size_t i = 0; i < value->item_count; i++) {
        free(value->items[i]);
    }
    free(value->items);
    free(value->text);
    *value = (struct value){.null = true};
}

char *value_parse(struct value *value, enum sluice_option_type type, const char *name,
                  const char *text)
{
    *value = (struct value){.null = !text};
    if (!text) {
        return NULL;
    }
    const char *wrong = NULL;
    value->text = trimmed(text);
    switch (type) {
    case SLUICE_OPTION_BOOLEAN:
        value->boolean = strcasecmp(value->text, "true") == 0;
        if (!value->boolean && strcasecmp(value->text, "false") != 0) {
            wrong = "Expected value to be either true or false";
        }
        break;
    case SLUICE_OPTION_INT:
        if (!parse_integer(value->text, INT32_MIN, INT32_MAX, &value->integer)) {
            wrong = "Not a number of type INT";
        }
        break;
    case SLUICE_OPTION_SHORT:
        if (!parse_integer(value->text, INT16_MIN, INT16_MAX, &value->integer)) {
            wrong = "Not a number of type SHORT";
        }
        break;
    case SLUICE_OPTION_LONG:
        if (!parse_integer(value->text, INT64_MIN, INT64_MAX, &value->integer)) {
            wrong = "Not a number of type LONG";
        }
        break;
    case SLUICE_OPTION_DOUBLE:
        if (!parse_real(value->text, &value->real)) {
            wrong = "Not a number of type DOUBLE";
        }
        break;
    case SLUICE_OPTION_LIST:
        split_list(value);
        break;
    case SLUICE_OPTION_STRING:
    case SLUICE_OPTION_CLASS:
    case SLUICE_OPTION_PASSWORD:
        break;
    }
    if (!wrong) {
        return NULL;
    }
    value_finish(value);
    return invalid_value(name, text, wrong);
}

char *config_value_text(const struct value *value, enum sluice_option_type type)
{
    if (value->null) {
        return NULL;
    }
    char real[JAVA_DOUBLE_TEXT_SIZE];
    switch (type) {
    case SLUICE_OPTION_BOOLEAN:
        return memory_text(value->boolean ? "true" : "false");
    case SLUICE_OPTION_INT:
    case SLUICE_OPTION_SHORT:
    case SLUICE_OPTION_LONG:
        return format_text("%lld", (long long)value->integer);
    case SLUICE_OPTION_DOUBLE:
        java_double_text(value->real, real);
        return memory_text(real);
    case SLUICE_OPTION_LIST:
        return join(value, "", ",", "");
    case SLUICE_OPTION_PASSWORD:
        return memory_text(HIDDEN); /* invariant 7: a secret is never returned */
    case SLUICE_OPTION_STRING:
    case SLUICE_OPTION_CLASS:
        break;
    }
    return memory_text(value->text);
}

/* -- validators -- */

static bool is_number(enum sluice_option_type type)
{
    return type == SLUICE_OPTION_INT || type == SLUICE_OPTION_SHORT || type == SLUICE_OPTION_LONG ||
           type == SLUICE_OPTION_DOUBLE;
}

/** Sentence of a failed validator about the whole value, as Java's toString prints it. */
static char *refuse(const struct value *value, enum sluice_option_type type, const char *name,
                    const char *message)
{
    char *shown = value->null || type != SLUICE_OPTION_LIST ? config_value_text(value, type)
                                                            : join(value, "[", ", ", "]");
    char *sentence = invalid_value(name, shown, message);
    free(shown);
    return sentence;
}

static char *check_range(const struct value *value, const struct sluice_option *option,
                         const char *name)
{
    if (!is_number(option->type)) {
        return NULL;
    }
    if (value->null) {
        return refuse(value, option->type, name, "Value must be non-null");
    }
    bool real = option->type == SLUICE_OPTION_DOUBLE;
    bool low = real ? value->real < (double)option->min : value->integer < option->min;
    bool high = real ? value->real > (double)option->max : value->integer > option->max;
    if (!(option->min != INT64_MIN && low) && !(option->max != INT64_MAX && high)) {
        return NULL;
    }
    char *message = low ? format_text("Value must be at least %lld", (long long)option->min)
                        : format_text("Value must be no more than %lld", (long long)option->max);
    char *sentence = refuse(value, option->type, name, message);
    free(message);
    return sentence;
}

static bool one_of(const struct sluice_option *option, const char *text)
{
    bool any_case = option->valid == SLUICE_VALID_ONE_OF_ANY_CASE;
    for (const char *const *choice = option->values; choice && *choice; choice++) {
        if ((any_case ? strcasecmp(*choice, text) : strcmp(*choice, text)) == 0) {
            return true;
        }
    }
    return false;
}

static char *check_one_of(const struct value *value, const struct sluice_option *option,
                          const char *name)
{
    const char *culprit = NULL;
    bool bad = false;
    if (option->type == SLUICE_OPTION_LIST) {
        for (size_t i = 0; i < value->item_count && !bad; i++) {
            bad = !one_of(option, value->items[i]);
            culprit = value->items[i];
        }
    } else {
        bad = value->null || !one_of(option, value->text);
        culprit = value->text;
    }
    if (!bad) {
        return NULL;
    }
    struct value choices = {.items = (char **)option->values};
    while (option->values && option->values[choices.item_count]) {
        choices.item_count++;
    }
    char *message =
        join(&choices,
             option->valid == SLUICE_VALID_ONE_OF ? "String must be one of: "
                                                  : "String must be one of (case insensitive): ",
             ", ", "");
    char *sentence = invalid_value(
        name, option->type == SLUICE_OPTION_PASSWORD && culprit ? HIDDEN : culprit, message);
    free(message);
    return sentence;
}

static char *check_regex(const struct value *value, const struct sluice_option *option,
                         const char *name)
{
    struct regex *regex = NULL;
    struct regex_error error;
    if (value->null) {
        /* What the JVM says of the null that Pattern.compile is given there. */
        return refuse(value, option->type, name,
                      "Invalid regex: Cannot invoke \"String.isEmpty()\" because \"this.pattern\" "
                      "is null");
    }
    if (regex_create(value->text, &regex, &error) == 0) {
        regex_destroy(regex);
        return NULL;
    }
    char *message = format_text("Invalid regex: %s", error.message);
    char *sentence = refuse(value, option->type, name, message);
    free(message);
    return sentence;
}

char *value_check(const struct value *value, const struct sluice_option *option, const char *name)
{
    char message[1024] = "";
    switch (option->valid) {
    case SLUICE_VALID_ANY:
        break;
    case SLUICE_VALID_RANGE:
        return check_range(value, option, name);
    case SLUICE_VALID_ONE_OF:
    case SLUICE_VALID_ONE_OF_ANY_CASE:
        return check_one_of(value, option, name);
    case SLUICE_VALID_NON_EMPTY:
        return !value->null && !*value->text
                   ? refuse(value, option->type, name, "String must be non-empty")
                   : NULL;
    case SLUICE_VALID_NON_EMPTY_LIST:
        return value->item_count == 0 ? refuse(value, option->type, name, "Empty list") : NULL;
    case SLUICE_VALID_REGEX:
        return check_regex(value, option, name);
    case SLUICE_VALID_CUSTOM:
        if (option->check && !option->check(name, value->text, message, sizeof(message))) {
            message[sizeof(message) - 1] = '\0';
            return message[0] ? memory_text(message) : refuse(value, option->type, name, "invalid");
        }
    }
    return NULL;
}
