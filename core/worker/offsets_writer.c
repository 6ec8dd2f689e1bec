#include "core/worker/offsets_writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct waiter {
    void *key; /* NULL: forgotten */
    int64_t id;
    void (*done)(void *key, int64_t id, const char *message);
    struct waiter *next;
};

struct offsets_writer {
    struct loop *loop;
    struct offsets_file *file;
    struct waiter *pending; /* not in a write yet */
    struct waiter *writing; /* in the one under way */
    bool busy;
    pthread_t thread;
    bool started;
    /* under lock: shared with the thread */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *content;
    size_t size;
    bool ending;
    struct error error;
};

static void begin(struct offsets_writer *writer);

static void on_written(void *user)
{
    struct offsets_writer *writer = user;
    struct waiter *list = writer->writing;
    struct error error = writer->error;
    char *told = NULL; /* with its cause: a disk that is full, a folder of somebody else's */
    const char *text = error.message;
    if (error.cause && asprintf(&told, "%s: %s", error.message, error.cause->message) < 0) {
        told = NULL;
    }
    text = told ? told : text;
    writer->writing = NULL;
    writer->error = (struct error){0};
    writer->busy = false;
    while (list) {
        struct waiter *next = list->next;
        if (list->key) {
            list->done(list->key, list->id, text);
        }
        free(list);
        list = next;
    }
    free(told);
    error_clear(&error);
    if (writer->pending) {
        begin(writer);
    }
}

static void *write_main(void *user)
{
    struct offsets_writer *writer = user;
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        while (!writer->content && !writer->ending) {
            pthread_cond_wait(&writer->changed, &writer->lock);
        }
        if (!writer->content) {
            break;
        }
        char *content = writer->content;
        size_t size = writer->size;
        writer->content = NULL;
        pthread_mutex_unlock(&writer->lock);
        struct error error = {0};
        (void)!offsets_file_write(writer->file, content, size, &error);
        free(content);
        writer->error = error; /* the loop looks at it after the post only */
        loop_post(writer->loop, on_written, writer);
        pthread_mutex_lock(&writer->lock);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

static void begin(struct offsets_writer *writer)
{
    size_t size = 0;
    char *content = offsets_file_encode(writer->file, &size);
    writer->writing = writer->pending;
    writer->pending = NULL;
    writer->busy = true;
    if (!content) {
        (void)error_set(&writer->error, ERROR_NO_MEMORY, "Out of memory to store offsets");
        loop_post(writer->loop, on_written, writer);
        return;
    }
    pthread_mutex_lock(&writer->lock);
    writer->content = content;
    writer->size = size;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
}

struct offsets_writer *offsets_writer_create(struct loop *loop, struct offsets_file *file)
{
    struct offsets_writer *writer = calloc(1, sizeof(*writer));
    if (!writer) {
        return NULL;
    }
    writer->loop = loop;
    writer->file = file;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    writer->started = pthread_create(&writer->thread, NULL, write_main, writer) == 0;
    if (!writer->started) {
        offsets_writer_destroy(writer);
        return NULL;
    }
    return writer;
}

static void free_waiters(struct waiter *list)
{
    while (list) {
        struct waiter *next = list->next;
        free(list);
        list = next;
    }
}

void offsets_writer_destroy(struct offsets_writer *writer)
{
    if (!writer) {
        return;
    }
    if (writer->started) {
        pthread_mutex_lock(&writer->lock);
        writer->ending = true;
        pthread_cond_signal(&writer->changed);
        pthread_mutex_unlock(&writer->lock);
        pthread_join(writer->thread, NULL);
    }
    free_waiters(writer->pending);
    free_waiters(writer->writing);
    free(writer->content);
    error_clear(&writer->error);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

void offsets_writer_save(struct offsets_writer *writer, void *key, int64_t id,
                         void (*done)(void *key, int64_t id, const char *message))
{
    struct waiter *waiter = malloc(sizeof(*waiter));
    if (!waiter) {
        done(key, id, "Out of memory to store offsets");
        return;
    }
    *waiter = (struct waiter){key, id, done, writer->pending};
    writer->pending = waiter;
    if (!writer->busy) {
        begin(writer);
    }
}

void offsets_writer_forget(struct offsets_writer *writer, const void *key)
{
    struct waiter *const lists[] = {writer->pending, writer->writing};
    for (size_t i = 0; i < 2; i++) {
        for (struct waiter *waiter = lists[i]; waiter; waiter = waiter->next) {
            if (waiter->key == key) {
                waiter->key = NULL;
            }
        }
    }
}
