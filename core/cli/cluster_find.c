#include "core/cli/cluster_find.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <sluice/host.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/broker/broker.h"
#include "core/config/client_properties.h"

#define LOGGER "sluice.cli.worker"

enum {
    CLUSTER_MS = 60000,
    AT_ONCE_MS = 3000, /* a cluster that answers at all does so by then */
    SLICE_MS = 1000,
};

struct cluster_find {
    struct data_dir *data;
    struct properties client;
    struct broker *broker;
    struct broker_cluster cluster;
    int64_t deadline; /* monotonic ms */
    struct loop *loop;
    void (*done)(void *user, const struct error *error);
    void *user;
    pthread_t thread;
    bool started;
    atomic_bool ending;
    struct error error; /* the thread's, until it has posted */
};

/* What a client complained of where it did: a question that got no answer says less. */
static const char *why(const struct error *error)
{
    const char *cause = error->cause ? error->cause->message : NULL;
    return cause ? cause : error->message ? error->message : "no answer";
}

/* Once, for at most most_ms. 0 found, 1 no answer yet, -1 there will be none. */
static int ask(struct cluster_find *find, int64_t most_ms, struct error *error)
{
    int64_t left = find->deadline - clock_monotonic_ms();
    int timeout = (int)(left < 1 ? 1 : left < most_ms ? left : most_ms);
    if (broker_cluster(find->broker, timeout, &find->cluster, error) == 0) {
        return 0;
    }
    if (error->code == ERROR_TIMEOUT && clock_monotonic_ms() < find->deadline) {
        return 1;
    }
    (void)error_wrap(error, error->code, SLUICE_CONNECT_EXCEPTION,
                     "Failed to connect to and describe Kafka cluster. Check worker's broker "
                     "connection and security properties: %s",
                     why(error));
    return -1;
}

static void take(struct cluster_find *find)
{
    if (find->cluster.id) {
        (void)snprintf(find->data->cluster_id, sizeof(find->data->cluster_id), "%s",
                       find->cluster.id);
        log_info(LOGGER, "Kafka cluster ID: %s", find->cluster.id);
    }
}

int cluster_find_begin(const struct properties *worker, struct data_dir *data, bool terminal,
                       struct cluster_find **ret_find, struct error *error)
{
    struct cluster_find *find = calloc(1, sizeof(*find));
    *ret_find = NULL;
    if (!find) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory");
    }
    find->data = data;
    client_properties_of_worker(worker, &find->client);
    const char *text = properties_get(&find->client, "default.api.timeout.ms");
    long timeout = text ? strtol(text, NULL, 10) : 0;
    timeout = timeout > 0 && timeout < INT_MAX ? timeout : CLUSTER_MS;
    properties_remove(&find->client, "default.api.timeout.ms"); /* it is honoured here, not by the client */
    find->deadline = clock_monotonic_ms() + timeout;
    int found = broker_open(&find->client, &find->broker, error) == 0 ? ask(find, AT_ONCE_MS, error)
                                                                      : -1;
    if (found == 0) {
        take(find);
    } else if (found > 0) {
        int more = (int)((find->deadline - clock_monotonic_ms() + 999) / 1000);
        log_warn(LOGGER, "%s; waiting %d s more, and starting meanwhile", why(error), more);
        if (terminal) { /* the log is a file there */
            fprintf(stderr, "%s; waiting %d s more, and starting meanwhile\n", why(error), more);
        }
        error_clear(error);
        *ret_find = find;
        return 0;
    }
    cluster_find_end(find);
    return found;
}

static void on_end(void *user)
{
    struct cluster_find *find = user;
    if (atomic_load(&find->ending)) {
        return;
    }
    if (find->error.code == ERROR_NONE) {
        take(find);
    }
    find->done(find->user, find->error.code == ERROR_NONE ? NULL : &find->error);
}

static void *search(void *user)
{
    struct cluster_find *find = user;
    int found = 1;
    while (found > 0 && !atomic_load(&find->ending)) {
        error_clear(&find->error);
        found = ask(find, SLICE_MS, &find->error);
    }
    if (found <= 0) {
        loop_post(find->loop, on_end, find);
    }
    return NULL;
}

int cluster_find_go_on(struct cluster_find *find, struct loop *loop,
                       void (*done)(void *user, const struct error *error), void *user,
                       struct error *error)
{
    if (!find) {
        return 0;
    }
    find->loop = loop;
    find->done = done;
    find->user = user;
    find->started = pthread_create(&find->thread, NULL, search, find) == 0;
    return find->started ? 0
                         : error_set(error, ERROR_SYSTEM, "Could not start the search for the cluster");
}

void cluster_find_end(struct cluster_find *find)
{
    if (!find) {
        return;
    }
    atomic_store(&find->ending, true);
    if (find->started) {
        (void)pthread_join(find->thread, NULL);
    }
    broker_cluster_free(&find->cluster);
    broker_close(find->broker);
    properties_finish(&find->client);
    error_clear(&find->error);
    free(find);
}
