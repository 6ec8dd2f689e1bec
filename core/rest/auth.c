#include "core/rest/auth.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/config/framework.h"
#include "lib/java/jaas.h"

#define LOGGER "sluice.rest"
#define EXTENSION "BasicAuthSecurityRestExtension"
#define MODULE "PropertyFileLoginModule"
#define SECTION "KafkaConnect"
#define FILE_KEY "java.security.auth.login.config"

struct rest_auth {
    struct properties users; /* name: password; none: everybody may enter */
};

/* -- the files -- */

static bool ends_with(const char *text, size_t size, const char *end)
{
    size_t tail = strlen(end);
    return size >= tail && memcmp(text + size - tail, end, tail) == 0 &&
           (size == tail || text[size - tail - 1] == '.');
}

/* Other extensions are code of the JVM's; they are told and left out. */
static bool is_wanted(const struct properties *worker)
{
    const char *list = properties_get(worker, "rest.extension.classes");
    struct framework_item item;
    bool wanted = false;
    for (const char *next = list; framework_next_item(&next, &item);) {
        if (ends_with(item.text, item.size, EXTENSION)) {
            wanted = true;
        } else if (item.size > 0) {
            log_warn(LOGGER, "rest.extension.classes: %.*s is not known here and not used",
                     (int)item.size, item.text);
        }
    }
    return wanted;
}

/* Owned by the caller; NULL: nobody names it. */
static char *jaas_path(const struct properties *worker)
{
    const char *path = properties_get(worker, FILE_KEY);
    if (path && *path) {
        return strdup(path);
    }
    const char *options = getenv("KAFKA_OPTS");
    const char *option = options ? strstr(options, "-D" FILE_KEY "=") : NULL;
    if (!option) {
        return NULL;
    }
    option += sizeof("-D" FILE_KEY "=") - 1;
    return strndup(option, strcspn(option, " \t\n\"'"));
}

/* Behind blanks and comments. */
static const char *skip_blanks(const char *text)
{
    for (;;) {
        if (isspace((unsigned char)*text)) {
            text++;
        } else if (*text == '#' || strncmp(text, "//", 2) == 0) {
            text += strcspn(text, "\n");
        } else if (strncmp(text, "/*", 2) == 0) {
            const char *end = strstr(text + 2, "*/");
            text = end ? end + 2 : text + strlen(text);
        } else {
            return text;
        }
    }
}

/* To the next of the bytes in `ends` that is neither in quotes nor in a comment. */
static const char *scan_to(const char *text, const char *ends)
{
    while (*text && !strchr(ends, *text)) {
        const char *next = skip_blanks(text);
        if (next != text) {
            text = next;
        } else if (*text == '"' || *text == '\'') {
            char quote = *text++;
            while (*text && *text != quote) {
                text += *text == '\\' && text[1] ? 2 : 1;
            }
            text += *text != '\0';
        } else {
            text++;
        }
    }
    return text;
}

/* What stands between the braces of a section; owned by the caller; NULL: there is none. */
static char *find_section(const char *text, const char *name)
{
    while (*(text = skip_blanks(text))) {
        size_t size = strcspn(text, " \t\r\n{;");
        const char *open = scan_to(text, "{");
        const char *close = *open ? scan_to(open + 1, "}") : open;
        if (!*close) {
            return NULL;
        }
        if (size == strlen(name) && memcmp(text, name, size) == 0) {
            return strndup(open + 1, (size_t)(close - open - 1));
        }
        text = skip_blanks(close + 1);
        text += *text == ';';
    }
    return NULL;
}

/* The `file` of the section's login module. Owned by the caller. */
static char *users_path(const char *path, struct error *error)
{
    char *data = NULL, *result = NULL, message[256] = "";
    size_t size = 0;
    struct jaas jaas = {0};
    if (properties_read_file(path, &data, &size, error) != 0) {
        return NULL;
    }
    char *section = find_section(data, SECTION);
    if (!section) {
        (void)error_set(error, ERROR_CONFIG, "%s has no section '" SECTION " { .. };'", path);
    } else if (jaas_parse(section, &jaas, message, sizeof(message)) != 0) {
        (void)error_set(error, ERROR_CONFIG, "%s, section " SECTION ": %s", path, message);
    } else if (!ends_with(jaas.module, strlen(jaas.module), MODULE)) {
        (void)error_set(error, ERROR_CONFIG,
                        "%s, section " SECTION ": the login module %s is not known here; " MODULE
                        " is",
                        path, jaas.module);
    } else if (!jaas_get(&jaas, "file") || !*jaas_get(&jaas, "file")) {
        (void)error_set(error, ERROR_CONFIG, "%s, section " SECTION ": Property Credentials file must be specified",
                        path);
    } else {
        result = strdup(jaas_get(&jaas, "file"));
    }
    jaas_finish(&jaas);
    free(section);
    free(data);
    return result;
}

int rest_auth_load(const struct properties *worker, struct rest_auth **ret_auth,
                   struct error *error)
{
    *ret_auth = NULL;
    if (!is_wanted(worker)) {
        return 0;
    }
    char *jaas = jaas_path(worker), *data = NULL;
    char *path = jaas ? users_path(jaas, error) : NULL;
    size_t size = 0;
    int result = -1;
    struct rest_auth *auth = calloc(1, sizeof(*auth));
    if (!auth) {
        abort();
    }
    if (!jaas) {
        (void)error_set(error, ERROR_CONFIG,
                        "rest.extension.classes asks for " EXTENSION ": " FILE_KEY
                        "=FILE (in the worker's file, or as -D in KAFKA_OPTS) has to name the JAAS "
                        "file with a section " SECTION);
    } else if (path && properties_read_file(path, &data, &size, error) == 0 &&
               properties_load(&auth->users, data, size, path, error) == 0) {
        result = 0;
        if (auth->users.count == 0) {
            log_warn(LOGGER, "%s has no users: everybody may use the admin API", path);
        }
    }
    if (data) {
        explicit_bzero(data, size);
    }
    free(data);
    free(path);
    free(jaas);
    if (result == 0) {
        *ret_auth = auth;
    } else {
        rest_auth_destroy(auth);
    }
    return result;
}

void rest_auth_destroy(struct rest_auth *auth)
{
    if (auth) {
        properties_finish(&auth->users);
        free(auth);
    }
}

/* -- a request -- */

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Owned by the caller; NULL: no base64. */
static char *decode(const char *text)
{
    char *out = malloc(strlen(text) + 1), *end = out;
    uint32_t bits = 0;
    int count = 0;
    for (; out && *text && *text != '='; text++) {
        int value = digit(*text);
        if (value < 0) {
            free(out);
            return NULL;
        }
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *end++ = (char)(bits >> count);
        }
    }
    if (out) {
        *end = '\0';
    }
    return out;
}

/* Takes as long wherever the texts differ. */
static bool equal(const char *a, const char *b)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    unsigned char different = a_size != b_size;
    for (size_t i = 0; i < a_size; i++) {
        different |= (unsigned char)(a[i] ^ b[b_size ? i % b_size : 0]);
    }
    return !different;
}

bool rest_auth_allows(const struct rest_auth *auth, const char *header)
{
    if (!auth || auth->users.count == 0) {
        return true;
    }
    if (!header || strncasecmp(header, "Basic ", 6) != 0) {
        return false;
    }
    char *pair = decode(header + 6 + strspn(header + 6, " "));
    char *colon = pair ? strchr(pair, ':') : NULL;
    bool allowed = false;
    if (colon) {
        *colon = '\0';
        const char *password = properties_get(&auth->users, pair);
        bool same = equal(colon + 1, password ? password : "");
        allowed = password && same;
    }
    if (pair) {
        explicit_bzero(pair, strlen(pair));
    }
    free(pair);
    return allowed;
}
