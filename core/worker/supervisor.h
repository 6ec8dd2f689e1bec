/*
 * Supervisor: starts sluice-host processes, talks to them, limits their time, and tells how they
 * ended. It knows roles and messages only as far as they concern life and death
 * (core/host/protocol.h); what they mean is the herder's. Everything here: [loop thread].
 */
#ifndef CORE_WORKER_SUPERVISOR_H
#define CORE_WORKER_SUPERVISOR_H

#include <jansson.h>

#include "core/base/error.h"
#include "core/base/loop.h"
#include "core/metrics/page.h"

struct supervisor;
struct host;

/** What owners say of a host that ended with 0 before it had done its work. */
#define HOST_ENDED_ITSELF "ended by itself with exit status 0; a plugin shall not end its process"

/** How a host ended. */
struct host_end {
    bool clean;        /* exit status 0, and every message is handled */
    int code;          /* enum error_code where it is not clean */
    const char *trace; /* what a person reads, as Connect's traces; NULL where clean */
    /** One sentence of it, without the class; NULL where clean. */
    const char *message;
    const char *class_name; /* Java class of the failure; "" where it is not known */
};

struct host_options {
    const char *role;    /* first argument, for ps */
    const char *name;    /* second one: lake-0 */
    const char *subject; /* begins the sentences of traces: Task lake-0 */
    const char *context; /* of log lines: `[lake|task-0] ` */
    json_t *first;       /* first message; taken over */
    int64_t deadline_ms; /* for all it does; 0: none */
    /** A message; "failed" is kept for the end. message is borrowed. May be NULL. */
    void (*on_message)(void *user, const char *type, json_t *message);
    /** It is gone, all it said was handled; the host is freed after this call. Not for abandoned
     * ones. */
    void (*on_end)(void *user, const struct host_end *end);
    void *user;
};

/**
 * host_path: sluice-host; borrowed. stdin_fd becomes every host's standard input: an empty file
 * whose lock lives as long as any of them (core/worker/data_dir.h); stays the caller's.
 */
struct supervisor *supervisor_create(struct loop *loop, const char *host_path, int stdin_fd);
/** Only when idle. NULL is fine. */
void supervisor_destroy(struct supervisor *supervisor);
/** Hosts that have not ended. */
size_t supervisor_count(const struct supervisor *supervisor);
/** Called each time the last host has ended. */
void supervisor_on_idle(struct supervisor *supervisor, void (*fn)(void *user), void *user);
/** SIGKILL for all. */
void supervisor_kill_all(struct supervisor *supervisor);
/** Tells every host the levels of loggers as they are here now; hosts started later know them. */
void supervisor_push_log_levels(struct supervisor *supervisor);

/** This process' environment as an object, new: for hosts that run a config provider, which are started
 * with an empty one. */
json_t *supervisor_environment(void);
/** Starts one; NULL with error where that cannot be. options are copied. */
struct host *host_start(struct supervisor *supervisor, const struct host_options *options,
                        struct error *error);
/** Never blocks: what the host does not take yet waits here; a host that takes none is ended.
 * Steals. */
void host_send(struct host *host, json_t *message);
/** Asks it to stop, and kills it when it has not within timeout_ms. */
void host_stop(struct host *host, int64_t timeout_ms);
/** No callback comes any more; it is killed. NULL is fine. */
void host_abandon(struct host *host);
int host_pid(const struct host *host);
/** Its numbers, valid until on_end() has returned. */
struct metrics_page *host_page(struct host *host);

#endif
