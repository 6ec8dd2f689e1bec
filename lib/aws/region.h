/* AWS regions: out of a host's name, or the one that this machine is set up for. */
#ifndef LIB_AWS_REGION_H
#define LIB_AWS_REGION_H

#include <stdbool.h>
#include <stddef.h>

enum { AWS_REGION_SIZE = 64 };

/** The first region id within a list of hosts (b-1.x.kafka.eu-west-1.amazonaws.com:9098,..). Pure. */
bool aws_region_of_hosts(const char *hosts, char region[AWS_REGION_SIZE]);
/**
 * The default chain: AWS_REGION, AWS_DEFAULT_REGION, the profile's (NULL: AWS_PROFILE, then
 * default), instance metadata. Blocks (files, HTTP). [any thread]
 */
bool aws_region_default(const char *profile, char region[AWS_REGION_SIZE]);

#endif
