/* The HTTP side alone, see server_fixture.h. */
#include "tests/unit/connectors/rest/server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void no_log(const struct sluice_host *host, enum sluice_log_level level, const char *format, ...)
{
    (void)host;
    (void)level;
    (void)format;
}

static struct sluice_metric *no_metric(const struct sluice_host *host, const char *name,
                                       enum sluice_metric_kind kind)
{
    (void)host;
    (void)name;
    (void)kind;
    return NULL;
}

static void no_add(struct sluice_metric *metric, int64_t amount)
{
    (void)metric;
    (void)amount;
}

void on_ready(void *user)
{
    struct fixture *fixture = user;
    pthread_mutex_lock(&fixture->lock);
    fixture->ready = true;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->lock);
}

/* The next request, waited for. */
struct rest_request *take(struct fixture *fixture)
{
    for (;;) {
        struct rest_request *request = rest_server_take(fixture->server, 1 << 20);
        if (request) {
            return request;
        }
        pthread_mutex_lock(&fixture->lock);
        while (!fixture->ready) {
            pthread_cond_wait(&fixture->changed, &fixture->lock);
        }
        fixture->ready = false;
        pthread_mutex_unlock(&fixture->lock);
    }
}

struct fixture *make(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_cond_init(&fixture->changed, NULL);
    fixture->host = (struct sluice_host){.size = sizeof(fixture->host), .log = no_log,
                                         .metric = no_metric, .metric_add = no_add};
    fixture->settings = (struct rest_settings){
        .listeners = {{.host = "127.0.0.1", .port = "0"}},
        .listener_count = 1,
        .allow_origin = "",
        .allow_methods = "",
        .allow_headers = "",
        .expose_headers = "",
        .body_max = 100000,
        .inflight_max = 100000,
        .records_max = 1000,
        .connections_max = 100,
        .idle_ms = 30000,
        .receive_ms = 30000,
        .answer_ms = 30000,
    };
    return fixture;
}

struct fixture *begin(struct fixture *fixture)
{
    char message[400];
    fixture->server = rest_server_create(&fixture->settings, &fixture->host, on_ready, fixture,
                                         message, sizeof(message));
    assert_non_null(fixture->server);
    client_open(&fixture->client, rest_server_port(fixture->server, 0));
    return fixture;
}

void end(struct fixture *fixture)
{
    rest_server_destroy(fixture->server);
    client_close(&fixture->client);
    pthread_cond_destroy(&fixture->changed);
    pthread_mutex_destroy(&fixture->lock);
    free(fixture);
}

void send_text(struct client *client, const char *text)
{
    client_send(client, text, strlen(text));
}

void give_back(struct fixture *fixture, struct rest_request *request, int64_t offset)
{
    assert_int_equal(rest_request_results(request, 1), 0);
    request->results[0].partition = 0;
    request->results[0].offset = offset;
    rest_server_done(fixture->server, request);
}
