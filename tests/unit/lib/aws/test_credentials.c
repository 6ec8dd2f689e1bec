/*
 * The credential chain: environment, profile files, credential_process, and what it says on failure;
 * container, instance and STS against fake_s3.py.
 */
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
#include "lib/aws/credentials_chain.h"
#include "lib/aws/credentials_source.h"
#include "tests/support/fake_s3_process.h"

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
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_ENDPOINT_URL_STS", "AWS_EC2_METADATA_SERVICE_ENDPOINT"};
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

static void test_comments_in_profiles(void **state)
{
    (void)state;
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials",
               "[default] # mine\naws_access_key_id = a # the first\n"
               "aws_secret_access_key = s#e;c\t;until May\n;aws_session_token = t\n");
    struct aws_credentials got = fetch(&(struct aws_credentials_options){0}, "profile files");
    assert_string_equal(got.access_key, "a");
    assert_string_equal(got.secret_key, "s#e;c");
    assert_string_equal(got.token, "");
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    setenv("AWS_SHARED_CREDENTIALS_FILE", folder, 1); /* for root, too */
    struct aws_credentials_options options = {0};
    expect_failure(&options, "cannot be read: Is a directory");
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials", 1);
    expect_failure(&options, "/nowhere/credentials cannot be read: No such file");
}

/* Keys that are rotated: the file is read again when they were refused, and now and then. */
static void test_files_written_anew(void **state)
{
    (void)state;
    char message[1024] = "";
    struct aws_credentials got;
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials",
               "[default]\naws_access_key_id=old\naws_secret_access_key=x\n");
    struct aws_provider *provider =
        aws_provider_create(&(struct aws_credentials_options){0}, message, sizeof(message));
    assert_non_null(provider);
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials",
               "[default]\naws_access_key_id=new\naws_secret_access_key=x\n");
    aws_provider_refresh(provider);
    for (int i = 0; i < 5000; i++) {
        assert_true(aws_provider_get(provider, &got, message, sizeof(message)));
        if (strcmp(got.access_key, "new") == 0) {
            break;
        }
        usleep(1000);
    }
    assert_string_equal(got.access_key, "new");
    aws_provider_destroy(provider);
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
    write_file("AWS_CONFIG_FILE", "config", "[default]\ncredential_process = yes\n");
    expect_failure(&(struct aws_credentials_options){0}, "more than 64 kB");
    write_file("AWS_CONFIG_FILE", "config",
               "[default]\ncredential_process = echo '{\"AccessKeyId\":\"p\","
               "\"SecretAccessKey\":\"ps\",\"Expiration\":\"tomorrow\"}'\n");
    expect_failure(&(struct aws_credentials_options){0}, "an Expiration that is no time");
    /* our own input is not for it */
    int own = dup(0), ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x\n", 2), 2);
    close(ends[1]);
    dup2(ends[0], 0);
    close(ends[0]);
    write_file("AWS_CONFIG_FILE", "config",
               "[default]\ncredential_process = read line; echo \"{\\\"AccessKeyId\\\":\\\"p$line\\\","
               "\\\"SecretAccessKey\\\":\\\"ps\\\"}\"\n");
    got = fetch(&(struct aws_credentials_options){0}, "profile files");
    dup2(own, 0);
    close(own);
    assert_string_equal(got.access_key, "p");
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
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.example.com/x", 1);
    expect_failure(&options, "must be https");
}

static void test_container(void **state)
{
    (void)state;
    char address[100];
    snprintf(address, sizeof(address), "%s/container", fake_s3_url);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address, 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let-me-in", 1);
    struct aws_credentials got = fetch(&(struct aws_credentials_options){0}, "container");
    assert_string_equal(got.access_key, "access");
    assert_string_equal(got.token, "token/+=");
    assert_int_equal(got.expires, 4070908800);
    json_decref(fake_s3_control("{\"faults\":[{\"op\":\"Credentials\",\"action\":\"503\",\"times\":2}]}"));
    assert_string_equal(fetch(&(struct aws_credentials_options){0}, "container").access_key, "access");
    json_decref(fake_s3_control("{\"faults\":[{\"op\":\"Credentials\",\"action\":\"429\",\"times\":9}]}"));
    expect_failure(&(struct aws_credentials_options){.source = AWS_SOURCE_CONTAINER},
                   "answered HTTP 429");
    json_decref(fake_s3_control("{\"faults\":[]}"));
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "no", 1);
    expect_failure(&(struct aws_credentials_options){.source = AWS_SOURCE_CONTAINER},
                   "answered HTTP 401");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nHost: x", 1);
    expect_failure(&(struct aws_credentials_options){.source = AWS_SOURCE_CONTAINER}, "line break");
}

static void test_instance(void **state)
{
    (void)state;
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake_s3_url, 1);
    struct aws_credentials got = fetch(&(struct aws_credentials_options){0}, "instance metadata");
    assert_string_equal(got.secret_key, "secret");
    static const char roles[] = "{\"faults\":[{\"op\":\"Credentials\",\"match\":\"security-credentials\","
                                "\"action\":\"%s\",\"times\":3}]}";
    static const struct {
        const char *action, *said;
    } answers[] = {{"404", "this instance has no role"}, {"500", "answered HTTP 500"}};
    for (size_t i = 0; i < 2; i++) {
        char order[200];
        snprintf(order, sizeof(order), roles, answers[i].action);
        json_decref(fake_s3_control(order));
        expect_failure(&(struct aws_credentials_options){.source = AWS_SOURCE_INSTANCE}, answers[i].said);
    }
    json_decref(fake_s3_control("{\"faults\":[]}"));
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1", 1);
    expect_failure(&(struct aws_credentials_options){0}, "instance metadata: the instance metadata");
}

static void test_role(void **state)
{
    (void)state;
    struct aws_credentials_options options = {
        .source = AWS_SOURCE_STATIC, .access_key = "access", .secret_key = "secret",
        .region = "us-east-1", .role_arn = "arn:aws:iam::1:role/r", .role_external_id = "outside",
        .role_session_name = "me", .sts_endpoint = fake_s3_url};
    struct aws_credentials got = fetch(&options, "configuration, role arn:aws:iam::1:role/r");
    assert_string_equal(got.access_key, "role-key");
    assert_string_equal(got.secret_key, "s&s");
    assert_string_equal(got.token, "role-token");
    options.role_external_id = NULL;
    expect_failure(&options, "STS refuses role arn:aws:iam::1:role/r: AccessDenied (HTTP 403)");
    /* The same by a profile. */
    setenv("AWS_ENDPOINT_URL_STS", fake_s3_url, 1);
    write_file("AWS_CONFIG_FILE", "config",
               "[default]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=default\n"
               "external_id=outside\naws_access_key_id=access\naws_secret_access_key=secret\n");
    got = fetch(&(struct aws_credentials_options){.region = "us-east-1"}, "profile files");
    assert_string_equal(got.access_key, "role-key");
}

static void test_web_identity(void **state)
{
    (void)state;
    setenv("AWS_ENDPOINT_URL_STS", fake_s3_url, 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1);
    write_file("AWS_WEB_IDENTITY_TOKEN_FILE", "token", "web-token\n");
    assert_string_equal(fetch(&(struct aws_credentials_options){0}, "web identity").access_key,
                        "role-key");
    write_file("AWS_WEB_IDENTITY_TOKEN_FILE", "token", "another\n");
    expect_failure(&(struct aws_credentials_options){.source = AWS_SOURCE_WEB_IDENTITY},
                   "InvalidIdentityToken");
    /* once found, the identity is not exchanged for another one that is there by chance */
    struct aws_credentials got;
    struct aws_chain chain;
    char name[100], message[1024] = "";
    write_file("AWS_WEB_IDENTITY_TOKEN_FILE", "token", "web-token\n");
    assert_true(aws_chain_init(&chain, &(struct aws_credentials_options){0}, message, sizeof(message)));
    assert_true(aws_chain_fetch(&chain, &got, name, sizeof(name), message, sizeof(message)));
    write_file("AWS_WEB_IDENTITY_TOKEN_FILE", "token", "another\n");
    write_file("AWS_SHARED_CREDENTIALS_FILE", "credentials",
               "[default]\naws_access_key_id=somebody\naws_secret_access_key=else\n");
    assert_false(aws_chain_fetch(&chain, &got, name, sizeof(name), message, sizeof(message)));
    assert_non_null(strstr(message, "from web identity: STS refuses role"));
    aws_chain_finish(&chain);
    char path[256];
    snprintf(path, sizeof(path), "%s/token", folder);
    unlink(path);
}

static int start_server(void **state)
{
    (void)state;
    return fake_s3_start(FAKE_S3);
}

static int stop_server(void **state)
{
    (void)state;
    return fake_s3_stop();
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
        cmocka_unit_test_setup(test_comments_in_profiles, clear_environment),
        cmocka_unit_test_setup(test_files_that_cannot_be_read, clear_environment),
        cmocka_unit_test_setup(test_files_written_anew, clear_environment),
        cmocka_unit_test_setup(test_process, clear_environment),
        cmocka_unit_test_setup(test_refusals, clear_environment),
        cmocka_unit_test_setup(test_container, clear_environment),
        cmocka_unit_test_setup(test_instance, clear_environment),
        cmocka_unit_test_setup(test_role, clear_environment),
        cmocka_unit_test_setup(test_web_identity, clear_environment),
        cmocka_unit_test(test_times),
    };
    int failed = cmocka_run_group_tests(tests, start_server, stop_server);
    char path[256];
    snprintf(path, sizeof(path), "%s/credentials", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/config", folder);
    unlink(path);
    rmdir(folder);
    return failed;
}
