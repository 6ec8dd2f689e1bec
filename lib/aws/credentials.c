/*
 * Credentials kept fresh: one provider, one lock, and a refresher thread where the source can expire.
 * Fetched again 15 minutes before they expire (half of their life where that is shorter); the old
 * ones serve until their real end when that fails. Keys in a profile file are read again each minute:
 * whoever rotates them writes them there.
 */
#include "lib/aws/credentials.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/aws/credentials_chain.h"

enum {
    REFRESH_BEFORE_S = 15 * 60,
    RETRY_S = 30,
    FILE_LOOK_S = 60,
    MESSAGE_SIZE = 1024,
};

struct aws_provider {
    struct aws_chain chain;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t refresher;
    bool has_refresher, stopping, wanted;
    struct aws_credentials credentials;
    char name[160];
    char message[MESSAGE_SIZE]; /* of the last failure */
};

static bool may_change(const struct aws_credentials *credentials)
{
    return credentials->from_file || credentials->expires != AWS_NEVER_EXPIRES;
}

static int64_t refresh_time(const struct aws_credentials *credentials, int64_t now)
{
    if (credentials->expires == AWS_NEVER_EXPIRES) {
        return credentials->from_file ? now + FILE_LOOK_S : INT64_MAX / 2;
    }
    int64_t life = credentials->expires - now;
    return credentials->expires - (life / 2 < REFRESH_BEFORE_S ? life / 2 : REFRESH_BEFORE_S);
}

static void *refresh(void *user)
{
    struct aws_provider *provider = user;
    pthread_mutex_lock(&provider->lock);
    int64_t at = refresh_time(&provider->credentials, time(NULL));
    while (!provider->stopping) {
        if (!provider->wanted && time(NULL) < at) {
            struct timespec until = {.tv_sec = at};
            pthread_cond_timedwait(&provider->changed, &provider->lock, &until);
            continue;
        }
        provider->wanted = false;
        pthread_mutex_unlock(&provider->lock);
        struct aws_credentials fresh = {0};
        char message[MESSAGE_SIZE] = "", name[sizeof(provider->name)];
        bool fetched = aws_chain_fetch(&provider->chain, &fresh, name, sizeof(name), message,
                                       sizeof(message));
        pthread_mutex_lock(&provider->lock);
        int64_t now = time(NULL);
        if (fetched && (fresh.expires == AWS_NEVER_EXPIRES || fresh.expires > now)) {
            provider->credentials = fresh;
            provider->message[0] = '\0';
            at = refresh_time(&fresh, now);
        } else {
            snprintf(provider->message, sizeof(provider->message), "%s",
                     fetched ? "the new credentials are expired already" : message);
            at = now + RETRY_S;
        }
        explicit_bzero(&fresh, sizeof(fresh)); /* invariant 7 */
        at = at < now + 1 ? now + 1 : at;
    }
    pthread_mutex_unlock(&provider->lock);
    return NULL;
}

struct aws_provider *aws_provider_create(const struct aws_credentials_options *options,
                                         char *message, size_t message_size)
{
    struct aws_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        snprintf(message, message_size, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&provider->lock, NULL);
    pthread_cond_init(&provider->changed, NULL);
    if (!aws_chain_init(&provider->chain, options, message, message_size) ||
        !aws_chain_fetch(&provider->chain, &provider->credentials, provider->name,
                         sizeof(provider->name), message, message_size)) {
        aws_provider_destroy(provider);
        return NULL;
    }
    if (may_change(&provider->credentials)) {
        provider->has_refresher = pthread_create(&provider->refresher, NULL, refresh, provider) == 0;
        if (!provider->has_refresher) {
            snprintf(message, message_size, "no thread to refresh credentials can be started");
            aws_provider_destroy(provider);
            return NULL;
        }
    }
    return provider;
}

void aws_provider_destroy(struct aws_provider *provider)
{
    if (!provider) {
        return;
    }
    pthread_mutex_lock(&provider->lock);
    provider->stopping = true;
    pthread_cond_broadcast(&provider->changed);
    pthread_mutex_unlock(&provider->lock);
    if (provider->has_refresher) {
        pthread_join(provider->refresher, NULL);
    }
    aws_chain_finish(&provider->chain);
    pthread_cond_destroy(&provider->changed);
    pthread_mutex_destroy(&provider->lock);
    explicit_bzero(provider, sizeof(*provider)); /* invariant 7 */
    free(provider);
}

bool aws_provider_get(struct aws_provider *provider, struct aws_credentials *ret_credentials,
                      char *message, size_t message_size)
{
    pthread_mutex_lock(&provider->lock);
    *ret_credentials = provider->credentials;
    bool good = provider->credentials.access_key[0] != '\0' &&
                (provider->credentials.expires == AWS_NEVER_EXPIRES ||
                 provider->credentials.expires > time(NULL));
    snprintf(message, message_size, "%s%s", good ? "" : provider->message,
             !good && provider->credentials.access_key[0] && !provider->message[0]
                 ? "the credentials are expired"
                 : "");
    if (!good && provider->has_refresher) {
        pthread_cond_broadcast(&provider->changed);
    }
    pthread_mutex_unlock(&provider->lock);
    return good;
}

void aws_provider_refresh(struct aws_provider *provider)
{
    pthread_mutex_lock(&provider->lock);
    provider->wanted = provider->has_refresher;
    pthread_cond_broadcast(&provider->changed);
    pthread_mutex_unlock(&provider->lock);
}

const char *aws_provider_name(const struct aws_provider *provider)
{
    return provider->name;
}
