/* https listeners: keystores as PEM and PKCS12, and a request over TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>

#include "connectors/rest/keystore.h"
#include "connectors/rest/rest.h"
#include "tests/support/fake_source_host.h"
#include "tests/unit/connectors/rest/client.h"

struct files {
    char folder[64];
    char pem[100], encrypted[100], pkcs12[100], jks[100];
};

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_sign(certificate, key, EVP_sha256());
    return certificate;
}

static int make_files(void **state)
{
    struct files *files = calloc(1, sizeof(*files));
    (void)strcpy(files->folder, "/tmp/rest-tls-XXXXXX");
    assert_non_null(mkdtemp(files->folder));
    (void)snprintf(files->pem, sizeof(files->pem), "%s/both.pem", files->folder);
    (void)snprintf(files->encrypted, sizeof(files->encrypted), "%s/secret.pem", files->folder);
    (void)snprintf(files->pkcs12, sizeof(files->pkcs12), "%s/store.p12", files->folder);
    (void)snprintf(files->jks, sizeof(files->jks), "%s/store.jks", files->folder);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key);
    FILE *file = fopen(files->pem, "wb");
    PEM_write_X509(file, certificate);
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    (void)fclose(file);
    file = fopen(files->encrypted, "wb");
    PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), NULL, 0, NULL, (void *)(uintptr_t)"opensesame");
    PEM_write_X509(file, certificate);
    (void)fclose(file);
    file = fopen(files->pkcs12, "wb");
    PKCS12 *store = PKCS12_create("changeit", "server", key, certificate, NULL, 0, 0, 0, 0, 0);
    i2d_PKCS12_fp(file, store);
    PKCS12_free(store);
    (void)fclose(file);
    file = fopen(files->jks, "wb");
    (void)fwrite("\xfe\xed\xfe\xed\0\0\0\2", 1, 8, file);
    (void)fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
    *state = files;
    return 0;
}

static int remove_files(void **state)
{
    struct files *files = *state;
    (void)unlink(files->pem);
    (void)unlink(files->encrypted);
    (void)unlink(files->pkcs12);
    (void)unlink(files->jks);
    (void)rmdir(files->folder);
    free(files);
    return 0;
}

static void expect_load(const char *path, const char *store_password, const char *key_password,
                        const char *error)
{
    struct rest_keystore keystore = {0};
    char message[600] = "";
    int result =
        rest_keystore_load(path, store_password, key_password, &keystore, message, sizeof(message));
    if (error) {
        assert_int_equal(result, -1);
        if (!strstr(message, error)) {
            print_error("%s\n", message);
            fail();
        }
        /* invariant 7: the password that was given is not in the message */
        assert_null(strstr(message, "wrong-secret"));
    } else {
        if (result != 0) {
            print_error("%s\n", message);
        }
        assert_int_equal(result, 0);
        assert_non_null(strstr(keystore.key, "PRIVATE KEY"));
        assert_non_null(strstr(keystore.certificates, "BEGIN CERTIFICATE"));
    }
    rest_keystore_finish(&keystore);
}

static void test_keystores(void **state)
{
    const struct files *files = *state;
    expect_load(files->pem, NULL, NULL, NULL);
    expect_load(files->encrypted, NULL, "opensesame", NULL);
    expect_load(files->encrypted, NULL, "wrong-secret", "ssl.key.password");
    expect_load(files->encrypted, NULL, NULL, "ssl.key.password");
    expect_load(files->pkcs12, "changeit", NULL, NULL);
    expect_load(files->pkcs12, "wrong-secret", NULL, "ssl.keystore.password");
    expect_load(files->jks, "changeit", NULL, "keytool -importkeystore");
    expect_load("/nowhere/store.p12", NULL, NULL, "cannot be read");
}

static void test_request(void **state)
{
    const struct files *files = *state;
    const char *properties[] = {"listeners", "https://127.0.0.1:0,http://127.0.0.1:0",
                                "ssl.keystore.location", files->pkcs12,
                                "ssl.keystore.password", "changeit", NULL};
    char error[500];
    struct fake_source_host *fake =
        fake_source_host_create(&rest_source_descriptor, properties, error, sizeof(error));
    assert_non_null(fake);
    if (fake_source_host_start(fake) != SLUICE_OK) {
        print_error("%s\n", fake->error);
        fail();
    }
    const char *line = strstr(fake->log, "Listening on https://127.0.0.1:");
    assert_non_null(line);
    struct client *client = calloc(1, sizeof(*client));
    client_open(client, (unsigned)atoi(line + strlen("Listening on https://127.0.0.1:")));
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *tls = SSL_new(context);
    SSL_set_fd(tls, client->fd);
    assert_int_equal(SSL_connect(tls), 1);
    const char *text = "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Type: " JSON_V2
                       "\r\nContent-Length: 25\r\n\r\n{\"records\":[{\"value\":1}]}";
    assert_int_equal(SSL_write(tls, text, (int)strlen(text)), (int)strlen(text));
    size_t used = 0;
    while (!strstr(client->in, "value_schema_id\":null}")) {
        int got = SSL_read(tls, client->in + used, 4000);
        assert_true(got > 0);
        used += (size_t)got;
    }
    assert_non_null(strstr(client->in, "HTTP/1.1 200"));
    assert_non_null(strstr(client->in, "\"offset\":0"));
    SSL_free(tls);
    SSL_CTX_free(context);
    client_close(client);
    line = strstr(fake->log, "Listening on http://127.0.0.1:");
    assert_non_null(line);
    client_open(client, (unsigned)atoi(line + strlen("Listening on http://127.0.0.1:")));
    client_post(client, "/topics/a", "{\"records\":[{\"value\":1}]}");
    assert_int_equal(client->status, 200);
    client_close(client);
    free(client);
    fake_source_host_destroy(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keystores),
        cmocka_unit_test(test_request),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
