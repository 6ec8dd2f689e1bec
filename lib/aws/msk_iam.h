/*
 * The token by which Amazon MSK knows an IAM identity over SASL/OAUTHBEARER: a presigned
 * `kafka-cluster:Connect`, as AWS's own signers make it (aws-msk-iam-sasl-signer). Pure: the clock
 * is an argument. [any thread]
 */
#ifndef LIB_AWS_MSK_IAM_H
#define LIB_AWS_MSK_IAM_H

#include <stdint.h>

#include "lib/aws/credentials.h"
#include "lib/util/buffer.h"

enum { MSK_IAM_LIFE_S = 900, MSK_IAM_TOKEN_MAX = 32 << 10 };

/**
 * Writes the token into *ret_token (reset first). *ret_expires: seconds since 1970; 900 s from now,
 * or when the credentials expire, where that is sooner. -1: no memory, or names that are too long.
 */
int msk_iam_token(const char *region, const struct aws_credentials *credentials, int64_t now,
                  struct buffer *ret_token, int64_t *ret_expires) __attribute__((warn_unused_result));

#endif
