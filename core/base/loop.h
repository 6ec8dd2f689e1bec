/*
 * Event loop: descriptors, timers and calls from other threads, handled one after the other on the
 * thread that runs the loop. What is registered belongs to the loop until it is taken off; it may
 * be taken off at any time, also from within its own callback.
 *
 * [loop thread] unless a function says otherwise. Before loop_run() the thread that created the
 * loop counts as its thread.
 */
#ifndef CORE_BASE_LOOP_H
#define CORE_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"

struct loop;
struct loop_watch;
struct loop_timer;

/** NULL with error where descriptors or memory are short. */
struct loop *loop_create(struct error *error);
/** Calls posted and not yet made are dropped. NULL is fine. */
void loop_destroy(struct loop *loop);
/** Handles events until loop_stop(); 0, or -1 when waiting itself failed. */
int loop_run(struct loop *loop, struct error *error) CHECKED;
/** Ends loop_run() after the event under way. [any thread] */
void loop_stop(struct loop *loop);

/** events: EPOLLIN, EPOLLOUT, ..; level-triggered. */
typedef void (*loop_fd_fn)(void *user, uint32_t events);
/** Does not own fd. NULL: it cannot be watched (descriptors or memory short). */
struct loop_watch *loop_watch_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn,
                                 void *user);
void loop_watch_events(struct loop_watch *watch, uint32_t events);
/**
 * Call it before fd is closed: a child that another thread is just starting may hold a copy, with
 * which epoll would go on naming a watch that is gone. NULL is fine.
 */
void loop_unwatch(struct loop_watch *watch);

typedef void (*loop_fn)(void *user);
/** Calls fn once, delay_ms from now; the timer is gone then. Never NULL: aborts without memory. */
struct loop_timer *loop_after(struct loop *loop, int64_t delay_ms, loop_fn fn, void *user);
/** Not for one that has fired. NULL is fine. */
void loop_cancel(struct loop_timer *timer);

/** Has fn called on the loop's thread, in the order of posting. [any thread] */
void loop_post(struct loop *loop, loop_fn fn, void *user);

#endif
