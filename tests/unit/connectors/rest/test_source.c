/* The whole connector over real HTTP, its host a fake one. Cases after s3-sink-and-rest-proxy.md §8.2. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/rest/request.h"
#include "connectors/rest/rest.h"
#include "tests/support/fake_source_host.h"
#include "tests/unit/connectors/rest/client.h"

struct fixture {
    struct fake_source_host *fake;
    struct client client, other;
};

static unsigned port_of(struct fake_source_host *fake)
{
    const char *line = strstr(fake->log, "Listening on ");
    assert_non_null(line);
    return (unsigned)atoi(strrchr(line, ':') + 1);
}

static struct fixture *make(const char *key, const char *value)
{
    const char *properties[] = {"listeners", "http://127.0.0.1:0", key, value, NULL};
    char error[500];
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->fake =
        fake_source_host_create(&rest_source_descriptor, properties, error, sizeof(error));
    if (!fixture->fake) {
        print_error("%s\n", error);
    }
    assert_non_null(fixture->fake);
    return fixture;
}

static struct fixture *begin(struct fixture *fixture)
{
    if (fake_source_host_start(fixture->fake) != SLUICE_OK) {
        print_error("%s\n", fixture->fake->error);
        fail();
    }
    client_open(&fixture->client, port_of(fixture->fake));
    return fixture;
}

static void end(struct fixture *fixture)
{
    fake_source_host_destroy(fixture->fake);
    client_close(&fixture->client);
    free(fixture);
}

static void expect(struct client *client, int status, const char *body)
{
    if (client->status != status || strcmp(client->body, body) != 0) {
        print_error("expected %d %s\ngot      %d %s\n", status, body, client->status, client->body);
    }
    assert_int_equal(client->status, status);
    assert_string_equal(client->body, body);
}

static void expect_record(const struct fake_record *record, const char *topic, int partition,
                          const char *key, const char *value)
{
    assert_string_equal(record->topic, topic);
    assert_int_equal(record->partition, partition);
    if (key) {
        assert_non_null(record->key);
        assert_string_equal(record->key, key);
    } else {
        assert_null(record->key);
    }
    if (value) {
        assert_non_null(record->value);
        assert_string_equal(record->value, value);
    } else {
        assert_null(record->value);
    }
}

#define TAIL "],\"key_schema_id\":null,\"value_schema_id\":null}"
#define DONE(partition, offset) \
    "{\"partition\":" #partition ",\"offset\":" #offset ",\"error_code\":null,\"error\":null}"
#define FAILED(code, text) \
    "{\"partition\":null,\"offset\":null,\"error_code\":" #code ",\"error\":\"" text "\"}"

static void test_json(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make(NULL, NULL));
    struct client *client = &fixture->client;
    client_post(client, "/topics/12471ce1b695.pin",
                "{\"records\": [{\"value\": {\"index\": 7528, \"title\": \"a \\u00e9 \\/\", \"n\": 1.50, "
                "\"big\": 123456789012345678901, "
                "\"list\": [ 1, 2 ]}}]}");
    expect(client, 200, "{\"offsets\":[" DONE(0, 0) TAIL);
    client_post(client, "/topics/12471ce1b695.pin",
                " { \"records\" : [ { \"key\" : \"k\" , \"value\" : null } , {\"value\":1,\"key\":{\"a\":[]},"
                "\"partition\":3},{},{\"value\":\"x\",\"partition\":null} ] , \"key_schema\":null,"
                "\"value_schema_id\":5 } \n");
    expect(client, 200, "{\"offsets\":[" DONE(0, 1) "," DONE(3, 2) "," DONE(0, 3) "," DONE(0, 4) TAIL);
    assert_true(fake_source_host_wait(fixture->fake, 5));
    const struct fake_record *records = fixture->fake->records;
    expect_record(&records[0], "12471ce1b695.pin", -1, NULL,
                  "{\"index\":7528,\"title\":\"a \xc3\xa9 /\",\"n\":1.5,"
                  "\"big\":123456789012345678901,\"list\":[1,2]}");
    expect_record(&records[1], "12471ce1b695.pin", -1, "\"k\"", NULL);
    expect_record(&records[2], "12471ce1b695.pin", 3, "{\"a\":[]}", "1");
    expect_record(&records[3], "12471ce1b695.pin", -1, NULL, NULL);
    expect_record(&records[4], "12471ce1b695.pin", -1, NULL, "\"x\"");
    end(fixture);
}

/* invariant 5: `{}` is three bytes of a body, and a record. */
static void test_many_records_of_nothing(void **state)
{
    (void)state;
    const char *properties[] = {"listeners", "http://127.0.0.1:0", "sluice.http.body.max.bytes", "2048",
                                "sluice.http.inflight.max.bytes", "2048", NULL}; /* 4 records */
    char error[500];
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct fake_source_host *fake =
        fake_source_host_create(&rest_source_descriptor, properties, error, sizeof(error));
    assert_non_null(fake);
    fixture->fake = fake;
    fake->hold = true;
    (void)begin(fixture);
    client_open(&fixture->other, fixture->client.port);
    static const char head[] = "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Type: " JSON_V2 "\r\n";
    static const char five[] = "Content-Length: 29\r\n\r\n{\"records\":[{},{},{},{},{} ]}";
    client_send(&fixture->client, head, sizeof(head) - 1);
    client_send(&fixture->client, five, sizeof(five) - 1);
    assert_true(fake_source_host_wait(fake, 5));
    client_send(&fixture->other, head, sizeof(head) - 1);
    client_send(&fixture->other, five, sizeof(five) - 1);
    struct client *third = calloc(1, sizeof(*third));
    client_open(third, fixture->client.port);
    client_request(third, "GET", "/", NULL, NULL); /* the other's is in, too */
    assert_int_equal(third->status, 200);
    client_close(third);
    free(third);
    for (int64_t polls = fake->polls; fake->polls < polls + 3;) {
        usleep(1000);
    }
    pthread_mutex_lock(&fake->lock);
    size_t count = fake->record_count;
    pthread_mutex_unlock(&fake->lock);
    assert_int_equal(count, 5); /* those of the other wait */
    fake_source_host_release(fake);
    assert_true(client_receive(&fixture->client));
    assert_int_equal(fixture->client.status, 200);
    assert_true(fake_source_host_wait(fake, 10));
    fake_source_host_release(fake);
    assert_true(client_receive(&fixture->other));
    assert_int_equal(fixture->other.status, 200);
    client_close(&fixture->other);
    end(fixture);
}

static void test_binary(void **state)
{
    (void)state;
    struct fixture *fixture = begin(make(NULL, NULL));
    struct client *client = &fixture->client;
    client_request(client, "POST", "/topics/b/partitions/2", BINARY_V2,
                   "{\"records\":[{\"key\":\"a2V5\",\"value\":\"dmFsdWU=\"},{\"value\":\"\"},{}]}");
    expect(client, 200, "{\"offsets\":[" DONE(2, 0) "," DONE(2, 1) "," DONE(2, 2) TAIL);
    const struct fake_record *records = fixture->fake->records;
    expect_record(&records[0], "b", 2, "key", "value");
    expect_record(&records[1], "b", 2, NULL, "");
    expect_record(&records[2], "b", 2, NULL, NULL);
    client_request(client, "POST", "/topics/b", BINARY_V2,
                   "{\"records\":[{\"value\":\"Zg==\"},{\"value\":\"!\"}]}");
    expect(client, 400, "{\"error_code\":400,\"message\":\"Bad Request: data=\\\"!\\\" is not a valid "
                        "base64 string.\"}");
    client_request(client, "POST", "/topics/b", BINARY_V2, "{\"records\":[{\"key\":{\"a\": 1}}]}");
    expect(client, 400, "{\"error_code\":400,\"message\":\"Bad Request: data={\\\"a\\\":1} is not a "
                        "base64 string.\"}");
    assert_int_equal(fixture->fake->record_count, 3); /* all of a request or nothing */
    end(fixture);
}

struct bad {
    const char *body;
    int status, code;
    const char *message; /* beginning */
};

static void test_bad_bodies(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"", 422, 422, "produceJson.arg2 must not be null (was null)"},
        {"  \n", 422, 422, "produceJson.arg2 must not be null (was null)"},
        {"null", 422, 422, "produceJson.arg2 must not be null (was null)"},
        {"{}", 422, 422, "produceJson.arg2.records must not be empty (was [])"},
        {"{\"records\":[]}", 422, 422, "produceJson.arg2.records must not be empty (was [])"},
        {"{\"records\":null}", 422, 422, "produceJson.arg2.records must not be empty (was [])"},
        {"{\"receiver\":1}", 422, 422, "Unrecognized field: receiver"},
        {"{\"records\":[{\"my_field\":12}]}", 422, 422, "Unrecognized field: my_field"},
        {"{\"records\":[{\"value\":1}],\"x\":{}}", 422, 422, "Unrecognized field: x"},
        {"[]", 400, 400, "Cannot deserialize value of type `ProduceRequest` from Array value (token "
                         "`JsonToken.START_ARRAY`)"},
        {"{\"records\":{}}", 400, 400, "Cannot deserialize value of type `ProduceRecord>` from Object"},
        {"{\"records\":[1]}", 400, 400,
         "Cannot construct instance of `ProduceRecord` (although at least one Creator exists): no "
         "int/Int-argument constructor/factory method to deserialize from Number value (1)"},
        {"{\"records\":[{\"value\":1},null]}", 400, 400,
         "Cannot construct instance of `ProduceRequest`, problem: at index 1"},
        {"{\"records\":[{\"value\":1,\"partition\":true}]}", 400, 400,
         "Cannot deserialize value of type `Integer` from Boolean value (token "
         "`JsonToken.VALUE_TRUE`)"},
        {"{\"records\":[{\"value\":1,\"partition\":\"x\"}]}", 400, 400,
         "Cannot deserialize value of type `Integer` from String \"x\": not a valid"},
        {"{\"records\":[{\"value\":1,\"partition\":99999999999}]}", 400, 400,
         "Numeric value (99999999999) out of range of int (-2147483648 - 2147483647)"},
        {"{\"records\":[{\"value\":1,\"partition\":-1}]}", 500, 500, "Internal Server Error"},
        {"11.5\x01", 400, 400, "Unexpected character ((CTRL-CHAR, code 1)): Expected space separating"},
        {"\" text \"", 400, 400,
         "Cannot construct instance of `ProduceRequest` (although at least one Creator exists): no "
         "String-argument constructor/factory method to deserialize from String value ('text')"},
        {"[-Infi]", 400, 400, "Cannot deserialize value of type `ProduceRequest` from Array value"},
        {"-Infi", 400, 400, "Unrecognized token '-Infi': was expecting"},
        {"{\"rec\xc3", 400, 400, "Unexpected end-of-input in field name"},
        {"{\"records\":[{\"value\":1}]} \"x", 400, 400, "Trailing token (of type VALUE_STRING) found after"},
        {"{\"records\":[{\"value\":1}]} trailing", 400, 400, "Unrecognized token 'trailing': was expecting"},
        {"{\"records\":[{\"value\":1}]}{", 400, 400,
         "Trailing token (of type START_OBJECT) found after value (bound as `ProduceRequest`)"},
        {"{\"records\":[{\"key\":NaN}]}", 400, 400, "Non-standard token 'NaN': enable "
                                                 "`ALLOW_NON_NUMERIC_NUMBERS` to allow"},
        {"{\"extra\":1,\"records\":[{\"value\":1}],}", 400, 400,
         "Unexpected character ('}' (code 125)): was expecting double-quote to start field name"},
        {"{records:[]}", 400, 400, "Unexpected character ('r' (code 114)): was expecting double-quote "
                                   "to start field name"},
        {"{\"records\" [", 400, 400, "Unexpected character ('[' (code 91)): was expecting a colon to "
                                     "separate field name and value"},
        {"{\"records\":[{\"value\":1} {", 400, 400, "Unexpected character ('{' (code 123)): was "
                                                  "expecting comma to separate Array entries"},
        {"{\"records\":[{\"value\":1}", 400, 400, "Unexpected end-of-input"},
        {"{\"records\":[{\"value\":", 400, 400, "Unexpected end-of-input"},
        {"{\"records\":[{\"value\":}]}", 400, 400, "Unexpected character ('}' (code 125))"},
        {"{\"records\":[{\"value\":{\"a\":1]}]}", 400, 400, ""},
        {"{\"records\":[{\"value\":{\"a\" 1}}]}", 400, 400, ""},
        {"{\"records\":[{\"value\":01}]}", 400, 400, ""},
        {"{\"records\":[{\"value\":nul}]}", 400, 400, ""},
        {"{\"records\":[{\"value\":\"\xff\"}]}", 400, 400, ""},
        {"{\"records\":[{\"value\":\"open", 400, 400, ""},
        {"\xff\xfe{", 400, 400, ""},
        {"foobar", 400, 400, ""},
    };
    struct fixture *fixture = begin(make(NULL, NULL));
    struct client *client = &fixture->client;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        client_post(client, "/topics/a", cases[i].body);
        char expected[60];
        (void)snprintf(expected, sizeof(expected), "{\"error_code\":%d,\"message\":\"", cases[i].code);
        struct buffer message = {.max = 2000};
        rest_append_json(&message, cases[i].message);
        if (client->status != cases[i].status ||
            strncmp(client->body, expected, strlen(expected)) != 0 ||
            strncmp(client->body + strlen(expected), message.data + 1, message.size - 2) != 0 ||
            strlen(client->body) < strlen(expected) + 4) {
            print_error("%s\ngave %d %s\n", cases[i].body, client->status, client->body);
            fail();
        }
        buffer_finish(&message);
    }
    assert_int_equal(fixture->fake->record_count, 0);
    client_request(client, "POST", "/topics/a/partitions/1", BINARY_V2, "{}");
    expect(client, 422,
           "{\"error_code\":422,\"message\":\"produceBinary.arg3.records must not be empty (was [])\"}");
    end(fixture);
}

static void decide(const struct sluice_record *record, struct sluice_delivery *delivery)
{
    struct sluice_span value = data_api.text(records_api.value(record));
    if (value.size == 0) {
        return;
    }
    static const struct {
        const char *value, *class_name;
        bool retriable;
    } faults[] = {
        {"retry", "org.apache.kafka.common.errors.TimeoutException", true},
        {"kafka", "org.apache.kafka.common.errors.RecordTooLargeException", false},
        {"login", "org.apache.kafka.common.errors.SaslAuthenticationException", false},
        {"right", "org.apache.kafka.common.errors.TopicAuthorizationException", false},
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (value.size == 5 && memcmp(value.data, faults[i].value, 5) == 0) {
            delivery->result = SLUICE_FATAL;
            delivery->error_class = faults[i].class_name;
            delivery->error = faults[i].value;
            delivery->retriable = faults[i].retriable;
        }
    }
    if (value.size == 4 && memcmp(value.data, "drop", 4) == 0) {
        delivery->result = SLUICE_DROP;
    }
}

static void test_partial_failure(void **state)
{
    (void)state;
    struct fixture *fixture = make(NULL, NULL);
    fixture->fake->decide = decide;
    (void)begin(fixture);
    struct client *client = &fixture->client;
    client_post(client, "/topics/a", "{\"records\":[{\"value\":\"fine\"},{\"value\":\"retry\"},"
                                     "{\"value\":\"kafka\"},{\"value\":\"drop\"},{\"value\":\"good\"}]}");
    expect(client, 200,
           "{\"offsets\":[" DONE(0, 0) "," FAILED(50003, "retry") "," FAILED(50002, "kafka")
               ",{\"partition\":null,\"offset\":null,\"error_code\":null,\"error\":null}," DONE(0, 1) TAIL);
    client_post(client, "/topics/a", "{\"records\":[{\"value\":\"login\"}]}");
    expect(client, 401, "{\"offsets\":[" FAILED(40101, "login") TAIL);
    client_post(client, "/topics/a", "{\"records\":[{\"value\":\"fine\"},{\"value\":\"right\"}]}");
    expect(client, 403, "{\"offsets\":[" DONE(0, 2) "," FAILED(40301, "right") TAIL);
    end(fixture);
}

static void test_topics_allowed(void **state)
{
    (void)state;
    static const char *const topics[] = {"12471ce1b695.pin", "other", NULL};
    struct fixture *fixture = make("sluice.topics.allow", "12471ce1b695\\.(pin|geo|user)");
    fixture->fake->topics = topics;
    (void)begin(fixture);
    struct client *client = &fixture->client;
    client_post(client, "/topics/12471ce1b695.geo", "{\"records\":[{\"value\":1}]}");
    expect(client, 200, "{\"offsets\":[" DONE(0, 0) TAIL);
    client_post(client, "/topics/12471ce1b695.geo2", "{\"records\":[{\"value\":1},{\"value\":2}]}");
    expect(client, 403,
           "{\"offsets\":[" FAILED(40301, "Not authorized to access topics: [12471ce1b695.geo2]") ","
               FAILED(40301, "Not authorized to access topics: [12471ce1b695.geo2]") TAIL);
    client_post(client, "/topics/a%20b", "{\"records\":[{\"value\":1}]}");
    expect(client, 200, "{\"offsets\":[" FAILED(50002, "Invalid topics: [a b]") TAIL);
    client_request(client, "GET", "/topics", NULL, NULL);
    expect(client, 200, "[\"12471ce1b695.pin\"]");
    client_request(client, "GET", "/topics/other", NULL, NULL);
    expect(client, 403,
           "{\"error_code\":40301,\"message\":\"Not authorized to access topics: [other]\"}");
    end(fixture);
}

static void test_metadata(void **state)
{
    (void)state;
    static const char *const topics[] = {"a", "b.c", NULL};
    struct fixture *fixture = make(NULL, NULL);
    fixture->fake->topics = topics;
    fixture->fake->partitions = 2;
    (void)begin(fixture);
    struct client *client = &fixture->client;
    client_request(client, "GET", "/topics", NULL, NULL);
    expect(client, 200, "[\"a\",\"b.c\"]");
    client_request(client, "GET", "/topics/a", NULL, NULL);
    expect(client, 200, "{\"name\":\"a\",\"configs\":{\"retention.ms\":\"5\"},\"partitions\":["
                        "{\"partition\":0,\"leader\":1,\"replicas\":[{\"broker\":1,\"leader\":true,"
                        "\"in_sync\":true}]},{\"partition\":1,\"leader\":-1,\"replicas\":[{\"broker\":1,"
                        "\"leader\":false,\"in_sync\":false}]}]}");
    client_request(client, "GET", "/topics/b.c/partitions/0", NULL, NULL);
    expect(client, 200, "{\"partition\":0,\"leader\":1,\"replicas\":[{\"broker\":1,\"leader\":true,"
                        "\"in_sync\":true}]}");
    client_request(client, "GET", "/brokers", NULL, NULL);
    expect(client, 200, "{\"brokers\":[1]}");
    client_request(client, "GET", "/topics/a/partitions/0/offsets", NULL, NULL);
    expect(client, 200, "{\"beginning_offset\":3,\"end_offset\":17}");
    client_request(client, "GET", "/topics/zzz", NULL, NULL);
    expect(client, 404, "{\"error_code\":40403,\"message\":\"This server does not host this "
                        "topic-partition.\"}");
    client_request(client, "GET", "/topics/a%20b", NULL, NULL);
    expect(client, 400, "{\"error_code\":40002,\"message\":\"The request attempted to perform an "
                        "operation on an invalid topic.\"}");
    client_request(client, "GET", "/topics/a/partitions/2", NULL, NULL);
    expect(client, 404, "{\"error_code\":40402,\"message\":\"Partition not found.\"}");
    fixture->fake->topics = NULL;
    client_request(client, "GET", "/topics", NULL, NULL);
    expect(client, 500, "{\"error_code\":50003,\"message\":\"Timed out waiting for the broker\"}");
    end(fixture);
}

static void *release_later(void *user)
{
    struct fake_source_host *fake = user;
    (void)fake_source_host_wait(fake, 3);
    fake_source_host_release(fake);
    return NULL;
}

/* invariant 2: no answer before the records are durable; one per request, in its records' order. */
static void test_answers_after_acknowledgement(void **state)
{
    (void)state;
    struct fixture *fixture = make(NULL, NULL);
    fixture->fake->hold = true;
    (void)begin(fixture);
    client_open(&fixture->other, port_of(fixture->fake));
    const char *one = "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Type: " JSON_V2
                      "\r\nContent-Length: 42\r\n\r\n{\"records\":[{\"value\":1},{\"value\":2}     ]}";
    const char *two = "POST /topics/b HTTP/1.1\r\nHost: h\r\nContent-Type: " JSON_V2
                      "\r\nContent-Length: 25\r\n\r\n{\"records\":[{\"value\":1}]}";
    client_send(&fixture->client, one, strlen(one));
    client_send(&fixture->other, two, strlen(two));
    pthread_t broker;
    assert_int_equal(pthread_create(&broker, NULL, release_later, fixture->fake), 0);
    assert_true(client_receive(&fixture->client));
    expect(&fixture->client, 200, "{\"offsets\":[" DONE(0, 0) "," DONE(0, 1) TAIL);
    assert_true(client_receive(&fixture->other));
    expect(&fixture->other, 200, "{\"offsets\":[" DONE(0, 0) TAIL);
    pthread_join(broker, NULL);
    client_close(&fixture->other);
    end(fixture);
}

static void test_stop_drains(void **state)
{
    (void)state;
    struct fixture *fixture = make(NULL, NULL);
    fixture->fake->hold = true;
    (void)begin(fixture);
    const char *text = "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Type: " JSON_V2
                       "\r\nContent-Length: 25\r\n\r\n{\"records\":[{\"value\":1}]}";
    client_send(&fixture->client, text, strlen(text));
    assert_true(fake_source_host_wait(fixture->fake, 1));
    fake_source_host_stop(fixture->fake); /* acknowledges, then stops */
    assert_true(client_receive(&fixture->client));
    expect(&fixture->client, 200, "{\"offsets\":[" DONE(0, 0) TAIL);
    assert_false(client_receive(&fixture->client));
    end(fixture);
}

static void test_large_batches(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    struct fixture *fixture = begin(make("sluice.http.records.max", "10000"));
    struct client *client = &fixture->client;
    char *body = malloc((COUNT + 1) * 60 + 100);
    for (int extra = 0; extra <= 1; extra++) {
        size_t used = (size_t)sprintf(body, "{\"records\":[");
        for (int i = 0; i < COUNT + extra; i++) {
            used += (size_t)sprintf(body + used, "%s{\"key\":%d,\"value\":{\"n\":%d}}", i ? "," : "",
                                    i, i);
        }
        (void)strcpy(body + used, "]}");
        client_post(client, "/topics/a", body);
        assert_int_equal(client->status, extra ? 413 : 200);
    }
    assert_int_equal(fixture->fake->record_count, COUNT);
    expect_record(&fixture->fake->records[COUNT - 1], "a", -1, "9999", "{\"n\":9999}");
    free(body);
    end(fixture);
}

static void test_settings(void **state)
{
    (void)state;
    static const char *const bad[][3] = {
        {"listeners", "ftp://x:1", "listeners"},
        {"listeners", "http://localhost", "listeners"},
        {"listeners", "http://::1:8082", "brackets"},
        {"listeners", "http://h:70000", "listeners"},
        {"listeners", "https://127.0.0.1:0", "ssl.keystore.location"},
        {"sluice.http.inflight.max.bytes", "2000", "sluice.http.body.max.bytes"},
        {"api.v2.enable", "false", "api.v2.enable"},
        {"sluice.topics.allow", "(", "sluice.topics.allow"},
        {"listeners", "http://no.such.host.invalid:0", "not known"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *properties[] = {bad[i][0], bad[i][1], NULL};
        char error[1024] = "";
        struct fake_source_host *fake =
            fake_source_host_create(&rest_source_descriptor, properties, error, sizeof(error));
        if (fake) {
            assert_int_equal(fake_source_host_start(fake), SLUICE_FATAL);
            (void)snprintf(error, sizeof(error), "%s", fake->error);
        }
        if (!strstr(error, bad[i][2])) {
            print_error("%s=%s: %s\n", bad[i][0], bad[i][1], error);
            fail();
        }
        fake_source_host_destroy(fake);
    }
}

static void test_converter(void **state)
{
    (void)state;
    char error[200];
    struct fake_source_host *fake =
        fake_source_host_create(&rest_source_descriptor, NULL, error, sizeof(error));
    const struct sluice_converter *vtable = rest_converter_descriptor.vtable;
    void *self = vtable->create(&fake->host);
    struct sluice_batch *batch = batch_new(NULL);
    struct sluice_span bytes = {"x", 1};
    assert_int_equal(vtable->configure(self, "c", NULL, SLUICE_CONVERT_VALUE), SLUICE_OK);
    assert_int_equal(vtable->from_connect(self, batch, "t", NULL, NULL, NULL, &bytes), SLUICE_OK);
    assert_null(bytes.data);
    assert_int_equal(vtable->from_connect(self, batch, "t", NULL, NULL,
                                          data_api.new_bytes(batch, "a\0b", 3), &bytes),
                     SLUICE_OK);
    assert_int_equal(bytes.size, 3);
    assert_memory_equal(bytes.data, "a\0b", 3);
    assert_int_equal(vtable->from_connect(self, batch, "t", NULL, NULL,
                                          data_api.new_bytes(batch, "", 0), &bytes),
                     SLUICE_OK);
    assert_non_null(bytes.data);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(vtable->from_connect(self, batch, "t", NULL, NULL,
                                          data_api.new_string(batch, "a\"", 2), &bytes),
                     SLUICE_OK);
    assert_int_equal(bytes.size, 5);
    assert_memory_equal(bytes.data, "\"a\\\"\"", 5);
    const struct sluice_schema *schema;
    const struct sluice_value *value;
    assert_int_equal(vtable->to_connect(self, batch, "t", NULL,
                                        (struct sluice_span){"{\"a\": 1}", 8}, &schema, &value),
                     SLUICE_OK);
    assert_int_equal(data_api.type(value), SLUICE_MAP);
    assert_int_equal(vtable->to_connect(self, batch, "t", NULL, (struct sluice_span){"{", 1}, &schema,
                                        &value),
                     SLUICE_BAD_RECORD);
    records_api.release(batch);
    vtable->destroy(self);
    fake_source_host_destroy(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_many_records_of_nothing),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_bad_bodies),
        cmocka_unit_test(test_partial_failure),
        cmocka_unit_test(test_topics_allowed),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_answers_after_acknowledgement),
        cmocka_unit_test(test_stop_drains),
        cmocka_unit_test(test_large_batches),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_converter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
