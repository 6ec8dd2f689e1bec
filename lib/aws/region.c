#include "lib/aws/region.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/aws/credentials_source.h"

/* Region ids are AREA[-PARTITION]-DIRECTION-NUMBER; lists of whole ids grow old. */
static const char *const areas[] = {"us", "eu", "ap", "sa", "ca", "me", "af",
                                    "il", "mx", "cn", "eusc", NULL};
static const char *const partitions[] = {"gov", "iso", "isob", "isoe", "isof", "de", NULL};
static const char *const directions[] = {"north", "south", "east", "west", "central", "northeast",
                                         "northwest", "southeast", "southwest", NULL};

static size_t word(const char *text, const char *const *words)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    for (; *words; words++) {
        if (strlen(*words) == size && memcmp(*words, text, size) == 0) {
            return size;
        }
    }
    return 0;
}

/* Length of the id that begins here; 0: none does. */
static size_t region_at(const char *text)
{
    size_t at = word(text, areas);
    if (at == 0 || text[at] != '-') {
        return 0;
    }
    size_t part = word(text + at + 1, partitions);
    if (part > 0 && text[at + 1 + part] == '-') {
        at += 1 + part;
    }
    part = word(text + at + 1, directions);
    if (part == 0 || text[at + 1 + part] != '-') {
        return 0;
    }
    at += part + 2;
    size_t digits = strspn(text + at, "0123456789");
    return digits > 0 && digits <= 2 && at + digits < AWS_REGION_SIZE ? at + digits : 0;
}

bool aws_region_of_hosts(const char *hosts, char region[AWS_REGION_SIZE])
{
    for (const char *p = hosts; *p; p++) {
        if (p > hosts && isalnum((unsigned char)p[-1])) {
            continue;
        }
        size_t size = region_at(p);
        if (size > 0) {
            (void)snprintf(region, AWS_REGION_SIZE, "%.*s", (int)size, p);
            return true;
        }
    }
    return false;
}

bool aws_region_default(const char *profile, char region[AWS_REGION_SIZE])
{
    static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    for (size_t i = 0; i < 2; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value) {
            (void)snprintf(region, AWS_REGION_SIZE, "%s", value);
            return true;
        }
    }
    return aws_fetch_profile_region(profile, region, AWS_REGION_SIZE) ||
           aws_fetch_instance_region(region, AWS_REGION_SIZE);
}
