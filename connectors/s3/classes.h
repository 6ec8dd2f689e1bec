/* Class names in the configuration, resolved inside this plugin. */
#ifndef S3_CLASSES_H
#define S3_CLASSES_H

#include "connectors/s3/settings.h"

#define STRING_FORMAT_CLASS "sluice.s3.StringFormat"
#define DEFAULT_CREDENTIALS_CLASS \
    "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
#define ROLE_CLASS "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider"

/** Full or simple class names; *_NONE where there is no such class. */
enum format_kind format_kind_of(const char *class_name);
enum partitioner_kind partitioner_kind_of(const char *class_name);
enum extractor_kind extractor_kind_of(const char *name);
/** *ret_role: credentials of *ret_source are used to assume a role. False: no such class. */
bool credentials_class(const char *class_name, enum aws_source *ret_source, bool *ret_role);

#endif
