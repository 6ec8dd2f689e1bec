/* What the parts of the HTTP source share. [task thread] */
#ifndef HTTP_SOURCE_H
#define HTTP_SOURCE_H

#include <sluice/source.h>

#include "connectors/http/common.h"
#include "connectors/http/pointer.h"
#include "connectors/http/template.h"
#include "lib/schedule/runs.h"

enum { URL_MAX = 16384, BODY_MAX = 1 << 20, OFFSET_MAX = 8192, REPLY_MAX = 64 << 20, REDIRECTS_MAX = 5 };
/** In the order of http_offset_modes. */
enum offset_mode { OFFSET_INCREMENTING, OFFSET_CHAINING, OFFSET_CURSOR, OFFSET_SNAPSHOT };
enum on_error { ERROR_FAIL, ERROR_IGNORE, ERROR_LOG };

extern const char *const http_offset_modes[];

struct entity {
    const char *name;
    char *topic;
    char *offset;    /* ${offset} of the next request */
    char *page_url;  /* the next page as a URL, instead of the template; NULL: none */
    size_t seen;     /* CURSOR: records of that page that were handed out */
    bool restored;
    int64_t due;     /* monotonic ms; INT64_MAX: not before the next scheduled run */
};

struct source {
    const struct sluice_host *host;
    const struct sluice_source_context *context;
    struct http_settings settings;
    bool configured;
    const char *url, *method, *parameters, *body;
    char *headers[HEADERS_MAX + 1];
    enum offset_mode mode;
    enum on_error on_error;
    bool by_link, by_offset; /* by_offset: ${offset} stands in the request */
    struct pointer offset_pointer, next_pointer, data_pointer, key_pointer;
    bool has_next_pointer, has_key_pointer;
    int64_t interval, page_interval;
    struct runs runs; /* with schedule.cron; without, each entity has its own due */
    const char *initial;
    struct entity *entities;
    size_t entity_count, current;
    struct http_client *client;
    struct http_call *call; /* NULL: nothing is asked at the moment */
    struct http_reply reply;
    bool answered;
    struct buffer target, request_body;
    int attempt;
    bool renewed;
    char *moved;   /* where an answer redirected the request to; NULL: nowhere */
    int redirects; /* followed since the request was begun */
    char failure[400]; /* told by the next poll, when the records before it are handed over; "": none */
    struct sluice_metric *requests, *failures;
};

/** The next entity's turn: this one has nothing more for so long. */
void source_rest(struct source *source, struct entity *entity, int64_t wait);
/** A request failed for good: as behavior.on.error says; a scheduled run has failed then, not the task. */
enum sluice_result source_give_up(struct source *source, struct sluice_batch *batch,
                                  struct entity *entity, const char *message);

/* source_answer.c */
/** Takes up where the entity was when its last offset was stored. */
void source_restore(struct source *source, struct sluice_batch *batch, struct entity *entity);
/** SNAPSHOT: back to the first page. */
void source_first_page(struct source *source, struct entity *entity);
/** Records out of source->reply, and where to go on. */
enum sluice_result source_take_answer(struct source *source, struct sluice_batch *batch,
                                      struct entity *entity);

#endif
