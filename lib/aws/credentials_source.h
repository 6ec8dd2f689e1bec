/* The sources of credentials, each a blocking fetch; inside lib/aws only. */
#ifndef LIB_AWS_CREDENTIALS_SOURCE_H
#define LIB_AWS_CREDENTIALS_SOURCE_H

#include "lib/aws/credentials.h"

enum aws_fetch {
    AWS_FETCHED,
    AWS_NOT_HERE,  /* this source is not configured: ask the next */
    AWS_FAILED,    /* it is, but gives nothing: message says why */
};

enum aws_fetch aws_fetch_environment(struct aws_credentials *ret, char *message, size_t size);
/* profile NULL: AWS_PROFILE or default. region: for roles named in the profile. */
enum aws_fetch aws_fetch_profile(const char *profile, const char *region,
                                 struct aws_credentials *ret, char *message, size_t size);
enum aws_fetch aws_fetch_web_identity(const char *region, const char *sts_endpoint,
                                      struct aws_credentials *ret, char *message, size_t size);
enum aws_fetch aws_fetch_container(struct aws_credentials *ret, char *message, size_t size);
enum aws_fetch aws_fetch_instance(struct aws_credentials *ret, char *message, size_t size);

/* Region of a profile, of this instance; false where there is none. */
bool aws_fetch_profile_region(const char *profile, char *region, size_t size);
bool aws_fetch_instance_region(char *region, size_t size);

struct aws_role {
    const char *arn, *external_id, *session_name, *region, *endpoint;
    int duration_seconds; /* 0: 3600 */
};
/* base: who asks; NULL for web identity, whose token is in the file token_file. */
enum aws_fetch aws_fetch_role(const struct aws_role *role, const struct aws_credentials *base,
                              const char *token_file, struct aws_credentials *ret, char *message,
                              size_t size);

/* Copies a text that must fit; false: too long, message says what. */
bool aws_credentials_set(char *field, size_t field_size, const char *value);
/* The JSON that container, instance and credential_process give; token_name is "Token" or
 * "SessionToken". */
enum aws_fetch aws_credentials_json(const char *json, size_t json_size, const char *token_name,
                                    const char *from, struct aws_credentials *ret, char *message,
                                    size_t size);
/* 2026-11-24T02:00:00Z in seconds since 1970; 0: not understood. */
int64_t aws_parse_time(const char *text);
/* Whole text of a small file, at most max bytes, white space at its end dropped; NULL: errno. */
char *aws_read_file(const char *path, size_t max);

#endif
