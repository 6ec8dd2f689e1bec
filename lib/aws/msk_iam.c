#include "lib/aws/msk_iam.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/aws/sigv4.h"

#ifndef SLUICE_VERSION
#define SLUICE_VERSION "0"
#endif

/* RFC 4648 section 5, without padding. */
static int append_base64url(struct buffer *to, const struct buffer *from)
{
    size_t size = (from->size + 2) / 3 * 4;
    unsigned char *text = malloc(size + 1);
    int written = text ? EVP_EncodeBlock(text, (unsigned char *)from->data, (int)from->size) : 0;
    while (written > 0 && text[written - 1] == '=') {
        written--;
    }
    for (int i = 0; i < written; i++) {
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    }
    int result = written > 0 ? buffer_append(to, text, (size_t)written) : -1;
    if (text) {
        explicit_bzero(text, size); /* invariant 7 */
    }
    free(text);
    return result;
}

int msk_iam_token(const char *region, const struct aws_credentials *credentials, int64_t now,
                  struct buffer *ret_token, int64_t *ret_expires)
{
    char host[128];
    const char *end = strncmp(region, "cn-", 3) == 0 ? ".cn" : "";
    int length = snprintf(host, sizeof(host), "kafka.%s.amazonaws.com%s", region, end);
    buffer_reset(ret_token);
    if (length < 0 || (size_t)length >= sizeof(host)) {
        return -1;
    }
    const struct sigv4_pair query[] = {{"Action", "kafka-cluster:Connect"}};
    const struct sigv4_pair headers[] = {{"host", host}};
    const struct sigv4_request request = {"GET", "/", query, 1, headers, 1, SIGV4_EMPTY_PAYLOAD,
                                          now};
    struct sigv4_signer signer;
    struct buffer signed_query, url;
    buffer_init(&signed_query, MSK_IAM_TOKEN_MAX);
    buffer_init(&url, MSK_IAM_TOKEN_MAX);
    sigv4_signer_init(&signer, region, "kafka-cluster");
    int result = sigv4_presign(&signer, credentials->access_key, credentials->secret_key,
                               credentials->token, MSK_IAM_LIFE_S, &request, &signed_query);
    sigv4_signer_finish(&signer);
    if (result == 0) {
        /* The user agent is appended behind the signature: it is not signed. */
        result = buffer_printf(&url, "https://%s/?%s&User-Agent=sluice%%2F%s", host,
                               signed_query.data, SLUICE_VERSION);
        result = result == 0 ? append_base64url(ret_token, &url) : result;
    }
    buffer_finish(&signed_query);
    buffer_finish(&url);
    *ret_expires = now + MSK_IAM_LIFE_S;
    if (credentials->expires != AWS_NEVER_EXPIRES && credentials->expires < *ret_expires) {
        *ret_expires = credentials->expires;
    }
    return result;
}
