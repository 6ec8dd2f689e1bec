/* The credential chain: environment, profile files, credential_process, and what it says on failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/aws/credentials.h"
#include "lib/aws/credentials_source.h"

static char folder[] = "/tmp/sluice-credentials-XXXXXX";

static void write_file(const char *variable, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    setenv(variable, path, 1);
}

static int clear_environment(void **state)
{
    (void)state;
    static const char *const names[] = {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsetenv(names[i]);
    }
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", "");
    write_file("AWS_CONFIG_FILE", "config", "");
    return 0;
}

static struct aws_credentials fetch(const struct aws_credentials_options *options, const char *name)
{
    char message[1024] = "";
    struct aws_credentials credentials;
    struct aws_provider *provider = aws_provider_create(options, message, sizeof(message));
    assert_string_equal(message, "");
    assert_non_null(provider);
    assert_string_equal(aws_provider_name(provider), name);
    assert_true(aws_provider_get(provider, &credentials, message, sizeof(message)));
    aws_provider_destroy(provider);
    return credentials;
}

static void expect_failure(const struct aws_credentials_options *options, const char *part)
{
    char message[1024] = "";
    assert_null(aws_provider_create(options, message, sizeof(message)));
    if (!strstr(message, part)) {
        fail_msg("`%s` does not say `%s`", message, part);
    }
}

static void test_static(void **state)
{
    (void)state;
    struct aws_credentials got = fetch(
        &(struct aws_credentials_options){.source = AWS_SOURCE_STATIC, .access_key = "a",
                                          .secret_key = "s"}, "configuration");
    assert_string_equal(got.access_key, "a");
    assert_string_equal(got.secret_key, "s");
    assert_string_equal(got.token, "");
}

static void test_environment_first(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "env", 1);
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials",
               "[default]\naws_access_key_id=file\naws_secret_access_key=x\n");
    struct aws_credentials_options options = {0};
    assert_string_equal(fetch(&options, "profile files").access_key, "file");
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_SESSION_TOKEN", "token", 1);
    struct aws_credentials got = fetch(&options, "environment");
    assert_string_equal(got.access_key, "env");
    assert_string_equal(got.token, "token");
}

static void test_profiles(void **state)
{
    (void)state;
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials",
               "# keys\n[other]\naws_access_key_id = o\naws_secret_access_key = os\n"
               "[ both ]\naws_access_key_id= first\naws_access_key_id =second\n"
               "aws_secret_access_key=a=b\n");
    write_file("AWS_CONFIG_FILE", "config",
               "[default]\nregion=x\n[profile both]\naws_access_key_id=ignored\n"
               "aws_session_token=t\ns3 =\n  aws_session_token = nested\n");
    setenv("AWS_PROFILE", "both", 1);
    struct aws_credentials got = fetch(&(struct aws_credentials_options){0}, "profile files");
    assert_string_equal(got.access_key, "second");
    assert_string_equal(got.secret_key, "a=b");
    assert_string_equal(got.token, "t");
    got = fetch(&(struct aws_credentials_options){.source = AWS_SOURCE_PROFILE, .profile = "other"},
                "profile files");
    assert_string_equal(got.access_key, "o");
    expect_failure(
        &(struct aws_credentials_options){.source = AWS_SOURCE_PROFILE, .profile = "nobody"},
        "no profile nobody");
}

static void test_process(void **state)
{
    (void)state;
    write_file("AWS_CONFIG_FILE", "config",
               "[default]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"p\","
               "\"SecretAccessKey\":\"ps\",\"Expiration\":\"2099-01-01T00:00:00Z\"}'\n");
    struct aws_credentials got = fetch(&(struct aws_credentials_options){0}, "profile files");
    assert_string_equal(got.secret_key, "ps");
    assert_int_equal(got.expires, 4070908800);
    write_file("AWS_CONFIG_FILE", "config", "[default]\ncredential_process = false\n");
    expect_failure(&(struct aws_credentials_options){0}, "its exit status is not 0");
}

static void test_refusals(void **state)
{
    (void)state;
    struct aws_credentials_options options = {0};
    expect_failure(&options, "environment: not configured");
    expect_failure(&options, "instance metadata: switched off by AWS_EC2_METADATA_DISABLED");
    write_file("AWS_CONFIG_FILE", "config",
               "[default]\nrole_arn=r\nsource_profile=a\n[profile a]\nrole_arn=r\nsource_profile=b\n"
               "[profile b]\nrole_arn=r\nsource_profile=a\n");
    expect_failure(&options, "in a circle");
    write_file("AWS_CONFIG_FILE", "config", "[default]\nrole_arn=r\nmfa_serial=m\n");
    expect_failure(&options, "mfa_serial");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x", 1);
    expect_failure(&options, "must be https");
}

static void test_times(void **state)
{
    (void)state;
    assert_int_equal(aws_parse_time("2013-05-24T00:00:00Z"), 1369353600);
    assert_int_equal(aws_parse_time("2013-05-24T00:00:00.123Z"), 1369353600);
    assert_int_equal(aws_parse_time("2013-05-24T02:00:00+02:00"), 1369353600);
    assert_int_equal(aws_parse_time("soon"), 0);
}

int main(void)
{
    if (!mkdtemp(folder)) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_static, clear_environment),
        cmocka_unit_test_setup(test_environment_first, clear_environment),
        cmocka_unit_test_setup(test_profiles, clear_environment),
        cmocka_unit_test_setup(test_process, clear_environment),
        cmocka_unit_test_setup(test_refusals, clear_environment),
        cmocka_unit_test(test_times),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char path[256];
    snprintf(path, sizeof(path), "%s/credentials", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/config", folder);
    unlink(path);
    rmdir(folder);
    return failed;
}
