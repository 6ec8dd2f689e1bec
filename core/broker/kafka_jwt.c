/* JSON web tokens, as far as a client has to do with them: see kafka_token.h. Pure. */
#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/broker/kafka_token.h"
#include "lib/util/buffer.h"

enum { CLAIMS_MAX = 64 << 10 };

#define LIFE_MOST_S INT64_C(3153600000) /* a hundred years */

#define SECONDS_MOST 1e12 /* of a time in a token: it is somebody else's number */

static char *decode(const char *text, size_t size, size_t *ret_size)
{
    char *padded = malloc(size + 4);
    unsigned char *bytes = malloc(size + 4);
    int count = -1;
    if (padded && bytes && size > 0 && size <= CLAIMS_MAX) {
        for (size_t i = 0; i < size; i++) {
            padded[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
        }
        size_t full = size;
        while (full % 4 != 0) {
            padded[full++] = '=';
        }
        count = EVP_DecodeBlock(bytes, (unsigned char *)padded, (int)full);
        count -= count > 0 ? (int)(full - size) : 0;
    }
    free(padded);
    if (count < 0) {
        free(bytes);
        return NULL;
    }
    *ret_size = (size_t)count;
    return (char *)bytes;
}

bool kafka_jwt_read(const char *text, const char *subject, int64_t *ret_expires_ms, char *principal,
                    size_t size)
{
    const char *start = strchr(text, '.');
    const char *end = start ? strchr(start + 1, '.') : NULL;
    size_t length = 0;
    char *claims = end ? decode(start + 1, (size_t)(end - start - 1), &length) : NULL;
    json_t *object = claims ? json_loadb(claims, length, 0, NULL) : NULL;
    json_t *expires = json_object_get(object, "exp");
    const char *name = json_string_value(json_object_get(object, subject));
    double seconds = json_is_number(expires) ? json_number_value(expires) : 0;
    *ret_expires_ms = (int64_t)(fmin(fmax(seconds, -SECONDS_MOST), SECONDS_MOST) * 1000);
    (void)snprintf(principal, size, "%s", name ? name : "");
    bool good = json_is_object(object);
    json_decref(object);
    free(claims);
    return good;
}

/* -- unsecured ones, as OAuthBearerUnsecuredLoginCallbackHandler makes them -- */

static int append_base64(struct buffer *to, const char *text)
{
    size_t size = strlen(text);
    unsigned char *encoded = malloc((size + 2) / 3 * 4 + 1);
    int count = encoded ? EVP_EncodeBlock(encoded, (const unsigned char *)text, (int)size) : 0;
    while (count > 0 && encoded[count - 1] == '=') {
        count--;
    }
    for (int i = 0; i < count; i++) {
        encoded[i] = encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : encoded[i];
    }
    int result = count > 0 ? buffer_append(to, encoded, (size_t)count) : -1;
    free(encoded);
    return result;
}

/* The first character of a list claim separates its items. */
static json_t *list_of(const char *text)
{
    json_t *list = json_array();
    char separator[2] = {*text, '\0'};
    const char *p = *text ? text + 1 : text;
    while (*text) {
        size_t size = strcspn(p, separator);
        json_array_append_new(list, json_stringn(p, size));
        if (!p[size]) {
            break;
        }
        p += size + 1;
    }
    return list;
}

static int add_claims(json_t *claims, const struct jaas *jaas, char *message, size_t size)
{
    static const char text[] = "unsecuredLoginStringClaim_", number[] = "unsecuredLoginNumberClaim_",
                      list[] = "unsecuredLoginListClaim_";
    for (size_t i = 0; i < jaas->option_count; i++) {
        const struct jaas_option *option = &jaas->options[i];
        if (strncmp(option->name, text, sizeof(text) - 1) == 0) {
            json_object_set_new(claims, option->name + sizeof(text) - 1, json_string(option->value));
        } else if (strncmp(option->name, number, sizeof(number) - 1) == 0) {
            char *end;
            double value = strtod(option->value, &end);
            if (*end || end == option->value || !isfinite(value)) {
                (void)snprintf(message, size, "%s is no number", option->name);
                return -1;
            }
            json_object_set_new(claims, option->name + sizeof(number) - 1, json_real(value));
        } else if (strncmp(option->name, list, sizeof(list) - 1) == 0) {
            json_object_set_new(claims, option->name + sizeof(list) - 1, list_of(option->value));
        }
    }
    return 0;
}

char *kafka_jwt_unsecured(const struct jaas *jaas, int64_t now, int64_t *ret_expires_ms,
                          char *principal, size_t principal_size, char *message, size_t size)
{
    const char *life = jaas_get(jaas, "unsecuredLoginLifetimeSeconds");
    const char *named = jaas_get(jaas, "unsecuredLoginPrincipalClaimName");
    int64_t seconds = life ? strtoll(life, NULL, 10) : 3600;
    seconds = seconds <= 0 ? 3600 : seconds > LIFE_MOST_S ? LIFE_MOST_S : seconds;
    json_t *claims = json_pack("{s:I,s:I}", "iat", (json_int_t)now, "exp", (json_int_t)(now + seconds));
    struct buffer token;
    buffer_init(&token, CLAIMS_MAX);
    char *text = NULL, *result = NULL;
    if (add_claims(claims, jaas, message, size) == 0) {
        json_t *subject = json_object_get(claims, named ? named : "sub");
        if (!json_is_string(subject) || !*json_string_value(subject)) {
            (void)snprintf(message, size,
                           "sasl.jaas.config has no unsecuredLoginStringClaim_%s; for tokens of an "
                           "identity provider set sasl.oauthbearer.token.endpoint.url",
                           named ? named : "sub");
        } else {
            (void)snprintf(principal, principal_size, "%s", json_string_value(subject));
            *ret_expires_ms = (now + seconds) * 1000;
            text = json_dumps(claims, JSON_COMPACT);
        }
    }
    if (text && append_base64(&token, "{\"alg\":\"none\"}") == 0 &&
        buffer_append_char(&token, '.') == 0 && append_base64(&token, text) == 0 &&
        buffer_append_char(&token, '.') == 0) {
        result = buffer_take(&token);
    } else if (text) {
        (void)snprintf(message, size, "the claims in sasl.jaas.config are too long");
    }
    free(text);
    json_decref(claims);
    buffer_finish(&token);
    return result;
}
