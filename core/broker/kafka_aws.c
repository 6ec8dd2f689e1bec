/*
 * AWS_MSK_IAM: IAMLoginModule's options to credentials (in the order of Amazon's own provider:
 * profile, role, default chain), kept fresh by lib/aws and shared by all clients of the process.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/base/log.h"
#include "core/broker/kafka_token.h"
#include "lib/aws/msk_iam.h"
#include "lib/aws/region.h"

#define LOGGER "sluice.broker.kafka.msk"

enum { ALMOST_EXPIRED_S = 60, FRESH_WAIT_MS = 5000 };

struct kafka_aws {
    struct kafka_aws *next;
    int references;
    char *identity; /* options and servers as one text: what makes two clients the same */
    char *servers;

    pthread_mutex_t lock; /* of the two below; held while fetching for the first time */
    struct aws_provider *provider;
    char region[AWS_REGION_SIZE];

    char *profile, *role, *session, *external_id, *access_key, *secret_key, *token, *sts_region;
    bool no_default;
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kafka_aws *all;

static char *copy(const struct jaas *jaas, const char *name)
{
    const char *value = jaas_get(jaas, name);
    return value && *value ? strdup(value) : NULL;
}

static void wipe(char *text)
{
    if (text) {
        explicit_bzero(text, strlen(text)); /* invariant 7 */
    }
    free(text);
}

static void destroy(struct kafka_aws *aws)
{
    if (aws) {
        aws_provider_destroy(aws->provider);
        pthread_mutex_destroy(&aws->lock);
        wipe(aws->identity);
        free(aws->servers);
        free(aws->profile);
        free(aws->role);
        free(aws->session);
        free(aws->external_id);
        free(aws->access_key);
        wipe(aws->secret_key);
        wipe(aws->token);
        free(aws->sts_region);
        free(aws);
    }
}

static void warn_options(const struct jaas *jaas)
{
    static const struct {
        const char *name, *reason;
    } ignored[] = {
        {"awsShouldUseFips", "STS is reached by its ordinary endpoint; set AWS_ENDPOINT_URL_STS"},
        {"awsMskRegionProvider", "region providers are Java classes; set AWS_REGION"},
    };
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        const char *value = jaas_get(jaas, ignored[i].name);
        if (value && strcasecmp(value, "false") != 0) {
            log_warn(LOGGER, "%s of sasl.jaas.config cannot be honoured: %s", ignored[i].name,
                     ignored[i].reason);
        }
    }
}

static struct kafka_aws *create(const struct jaas *jaas, const char *servers, char *identity)
{
    struct kafka_aws *aws = calloc(1, sizeof(*aws));
    if (!aws) {
        wipe(identity);
        return NULL;
    }
    const char *defaults = jaas_get(jaas, "awsAddDefaultProviders");
    pthread_mutex_init(&aws->lock, NULL);
    aws->identity = identity;
    aws->servers = strdup(servers);
    aws->profile = copy(jaas, "awsProfileName");
    aws->role = copy(jaas, "awsRoleArn");
    aws->session = copy(jaas, "awsRoleSessionName");
    aws->external_id = copy(jaas, "awsRoleExternalId");
    aws->access_key = copy(jaas, "awsRoleAccessKeyId");
    aws->secret_key = copy(jaas, "awsRoleSecretAccessKey");
    aws->token = copy(jaas, "awsRoleSessionToken");
    aws->sts_region = copy(jaas, "awsStsRegion");
    aws->no_default = defaults && strcasecmp(defaults, "true") != 0;
    warn_options(jaas);
    return aws;
}

static char *identity_of(const struct jaas *jaas, const char *servers)
{
    struct {
        char *text;
        size_t size;
    } out = {0};
    FILE *stream = open_memstream(&out.text, &out.size);
    if (!stream) {
        return NULL;
    }
    fprintf(stream, "%s", servers);
    for (size_t i = 0; i < jaas->option_count; i++) {
        fprintf(stream, "\n%s=%s", jaas->options[i].name, jaas->options[i].value);
    }
    fclose(stream);
    return out.text;
}

struct kafka_aws *kafka_aws_acquire(const struct jaas *jaas, const char *servers)
{
    char *identity = identity_of(jaas, servers);
    if (!identity) {
        return NULL;
    }
    pthread_mutex_lock(&all_lock);
    struct kafka_aws *aws = all;
    while (aws && strcmp(aws->identity, identity) != 0) {
        aws = aws->next;
    }
    if (aws) {
        wipe(identity);
    } else if ((aws = create(jaas, servers, identity))) {
        aws->next = all;
        all = aws;
    }
    if (aws) {
        aws->references++;
    }
    pthread_mutex_unlock(&all_lock);
    return aws;
}

void kafka_aws_release(struct kafka_aws *aws)
{
    if (!aws) {
        return;
    }
    pthread_mutex_lock(&all_lock);
    bool last = --aws->references == 0;
    for (struct kafka_aws **at = &all; last && *at; at = &(*at)->next) {
        if (*at == aws) {
            *at = aws->next;
            break;
        }
    }
    pthread_mutex_unlock(&all_lock);
    if (last) {
        destroy(aws);
    }
}

/* -- fetching -- */

static struct aws_provider *try(const struct kafka_aws *aws, bool profile, bool role, char *message,
                                size_t size)
{
    bool fixed = role && aws->access_key && aws->secret_key;
    struct aws_credentials_options options = {
        .source = profile  ? AWS_SOURCE_PROFILE
                  : fixed ? AWS_SOURCE_STATIC
                          : AWS_SOURCE_DEFAULT,
        .profile = profile ? aws->profile : NULL,
        /* of STS; a role of web identity or of a profile takes it, too */
        .region = aws->sts_region ? aws->sts_region : role ? "aws-global" : NULL,
    };
    if (fixed) {
        options.access_key = aws->access_key;
        options.secret_key = aws->secret_key;
        options.token = aws->token;
    }
    if (role) {
        options.role_arn = aws->role;
        options.role_session_name = aws->session ? aws->session : "aws-msk-iam-auth";
        options.role_external_id = fixed ? NULL : aws->external_id; /* as Amazon's module */
    }
    return aws_provider_create(&options, message, size);
}

/* Lock held. */
static bool open_provider(struct kafka_aws *aws, char *message, size_t size)
{
    char reason[900] = "";
    size_t used = 0;
    message[0] = '\0';
    const bool attempts[][2] = {{true, false}, {false, true}, {false, false}};
    for (size_t i = 0; i < 3 && !aws->provider; i++) {
        bool profile = attempts[i][0], role = attempts[i][1];
        if ((profile && !aws->profile) || (role && !aws->role) ||
            (!profile && !role && aws->no_default)) {
            continue;
        }
        aws->provider = try(aws, profile, role, reason, sizeof(reason));
        if (!aws->provider) {
            used = strlen(message);
            (void)snprintf(message + used, size - used, "%s%s", used ? "; " : "", reason);
        }
    }
    if (!aws->provider && !*message) {
        (void)snprintf(message, size, "sasl.jaas.config allows no source of AWS credentials "
                                      "(awsAddDefaultProviders is false)");
    }
    if (!aws->provider) {
        return false;
    }
    if (*message) { /* as Amazon's module does it; but it says nothing */
        log_warn(LOGGER, "AWS credentials of %s are used, as others could not be had: %s",
                 aws_provider_name(aws->provider), message);
    } else {
        log_info(LOGGER, "AWS credentials of %s", aws_provider_name(aws->provider));
    }
    return true;
}

static bool find_region(struct kafka_aws *aws, char *message, size_t size)
{
    if (aws->region[0] || aws_region_of_hosts(aws->servers, aws->region) ||
        aws_region_default(aws->profile, aws->region)) {
        return true;
    }
    (void)snprintf(message, size, "the AWS region is not known: it is neither in the names of "
                                  "bootstrap.servers, nor in AWS_REGION, nor in the profile");
    return false;
}

static void sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&time, &time) != 0) {
    }
}

/* A token lives no longer than the credentials that signed it: almost expired ones are renewed first. */
static bool get_credentials(struct aws_provider *provider, struct aws_credentials *ret,
                            char *message, size_t size)
{
    bool good = aws_provider_get(provider, ret, message, size);
    for (int waited = 0; waited < FRESH_WAIT_MS; waited += 100) {
        if (good && (ret->expires == AWS_NEVER_EXPIRES ||
                     ret->expires - time(NULL) > ALMOST_EXPIRED_S)) {
            break;
        }
        if (waited == 0) {
            aws_provider_refresh(provider);
        }
        sleep_ms(100);
        good = aws_provider_get(provider, ret, message, size);
    }
    if (!good && !*message) {
        (void)snprintf(message, size, "the AWS credentials are anonymous");
    }
    return good;
}

int kafka_aws_token(struct kafka_aws *aws, struct kafka_token *ret, char *message, size_t size)
{
    struct aws_credentials credentials = {0};
    struct buffer text;
    int64_t expires = 0;
    buffer_init(&text, MSK_IAM_TOKEN_MAX);
    pthread_mutex_lock(&aws->lock);
    bool good = (aws->provider || open_provider(aws, message, size)) &&
                find_region(aws, message, size);
    pthread_mutex_unlock(&aws->lock);
    good = good && get_credentials(aws->provider, &credentials, message, size);
    if (good && msk_iam_token(aws->region, &credentials, time(NULL), &text, &expires) != 0) {
        (void)snprintf(message, size, "the token could not be made");
        good = false;
    }
    explicit_bzero(&credentials, sizeof(credentials)); /* invariant 7 */
    ret->text = good ? buffer_take(&text) : NULL;
    ret->expires_ms = expires * 1000;
    (void)snprintf(ret->principal, sizeof(ret->principal), "kafka-cluster");
    buffer_finish(&text);
    return ret->text ? 0 : -1;
}
