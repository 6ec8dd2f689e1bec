/* Pieces, uploads, and the list by which they go to a store's thread. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "connectors/s3/store.h"

void piece_free(struct memory *memory, struct piece *piece)
{
    if (piece) {
        chain_free(memory, &piece->chain);
        free(piece);
    }
}

void upload_free(struct upload *upload)
{
    if (upload) {
        free(upload->key);
        free(upload->tags);
        free(upload);
    }
}

void inbox_init(struct inbox *inbox)
{
    *inbox = (struct inbox){0};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&inbox->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&inbox->lock, NULL);
}

void inbox_finish(struct inbox *inbox)
{
    pthread_cond_destroy(&inbox->changed);
    pthread_mutex_destroy(&inbox->lock);
}

bool inbox_put(struct inbox *inbox, struct upload *upload, struct piece *piece)
{
    piece->upload = upload;
    piece->next = NULL;
    pthread_mutex_lock(&inbox->lock);
    bool first = !inbox->first;
    if (first) {
        inbox->first = piece;
    } else {
        inbox->last->next = piece;
    }
    inbox->last = piece;
    pthread_cond_signal(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
    return first;
}

struct piece *inbox_take(struct inbox *inbox, int timeout_ms, bool *ret_stopping)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&inbox->lock);
    while (!inbox->first && !inbox->stopping && timeout_ms != 0) {
        if (timeout_ms < 0) {
            pthread_cond_wait(&inbox->changed, &inbox->lock);
        } else if (pthread_cond_timedwait(&inbox->changed, &inbox->lock, &until) == ETIMEDOUT) {
            break;
        }
    }
    struct piece *first = inbox->first;
    inbox->first = inbox->last = NULL;
    *ret_stopping = inbox->stopping;
    pthread_mutex_unlock(&inbox->lock);
    return first;
}

void inbox_stop(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->stopping = true;
    pthread_cond_broadcast(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
}
