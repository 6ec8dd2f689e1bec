/*
 * AWS credentials: where they come from, and keeping them fresh. The order of the default chain is
 * that of the Java SDK v2: environment, web identity, profile files, container, instance.
 * Fetching blocks (files, HTTP) and never happens on a thread that must not wait: a source that can
 * expire, or be written anew, has a refresher thread.
 */
#ifndef LIB_AWS_CREDENTIALS_H
#define LIB_AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AWS_NEVER_EXPIRES = 0 };

struct aws_credentials {
    char access_key[160];
    char secret_key[256];
    char token[4096];    /**< session token; "" : none */
    int64_t expires;     /**< seconds since 1970, or AWS_NEVER_EXPIRES */
    bool from_file;      /**< keys as a profile file has them: somebody may write others into it */
};

/** Which source to use. */
enum aws_source {
    AWS_SOURCE_DEFAULT,      /**< the chain */
    AWS_SOURCE_STATIC,
    AWS_SOURCE_ENVIRONMENT,
    AWS_SOURCE_WEB_IDENTITY,
    AWS_SOURCE_PROFILE,
    AWS_SOURCE_CONTAINER,
    AWS_SOURCE_INSTANCE,
    AWS_SOURCE_ANONYMOUS,    /**< requests are not signed */
};

/** Strings may be NULL and are copied. */
struct aws_credentials_options {
    enum aws_source source;
    const char *access_key, *secret_key, *token;  /**< AWS_SOURCE_STATIC */
    const char *profile;                          /**< NULL: AWS_PROFILE, then default */
    const char *region;                           /**< for STS */
    /** Not NULL: the source's credentials are used to assume this role. */
    const char *role_arn, *role_external_id, *role_session_name;
    const char *sts_endpoint;                     /**< NULL: sts.REGION.amazonaws.com */
};

struct aws_provider;

/**
 * Fetches for the first time, so that a wrong configuration is known at once. NULL with a sentence for
 * the user in message: what was looked at, in which order, and why it did not do.
 */
struct aws_provider *aws_provider_create(const struct aws_credentials_options *options,
                                         char *message, size_t message_size);
/** Ends the refresher; waits for a fetch that is under way (bounded by its timeouts). NULL is fine. */
void aws_provider_destroy(struct aws_provider *provider);
/**
 * The credentials now; false where they are expired (and getting new ones keeps failing: why is in
 * message) or the source is anonymous (message is empty then). [any thread, does not block]
 */
bool aws_provider_get(struct aws_provider *provider, struct aws_credentials *ret_credentials,
                      char *message, size_t message_size);
/** They were refused as expired: fetch new ones soon. [any thread, does not block] */
void aws_provider_refresh(struct aws_provider *provider);
/** "environment", "profile default", ..: for the log. */
const char *aws_provider_name(const struct aws_provider *provider);

#endif
