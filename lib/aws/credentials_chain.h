/* Which sources are asked, in which order; inside lib/aws only. */
#ifndef LIB_AWS_CREDENTIALS_CHAIN_H
#define LIB_AWS_CREDENTIALS_CHAIN_H

#include "lib/aws/credentials_source.h"

struct aws_chain {
    enum aws_source source;
    struct aws_credentials fixed; /* AWS_SOURCE_STATIC */
    char *profile, *region, *role_arn, *role_external_id, *role_session_name, *sts_endpoint;
};

/* Copies the options. False with a message. */
bool aws_chain_init(struct aws_chain *chain, const struct aws_credentials_options *options,
                    char *message, size_t size);
void aws_chain_finish(struct aws_chain *chain);
/*
 * Blocking. name: which source gave them. The default chain settles on it, as the Java SDK's does: one
 * that fails later is not replaced by another, which may be somebody else.
 */
bool aws_chain_fetch(struct aws_chain *chain, struct aws_credentials *ret, char *name,
                     size_t name_size, char *message, size_t size);

#endif
