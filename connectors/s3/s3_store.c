/*
 * The S3 store's thread: takes pieces, keeps up to sluice.s3.uploads.max requests under way, and
 * decides what an answer means: done, again soon, again later (in trouble), or the end of the task.
 */
#include "connectors/s3/s3_store.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    POLL_MS = 1000,
    STOP_MS = 2000,            /* for aborts of unfinished uploads */
    IN_TROUBLE_LIMIT = 2,      /* requests at once while nothing works */
    BACKOFF_MAX_MS = 24 * 3600 * 1000,
    THROTTLE_MS = 1000,
    TEXT_SIZE = 900,
    BODY_MAX = 2 << 20,
    CORRECTIONS_MAX = 4,       /* of one request: another token, region; another clock without a pause */
    CLEAN_SHIFT_MAX = 5,       /* retry.backoff.ms, doubled so often, is between tries to tidy up */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- requests -- */

/* What tidies up only: it goes on quietly for as long as it takes, while nothing else depends on it. */
static bool cleans(const struct s3_request *request)
{
    return (request->kind == S3_ABORT && !request->stray) || request->kind == S3_RECLAIM;
}

struct s3_request *s3_request_new(struct s3_store *store, struct s3_object *object, enum s3_kind kind)
{
    struct s3_request *request = calloc(1, sizeof(*request));
    if (request) {
        request->store = store;
        request->object = object;
        request->kind = kind;
        buffer_init(&request->body, BODY_MAX);
        request->all_next = store->requests;
        if (store->requests) {
            store->requests->all_previous = request;
        }
        store->requests = request;
    }
    return request;
}

void s3_request_free(struct s3_request *request)
{
    if (request) {
        if (request->all_previous) {
            request->all_previous->all_next = request->all_next;
        } else {
            request->store->requests = request->all_next;
        }
        if (request->all_next) {
            request->all_next->all_previous = request->all_previous;
        }
        piece_free(request->store->memory, request->piece);
        free(request->stray);
        buffer_finish(&request->body);
        free(request);
    }
}

static void push_ready(struct s3_request *request)
{
    struct s3_store *store = request->store;
    request->next = NULL;
    if (store->ready_last) {
        store->ready_last->next = request;
    } else {
        store->ready = request;
    }
    store->ready_last = request;
}

void s3_enqueue(struct s3_request *request)
{
    request->object->active++;
    push_ready(request);
}

void s3_fail(struct s3_store *store, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    store->failed = true;
    store->client->failed(store->client, text);
}

static void forget_in(struct s3_request **list, const struct s3_object *object)
{
    while (*list) {
        struct s3_request *request = *list;
        if (request->object == object && !cleans(request)) {
            *list = request->next;
            request->object->active--;
            s3_request_free(request);
        } else {
            list = &request->next;
        }
    }
}

void s3_forget(struct s3_store *store, struct s3_object *object)
{
    forget_in(&store->ready, object);
    forget_in(&store->deferred, object);
    store->ready_last = store->ready;
    while (store->ready_last && store->ready_last->next) {
        store->ready_last = store->ready_last->next;
    }
    /* Those under way are waited for: their answers say whether an upload is left to be aborted. */
}

static void defer(struct s3_request *request, int64_t wait_ms)
{
    struct s3_store *store = request->store;
    request->not_before = now_ms() + wait_ms;
    request->next = store->deferred;
    store->deferred = request;
}

static int64_t random_below(struct s3_store *store, int64_t limit)
{
    store->random ^= store->random << 13; /* xorshift: jitter needs no better one */
    store->random ^= store->random >> 7;
    store->random ^= store->random << 17;
    return limit > 0 ? (int64_t)(store->random % (uint64_t)limit) : 0;
}

/* -- what answers mean -- */

static void trouble(struct s3_store *store, const struct s3_request *request, const char *why)
{
    char text[TEXT_SIZE], address[400];
    snprintf(text, sizeof(text), "%s cannot be written: %.450s",
             s3_request_text(request, address, sizeof(address)), why);
    store->in_trouble = true;
    store->client->trouble(store->client, text);
}

static void repeat(struct s3_request *request, const struct aws_fault *fault, const char *why)
{
    struct s3_store *store = request->store;
    const struct settings *settings = store->settings;
    request->attempts++;
    store->host->metric_add(store->retries, 1);
    if (fault->class == AWS_THROTTLED) {
        store->limit = store->limit > 1 ? store->limit / 2 : 1;
    }
    int64_t wait;
    int beyond = request->attempts - settings->part_retries;
    if (beyond > 0 && cleans(request)) {
        if (beyond == 1) {
            store->host->log(store->host, SLUICE_WARN, "%s of %s cannot be aborted yet: %s. Trying on",
                             request->kind == S3_ABORT ? "A multipart upload" : "Unfinished uploads",
                             request->object->upload->key, why);
        }
        int64_t base = settings->task_backoff << (beyond < CLEAN_SHIFT_MAX ? beyond : CLEAN_SHIFT_MAX);
        wait = base / 2 + random_below(store, base / 2 + 1);
    } else if (beyond > 0) {
        trouble(store, request, why);
        wait = settings->task_backoff / 2 + random_below(store, settings->task_backoff / 2 + 1);
    } else {
        int shift = request->attempts - 1 < 20 ? request->attempts - 1 : 20;
        int64_t base = settings->retry_backoff > BACKOFF_MAX_MS >> shift
                           ? BACKOFF_MAX_MS
                           : settings->retry_backoff << shift;
        wait = random_below(store, base + 1);
        if (fault->class == AWS_THROTTLED) {
            wait += THROTTLE_MS / 2 + random_below(store, THROTTLE_MS);
        }
    }
    if (fault->retry_after_ms > wait) {
        wait = fault->retry_after_ms;
    }
    defer(request, wait);
}

/* Apart from attempts: a request that was repeated through an outage may find its token expired behind it. */
static bool may_correct(struct s3_request *request)
{
    return request->corrections++ < CORRECTIONS_MAX;
}

/* Our clock is off: the server's Date is the right time, for as long as it stays with it. */
static void set_clock(struct s3_request *request, const struct aws_fault *fault, const char *why)
{
    s3_access_set_clock(&request->store->access, fault->server_time);
    if (may_correct(request)) {
        push_ready(request);
    } else {
        repeat(request, fault, why);
    }
}

static bool change_region(struct s3_request *request, const struct aws_fault *fault)
{
    struct s3_store *store = request->store;
    char message[300];
    if (!fault->region[0] || !may_correct(request) ||
        s3_access_move(&store->access, fault->region, message, sizeof(message)) != 0) {
        return false;
    }
    push_ready(request);
    return true;
}

static void give_up(struct s3_request *request, const struct aws_fault *fault, const char *why)
{
    struct s3_store *store = request->store;
    struct s3_object *object = request->object;
    char address[400];
    const char *hint = "";
    if (fault->class == AWS_DENIED) {
        hint = ". Check the credentials and what they may do with the bucket";
    } else if (fault->class == AWS_MISSING) {
        hint = ". Check s3.bucket.name and store.url";
    } else if (fault->class == AWS_REDIRECTED) {
        hint = ". Check s3.region";
    }
    s3_fail(store, "%s cannot be written: %.450s%s",
            s3_request_text(request, address, sizeof(address)), why, hint);
    s3_request_free(request);
    object->active--;
    s3_object_drop(store, object);
}

static void refused(struct s3_request *request, const struct http_reply *reply,
                    const struct aws_fault *fault, const char *why)
{
    struct s3_store *store = request->store;
    struct upload *upload = request->object->upload;
    if (request->kind == S3_RECLAIM) {
        store->host->log(store->host, fault->class == AWS_DENIED ? SLUICE_INFO : SLUICE_WARN,
                         "Uploads that former tasks left unfinished cannot be looked for: %s. A lifecycle "
                         "rule of the bucket (AbortIncompleteMultipartUpload) removes them", why);
        store->no_reclaim = true; /* it would be the same for each topic */
        s3_object_lost(request);
    } else if (request->stray) {
        s3_object_orphan(store, upload->key, request->stray); /* the object's own parts wait no longer */
        s3_object_lost(request);
    } else if (request->kind == S3_ABORT || request->kind == S3_LIST) {
        store->host->log(store->host, SLUICE_WARN,
                         "A multipart upload of %s %s left unfinished: %s. A lifecycle rule of the bucket "
                         "(AbortIncompleteMultipartUpload) removes it",
                         upload->key, request->kind == S3_LIST ? "may be" : "is", why);
        s3_object_lost(request);
    } else if (request->kind == S3_TAG ||
               (request->kind == S3_PUT && upload->tags && !request->untagged &&
                !store->settings->tagging_must_work)) {
        if (request->kind == S3_TAG && store->settings->tagging_must_work) {
            give_up(request, fault, why);
            return;
        }
        store->host->log(store->host, SLUICE_WARN, "%s cannot be tagged: %s", upload->key, why);
        if (request->kind == S3_TAG) {
            s3_object_done(request, NULL);
        } else {
            request->untagged = true;
            push_ready(request);
        }
    } else if (request->kind == S3_HEAD ||
               (request->kind == S3_COMPLETE && strcmp(fault->code, "NoSuchUpload") == 0)) {
        s3_object_head(request, reply, fault);
    } else {
        give_up(request, fault, why);
    }
}

static void on_reply(void *user, struct http_reply *reply)
{
    struct s3_request *request = user;
    struct s3_store *store = request->store;
    struct aws_fault fault;
    char why[500];
    request->call = NULL;
    store->active--;
    aws_classify(reply, request->kind == S3_COMPLETE, &fault);
    aws_fault_text(&fault, why, sizeof(why));
    if (request->kind == S3_CREATE && (fault.class == AWS_TRANSIENT || reply->sends > 1)) {
        request->object->doubtful = true;
    }
    if (fault.class == AWS_FINE) {
        if (store->in_trouble) {
            store->in_trouble = false;
            store->client->trouble(store->client, NULL);
        }
        if (store->limit < (size_t)store->settings->uploads_max) {
            store->limit++;
        }
        if (request->kind == S3_HEAD) {
            s3_object_head(request, reply, &fault);
        } else {
            s3_object_done(request, reply);
        }
        return;
    }
    if (!request->object->dropped && !store->client->may_finish(store->client, request->object->upload)) {
        s3_object_drop(store, request->object); /* what a successor did to it is no fault of this task's */
    }
    if (request->object->dropped && !cleans(request) && !request->stray) {
        s3_object_lost(request);
        return;
    }
    if (request->kind == S3_ABORT && fault.class == AWS_MISSING) {
        s3_object_done(request, reply); /* somebody was quicker */
        return;
    }
    if ((request->stray || request->kind == S3_LIST) && request->attempts >= store->settings->part_retries) {
        refused(request, reply, &fault, why);
        return;
    }
    switch (fault.class) {
    case AWS_TRANSIENT:
    case AWS_THROTTLED:
        repeat(request, &fault, why);
        break;
    case AWS_SKEWED:
        if (fault.server_time != 0) {
            set_clock(request, &fault, why);
        } else {
            refused(request, reply, &fault, why);
        }
        break;
    case AWS_EXPIRED:
        if (store->access.credentials) {
            aws_provider_refresh(store->access.credentials);
        }
        if (may_correct(request)) {
            defer(request, THROTTLE_MS);
        } else {
            refused(request, reply, &fault, why);
        }
        break;
    case AWS_REDIRECTED:
        if (!change_region(request, &fault)) {
            refused(request, reply, &fault, why);
        }
        break;
    case AWS_CONDITION:
        if (strcmp(fault.code, "ConditionalRequestConflict") == 0) {
            repeat(request, &fault, why);
        } else {
            s3_object_exists(request);
        }
        break;
    default:
        refused(request, reply, &fault, why);
        break;
    }
}

/* -- the thread -- */

static void start_ready(struct s3_store *store)
{
    size_t limit = store->in_trouble && store->limit > IN_TROUBLE_LIMIT ? IN_TROUBLE_LIMIT
                                                                        : store->limit;
    while (store->ready && store->active < limit) {
        struct s3_request *request = store->ready;
        char message[500];
        store->ready = request->next;
        if (!store->ready) {
            store->ready_last = NULL;
        }
        request->next = NULL;
        /* invariant 3: a successor may own the partition since this was queued */
        if ((request->kind == S3_PUT || request->kind == S3_COMPLETE) &&
            !store->client->may_finish(store->client, request->object->upload)) {
            struct s3_object *object = request->object;
            s3_request_free(request);
            object->active--;
            s3_object_drop(store, object);
            continue;
        }
        if (s3_request_start(request, on_reply, message, sizeof(message))) {
            store->active++;
        } else {
            struct aws_fault fault = {.class = AWS_TRANSIENT, .retry_after_ms = -1};
            repeat(request, &fault, message);
            break;
        }
    }
}

/* Nothing is left that could show that S3 works again: all that was tried was given up. New records will. */
static void end_trouble(struct s3_store *store)
{
    const struct s3_request *request = store->requests;
    while (request && cleans(request)) {
        request = request->all_next;
    }
    if (store->in_trouble && !request) {
        store->in_trouble = false;
        store->client->trouble(store->client, NULL);
    }
}

/* Moves requests whose time has come; returns ms until the next. */
static int wake_deferred(struct s3_store *store)
{
    int64_t now = now_ms(), next = now + POLL_MS;
    struct s3_request **at = &store->deferred;
    while (*at) {
        struct s3_request *request = *at;
        if (request->not_before <= now) {
            *at = request->next;
            push_ready(request);
        } else {
            next = request->not_before < next ? request->not_before : next;
            at = &request->next;
        }
    }
    return (int)(next - now);
}

static void take_pieces(struct s3_store *store, bool *ret_stopping)
{
    struct piece *piece = inbox_take(&store->inbox, 0, ret_stopping);
    while (piece) {
        struct piece *next = piece->next;
        s3_object_piece(store, piece);
        piece = next;
    }
}

static void *run(void *user)
{
    struct s3_store *store = user;
    bool stopping = false;
    int64_t stop_at = 0;
    for (;;) {
        take_pieces(store, &stopping);
        int wait = wake_deferred(store);
        if (stopping) {
            /* All is dropped by now; what is left are answers to await and uploads to abort. */
            stop_at = stop_at ? stop_at : now_ms() + STOP_MS;
            if ((store->active == 0 && !store->ready && !store->deferred) || now_ms() >= stop_at) {
                break;
            }
            wait = wait < 50 ? wait : 50;
        }
        start_ready(store);
        end_trouble(store);
        http_client_run(store->http, wait);
    }
    return NULL;
}

/* -- the store -- */

static int s3_start(struct store *base, char *message, size_t size)
{
    struct s3_store *store = (struct s3_store *)base;
    const struct settings *settings = store->settings;
    if (s3_access_open(&store->access, settings, store->host, message, size) != 0 ||
        s3_access_probe(&store->access, message, size) != 0) {
        return -1;
    }
    struct http_options options = s3_access_http(&store->access, (size_t)settings->uploads_max);
    store->http = http_client_create(&options);
    if (!store->http) {
        snprintf(message, size, "%s", http_client_problem());
        return -1;
    }
    store->limit = (size_t)settings->uploads_max;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    store->random = (uint64_t)now.tv_nsec << 20 ^ (uint64_t)now.tv_sec ^ (uintptr_t)store;
    store->random |= 1;
    store->retries = store->host->metric(store->host, "upload-retries", SLUICE_COUNTER);
    if (pthread_create(&store->thread, NULL, run, store) != 0) {
        snprintf(message, size, "No thread can be started");
        return -1;
    }
    store->has_thread = true;
    return 0;
}

static void send_piece(struct store *base, struct upload *upload, struct piece *piece)
{
    struct s3_store *store = (struct s3_store *)base;
    if (inbox_put(&store->inbox, upload, piece)) {
        http_client_wake(store->http);
    }
}

static void s3_cancel(struct store *base, struct upload *upload)
{
    struct piece *piece = calloc(1, sizeof(*piece));
    if (piece) {
        piece->cancel = true;
        send_piece(base, upload, piece);
    }
}

static void s3_stop(struct store *base)
{
    struct s3_store *store = (struct s3_store *)base;
    if (!store->has_thread || store->joined) {
        return;
    }
    inbox_stop(&store->inbox);
    http_client_wake(store->http);
    pthread_join(store->thread, NULL);
    store->joined = true;
    /* What could not end in time is given back all the same. */
    http_client_destroy(store->http);
    store->http = NULL;
    while (store->requests) {
        s3_request_free(store->requests);
    }
    store->ready = store->ready_last = store->deferred = NULL;
    s3_objects_end(store);
}

static void s3_destroy(struct store *base)
{
    struct s3_store *store = (struct s3_store *)base;
    http_client_destroy(store->http);
    s3_access_finish(&store->access);
    inbox_finish(&store->inbox);
    free(store);
}

static const struct store_vtable s3_store = {
    .start = s3_start,
    .send = send_piece,
    .cancel = s3_cancel,
    .reclaim = s3_reclaim,
    .stop = s3_stop,
    .destroy = s3_destroy,
};

struct store *s3_store_create(const struct settings *settings, const struct sluice_host *host,
                              struct store_client *client, struct memory *memory)
{
    struct s3_store *store = calloc(1, sizeof(*store));
    if (!store) {
        return NULL;
    }
    store->base =
        (struct store){.vtable = &s3_store, .piece_size = (size_t)settings->part_size,
                       .piece_min = 5 << 20 /* S3's least part */};
    store->settings = settings;
    store->host = host;
    store->client = client;
    store->memory = memory;
    inbox_init(&store->inbox);
    return &store->base;
}
