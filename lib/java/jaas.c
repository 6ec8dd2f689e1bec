/* See jaas.h. The tokenizer is StreamTokenizer's, with what JaasConfig sets: `-`, `_`, `$` in words, C comments. */
#include "lib/java/jaas.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { OPTIONS_MAX = 200 };

/* TOKEN_OTHER: a character on its own, or a number, which Kafka takes for no text. */
enum token { TOKEN_END, TOKEN_TEXT, TOKEN_OTHER };

struct tokens {
    const char *at;
    enum token kind;
    char symbol; /* TOKEN_OTHER: the character, or 0 for a number */
    char *text;  /* owned; TOKEN_TEXT */
};

static bool is_space(char c)
{
    return c && (unsigned char)c <= ' ';
}

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80 ||
           c == '_' || c == '$' || is_digit(c);
}

static void drop_text(struct tokens *tokens)
{
    if (tokens->text) {
        explicit_bzero(tokens->text, strlen(tokens->text)); /* invariant 7 */
        free(tokens->text);
        tokens->text = NULL;
    }
}

/* Blanks and comments; a lone slash is StreamTokenizer's comment sign, too. */
static void skip(struct tokens *tokens)
{
    for (;;) {
        while (is_space(*tokens->at)) {
            tokens->at++;
        }
        if (*tokens->at != '/') {
            return;
        }
        if (tokens->at[1] == '*') {
            const char *end = strstr(tokens->at + 2, "*/");
            tokens->at = end ? end + 2 : tokens->at + strlen(tokens->at);
        } else {
            tokens->at += strcspn(tokens->at, "\r\n");
        }
    }
}

static char unescape(const char **at)
{
    char c = *(*at)++;
    switch (c) {
    case 'a':
        return '\a';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    default:
        break;
    }
    if (c < '0' || c > '7') {
        return c;
    }
    int code = c - '0';
    int digits = c <= '3' ? 2 : 1; /* at most \377 */
    while (digits-- > 0 && **at >= '0' && **at <= '7') {
        code = code * 8 + (*(*at)++ - '0');
    }
    return (char)code;
}

/* A quoted text ends at its quote, or with the line. */
static char *quoted(struct tokens *tokens)
{
    char quote = *tokens->at++;
    char *text = malloc(strlen(tokens->at) + 1);
    size_t size = 0;
    while (*tokens->at && *tokens->at != quote && *tokens->at != '\n' && *tokens->at != '\r') {
        char c = *tokens->at++;
        if (c == '\\' && *tokens->at) {
            c = unescape(&tokens->at);
        }
        if (text) {
            text[size++] = c;
        }
    }
    if (*tokens->at == quote) {
        tokens->at++;
    }
    if (text) {
        text[size] = '\0';
    }
    return text;
}

static void next(struct tokens *tokens)
{
    drop_text(tokens);
    skip(tokens);
    char c = *tokens->at;
    tokens->symbol = 0;
    if (c == '\0') {
        tokens->kind = TOKEN_END;
    } else if (c == '"' || c == '\'') {
        tokens->text = quoted(tokens);
        tokens->kind = tokens->text ? TOKEN_TEXT : TOKEN_OTHER;
    } else if (is_digit(c)) {
        tokens->kind = TOKEN_OTHER;
        tokens->at++;
        while ((*tokens->at >= '0' && *tokens->at <= '9') || *tokens->at == '.') {
            tokens->at++;
        }
    } else if (is_word(c)) {
        const char *start = tokens->at;
        while (is_word(*tokens->at)) {
            tokens->at++;
        }
        tokens->text = strndup(start, (size_t)(tokens->at - start));
        tokens->kind = tokens->text ? TOKEN_TEXT : TOKEN_OTHER;
    } else {
        tokens->kind = TOKEN_OTHER;
        tokens->symbol = c;
        tokens->at++;
    }
}

static char *take_text(struct tokens *tokens)
{
    char *text = tokens->text;
    tokens->text = NULL;
    return text;
}

static bool is_flag(const char *text)
{
    return strcasecmp(text, "required") == 0 || strcasecmp(text, "requisite") == 0 ||
           strcasecmp(text, "sufficient") == 0 || strcasecmp(text, "optional") == 0;
}

/* The last one given wins, as in a map. */
static bool put(struct jaas *jaas, char *name, char *value)
{
    for (size_t i = 0; i < jaas->option_count; i++) {
        if (strcmp(jaas->options[i].name, name) == 0) {
            explicit_bzero(jaas->options[i].value, strlen(jaas->options[i].value));
            free(jaas->options[i].value);
            free(name);
            jaas->options[i].value = value;
            return true;
        }
    }
    struct jaas_option *grown =
        realloc(jaas->options, (jaas->option_count + 1) * sizeof(*jaas->options));
    if (!grown || jaas->option_count >= OPTIONS_MAX) {
        jaas->options = grown ? grown : jaas->options;
        free(name);
        free(value);
        return false;
    }
    jaas->options = grown;
    jaas->options[jaas->option_count++] = (struct jaas_option){name, value};
    return true;
}

static int say(char *message, size_t size, const char *text)
{
    (void)snprintf(message, size, "%s", text);
    return -1;
}

static int read_options(struct tokens *tokens, struct jaas *jaas, char *message, size_t size)
{
    for (next(tokens); tokens->kind != TOKEN_END && tokens->symbol != ';'; next(tokens)) {
        char *name = take_text(tokens);
        next(tokens);
        bool has_equals = tokens->kind == TOKEN_OTHER && tokens->symbol == '=';
        if (has_equals) {
            next(tokens);
        }
        if (!has_equals || tokens->kind != TOKEN_TEXT || !name) {
            /* What stands for a name may be a piece of a value that lacks its quotes. */
            bool shown = name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "._") == strlen(name) && has_equals;
            (void)snprintf(message, size, "Value not specified for key '%s' in JAAS config%s",
                           shown ? name : "?",
                           has_equals ? "; values that are not words stand in quotes" : "");
            free(name);
            return -1;
        }
        if (!put(jaas, name, take_text(tokens))) {
            return say(message, size, "JAAS config has too many options");
        }
    }
    return tokens->kind == TOKEN_END
               ? say(message, size, "JAAS config entry not terminated by semi-colon")
               : 0;
}

static int parse(struct tokens *tokens, struct jaas *jaas, char *message, size_t size)
{
    next(tokens);
    if (tokens->kind == TOKEN_END) {
        return say(message, size, "Login module not specified in JAAS config");
    }
    if (tokens->kind != TOKEN_TEXT) {
        return say(message, size, "JAAS config does not begin with the class of a login module");
    }
    jaas->module = take_text(tokens);
    next(tokens);
    if (tokens->kind == TOKEN_END) {
        return say(message, size, "Login module control flag not specified in JAAS config");
    }
    if (tokens->kind != TOKEN_TEXT || !is_flag(tokens->text)) {
        return say(message, size, "Invalid login module control flag in JAAS config; it is one of "
                                  "required, requisite, sufficient, optional");
    }
    if (read_options(tokens, jaas, message, size) != 0) {
        return -1;
    }
    next(tokens);
    return tokens->kind == TOKEN_END
               ? 0
               : say(message, size, "JAAS config property contains more than one login module, "
                                    "should be 1 module");
}

int jaas_parse(const char *text, struct jaas *ret, char *message, size_t message_size)
{
    struct tokens tokens = {.at = text};
    *ret = (struct jaas){0};
    int result = parse(&tokens, ret, message, message_size);
    drop_text(&tokens);
    if (result != 0) {
        jaas_finish(ret);
    }
    return result;
}

const char *jaas_get(const struct jaas *jaas, const char *name)
{
    for (size_t i = 0; i < jaas->option_count; i++) {
        if (strcmp(jaas->options[i].name, name) == 0) {
            return jaas->options[i].value;
        }
    }
    return NULL;
}

void jaas_finish(struct jaas *jaas)
{
    for (size_t i = 0; jaas && i < jaas->option_count; i++) {
        explicit_bzero(jaas->options[i].value, strlen(jaas->options[i].value)); /* invariant 7 */
        free(jaas->options[i].name);
        free(jaas->options[i].value);
    }
    if (jaas) {
        free(jaas->module);
        free(jaas->options);
        *jaas = (struct jaas){0};
    }
}
