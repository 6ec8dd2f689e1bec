#include "core/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/clock.h"

enum { EVENTS = 64 };

struct loop_watch {
    struct loop *loop;
    int fd;
    bool dead; /* taken off while events of this turn may still point here */
    loop_fd_fn fn;
    void *user;
    struct loop_watch *next; /* in the list of dead ones */
};

struct loop_timer {
    struct loop *loop;
    int64_t due; /* monotonic ms */
    loop_fn fn;
    void *user;
    struct loop_timer *prev, *next; /* by due time */
};

struct post {
    loop_fn fn;
    void *user;
    struct post *next;
};

struct loop {
    int epoll, wake;
    atomic_bool stopped;
    struct loop_watch *dead;
    struct loop_timer *first, *last;
    pthread_mutex_t lock; /* of posts */
    struct post *posts, **posts_end;
};

struct loop *loop_create(struct error *error)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop) {
        (void)error_set(error, ERROR_NO_MEMORY, "Out of memory for an event loop");
        return NULL;
    }
    pthread_mutex_init(&loop->lock, NULL);
    loop->posts_end = &loop->posts;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (loop->epoll < 0 || loop->wake < 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) != 0) {
        (void)error_set_errno(error, errno, "Could not set up an event loop");
        loop_destroy(loop);
        return NULL;
    }
    return loop;
}

static void bury(struct loop *loop)
{
    while (loop->dead) {
        struct loop_watch *watch = loop->dead;
        loop->dead = watch->next;
        free(watch);
    }
}

void loop_destroy(struct loop *loop)
{
    if (!loop) {
        return;
    }
    bury(loop);
    while (loop->first) {
        loop_cancel(loop->first);
    }
    while (loop->posts) {
        struct post *post = loop->posts;
        loop->posts = post->next;
        free(post);
    }
    if (loop->epoll >= 0) {
        close(loop->epoll);
    }
    if (loop->wake >= 0) {
        close(loop->wake);
    }
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

static void wake(struct loop *loop)
{
    uint64_t one = 1;
    /* A full counter is awake already. */
    while (write(loop->wake, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopped, true);
    wake(loop);
}

/* -- descriptors -- */

struct loop_watch *loop_watch_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn fn,
                                 void *user)
{
    struct loop_watch *watch = malloc(sizeof(*watch));
    if (!watch) {
        return NULL;
    }
    *watch = (struct loop_watch){.loop = loop, .fd = fd, .fn = fn, .user = user};
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(watch);
        return NULL;
    }
    return watch;
}

void loop_watch_events(struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    (void)epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_unwatch(struct loop_watch *watch)
{
    if (!watch) {
        return;
    }
    int removed = epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    assert(removed == 0); /* else fd was closed first */
    (void)removed;
    watch->dead = true;
    watch->next = watch->loop->dead;
    watch->loop->dead = watch;
}

/* -- timers -- */

static void unlink_timer(struct loop_timer *timer)
{
    struct loop *loop = timer->loop;
    *(timer->prev ? &timer->prev->next : &loop->first) = timer->next;
    *(timer->next ? &timer->next->prev : &loop->last) = timer->prev;
}

struct loop_timer *loop_after(struct loop *loop, int64_t delay_ms, loop_fn fn, void *user)
{
    struct loop_timer *timer = malloc(sizeof(*timer));
    if (!timer) {
        abort(); /* a deadline that is silently missing would be worse */
    }
    int64_t due = clock_monotonic_ms() + (delay_ms > 0 ? delay_ms : 0);
    *timer = (struct loop_timer){.loop = loop, .due = due, .fn = fn, .user = user};
    /* From the end: most timers are set for later than those that are there. */
    struct loop_timer *before = loop->last;
    while (before && before->due > due) {
        before = before->prev;
    }
    timer->prev = before;
    timer->next = before ? before->next : loop->first;
    *(timer->prev ? &timer->prev->next : &loop->first) = timer;
    *(timer->next ? &timer->next->prev : &loop->last) = timer;
    return timer;
}

void loop_cancel(struct loop_timer *timer)
{
    if (timer) {
        unlink_timer(timer);
        free(timer);
    }
}

static void fire(struct loop *loop)
{
    int64_t now = clock_monotonic_ms(); /* those set meanwhile wait for the next turn */
    while (loop->first && loop->first->due <= now) {
        struct loop_timer *timer = loop->first;
        loop_fn fn = timer->fn;
        void *user = timer->user;
        loop_cancel(timer);
        fn(user);
    }
}

static int time_left(const struct loop *loop)
{
    if (!loop->first) {
        return -1;
    }
    int64_t left = loop->first->due - clock_monotonic_ms();
    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* -- calls from elsewhere -- */

void loop_post(struct loop *loop, loop_fn fn, void *user)
{
    struct post *post = malloc(sizeof(*post));
    if (!post) {
        abort(); /* the caller waits for this call */
    }
    *post = (struct post){.fn = fn, .user = user};
    pthread_mutex_lock(&loop->lock);
    *loop->posts_end = post;
    loop->posts_end = &post->next;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
}

static void run_posts(struct loop *loop)
{
    uint64_t count;
    while (read(loop->wake, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    pthread_mutex_lock(&loop->lock);
    struct post *posts = loop->posts;
    loop->posts = NULL;
    loop->posts_end = &loop->posts;
    pthread_mutex_unlock(&loop->lock);
    while (posts) {
        struct post *post = posts;
        posts = post->next;
        post->fn(post->user);
        free(post);
    }
}

int loop_run(struct loop *loop, struct error *error)
{
    struct epoll_event events[EVENTS];
    while (!atomic_load(&loop->stopped)) {
        int count = epoll_wait(loop->epoll, events, EVENTS, time_left(loop));
        if (count < 0 && errno != EINTR) {
            return error_set_errno(error, errno, "The event loop could not wait");
        }
        for (int i = 0; i < count; i++) {
            struct loop_watch *watch = events[i].data.ptr;
            if (!watch) {
                run_posts(loop);
            } else if (!watch->dead) {
                watch->fn(watch->user, events[i].events);
            }
        }
        fire(loop);
        bury(loop);
    }
    return 0;
}
