/* What an S3 service answers: lists, errors, encoded keys. Nothing it sends may be read past its end. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/aws/reply.h"
#include "lib/aws/uri.h"
#include "lib/aws/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char key[256], text[700], escaped[64];
    struct http_reply reply = {.failure = HTTP_FINE, .status = size > 0 ? 200 + data[0] : 200};
    struct aws_fault fault;
    struct aws_url url;
    buffer_init(&reply.head, size + 1);
    buffer_init(&reply.body, size + 1);
    (void)buffer_append(&reply.head, data, size);
    (void)buffer_append(&reply.body, data, size);
    aws_classify(&reply, true, &fault);
    (void)aws_fault_text(&fault, text, sizeof(text));
    static const char *const names[] = {"Contents", "Upload", "Error"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *content = NULL;
        size_t cursor = 0, content_size = 0, before = 0;
        while (reply.body.data &&
               aws_xml_next(reply.body.data, reply.body.size, &cursor, names[i], &content, &content_size)) {
            if (cursor <= before || content < reply.body.data ||
                content + content_size > reply.body.data + reply.body.size) {
                abort();
            }
            before = cursor;
            if (aws_xml_text(content, content_size, "Key", key, sizeof(key))) {
                aws_uri_decode(key);
                (void)aws_xml_escape(key, escaped, sizeof(escaped));
                (void)aws_url_parse(key, &url);
            }
        }
    }
    http_reply_finish(&reply);
    return 0;
}
