/*
 * How a bucket is reached: endpoint and addressing, credentials, the clock, and signed requests. Used by
 * the sink's store and the source's reader, each from one thread at a time.
 */
#ifndef S3_S3_ACCESS_H
#define S3_S3_ACCESS_H

#include <sluice/plugin.h>

#include "connectors/s3/settings.h"
#include "lib/aws/credentials.h"
#include "lib/aws/reply.h"
#include "lib/aws/sigv4.h"
#include "lib/aws/uri.h"
#include "lib/http/client.h"

enum { S3_HEADERS_MAX = 26 };

struct s3_access {
    const struct settings *settings;
    const struct sluice_host *host;
    struct aws_provider *credentials; /* NULL: anonymous */
    struct sigv4_signer signer;
    struct aws_url endpoint;
    char host_name[400];              /* with port, as signed */
    char base_path[600];              /* before the key */
    char region[64];
    int64_t clock_offset;             /* seconds to add to ours */
};

/** Endpoint of the settings' region, and credentials. -1 with a sentence. Blocking. */
int s3_access_open(struct s3_access *access, const struct settings *settings,
                   const struct sluice_host *host, char *message, size_t size);
void s3_access_finish(struct s3_access *access);
/** Goes over to the bucket's real region, with a warning. -1 with a sentence. */
int s3_access_move(struct s3_access *access, const char *region, char *message, size_t size);
/** The server's clock is right, with a warning. */
void s3_access_set_clock(struct s3_access *access, int64_t server_time);
/** Proxy and certificates; connections_max as given. */
struct http_options s3_access_http(const struct s3_access *access, size_t connections_max);
/** Whether the bucket is there: -1 with a sentence where it is not. Follows its region. Blocking. */
int s3_access_probe(struct s3_access *access, char *message, size_t size);

/** What http wants; to be finished in any case. */
struct s3_signed {
    char *url;
    char *lines[S3_HEADERS_MAX + 6];
    size_t count;
};

struct s3_draft {
    const char *method, *key; /* key NULL: of the bucket */
    struct sigv4_pair headers[S3_HEADERS_MAX + 4];
    size_t header_count;      /* at most S3_HEADERS_MAX */
    struct sigv4_pair query[8];
    size_t query_count;
    const char *payload_hash;
};

/** False: no credentials now, or no memory; message says why. */
bool s3_access_sign(struct s3_access *access, struct s3_draft *draft, struct s3_signed *ret_signed,
                    char *message, size_t size);
void s3_signed_finish(struct s3_signed *ready);
/** "https://host/bucket/key", for messages. key NULL: of the bucket. */
const char *s3_access_text(const struct s3_access *access, const char *key, char *text, size_t size);

#endif
