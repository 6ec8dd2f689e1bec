/*
 * Objects as files: PATH/<bucket>/<key>. Data goes into nameless-to-be files of a folder beside the
 * buckets and gets its name when it is on the disk; the name is on the disk before done() says so.
 * Many small objects share the syncs: all that waits is written, then one syncfs, then renamed, and
 * the names become durable with the syncfs of the next round (or one more where nothing waits).
 *
 * The folder for unfinished files is locked by the process that uses it; what a killed one left
 * behind is removed by the next.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/s3/file_data.h"
#include "connectors/s3/store.h"

enum {
    FEW = 4,            /* up to so many objects are synced one by one */
    TEXT_SIZE = 900,
};

static const char TEMPORARY[] = ".sluice-unfinished-";

/* What an upload has on the disk so far. */
struct partial {
    uint64_t number;
    int64_t size;
};

struct file_store {
    struct store base;
    const struct settings *settings;
    const struct sluice_host *host;
    struct store_client *client;
    struct memory *memory;
    struct file_data data;
    struct inbox inbox;
    pthread_t thread;
    bool has_thread, joined;
    char *bucket;           /* PATH/bucket */
    char *temporary;        /* folder of unfinished files; NULL: none yet */
    int root_fd, lock_fd;
    uint64_t next_number;
    bool in_trouble;
    struct upload *named;   /* renamed, but their names are not known to be on the disk */
};

/* -- outcomes -- */

static void finish(struct file_store *store, struct upload *upload, enum upload_outcome outcome)
{
    struct partial *partial = upload->state;
    upload->size = partial ? (size_t)partial->size : 0;
    upload->outcome = outcome;
    upload->state = NULL;
    free(partial);
    store->client->done(store->client, upload);
}

static void temporary_path(const struct file_store *store, const struct partial *partial,
                           char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%016" PRIx64, store->temporary, partial->number);
}

static void drop(struct file_store *store, struct upload *upload)
{
    char path[PATH_MAX];
    if (upload->state) {
        temporary_path(store, upload->state, path);
        unlink(path);
    }
    finish(store, upload, UPLOAD_DROPPED);
}

/* What may pass: a full or failing disk. The rest (names, rights) a person has to put right. */
static bool may_pass(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EIO || error == EMFILE ||
           error == ENFILE || error == ENOMEM || error == EAGAIN || error == ESTALE ||
           error == ETIMEDOUT || error == EROFS;
}

/* After a failed step: true to try it again (having waited), false to drop what it was for. */
static bool try_again(struct file_store *store, const struct upload *upload, int error)
{
    char text[TEXT_SIZE];
    snprintf(text, sizeof(text), "%.400s cannot be written under %.300s: %s", upload->key,
             store->bucket, strerror(error));
    if (!may_pass(error)) {
        store->client->failed(store->client, text);
        return false;
    }
    store->in_trouble = true;
    store->client->trouble(store->client, text);
    bool stopping = false;
    int64_t backoff = store->settings->task_backoff;
    int wait = backoff < 1 ? 1 : backoff > 60000 ? 60000 : (int)backoff;
    struct timespec pause = {.tv_nsec = 20000000};
    for (int waited = 0; waited < wait && !stopping; waited += 20) {
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&store->inbox.lock);
        stopping = store->inbox.stopping;
        pthread_mutex_unlock(&store->inbox.lock);
    }
    return !stopping;
}

static void works_again(struct file_store *store)
{
    if (store->in_trouble) {
        store->in_trouble = false;
        store->client->trouble(store->client, NULL);
    }
}

/* -- data -- */

static int write_piece(struct file_store *store, const struct piece *piece, bool sync)
{
    struct upload *upload = piece->upload;
    struct partial *partial = upload->state;
    if (!partial) {
        partial = calloc(1, sizeof(*partial));
        if (!partial) {
            errno = ENOMEM;
            return -1;
        }
        partial->number = store->next_number++;
        upload->state = partial;
    }
    char path[PATH_MAX];
    temporary_path(store, partial, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        return -1;
    }
    int result = file_data_write(&store->data, fd, &piece->chain, partial->size);
    if (result == 0 && sync && piece->last) {
        result = fdatasync(fd);
    }
    int error = errno;
    if (close(fd) != 0 && result == 0) {
        result = -1;
        error = errno;
    }
    errno = error;
    if (result == 0) {
        partial->size += (int64_t)piece->chain.size;
    }
    return result;
}

/* -- names -- */

/* Makes the folders above a file. */
static int make_folders(char *path, size_t from)
{
    for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int result = mkdir(path, 0777);
        int error = errno;
        *slash = '/';
        if (result != 0 && error != EEXIST) {
            errno = error;
            return -1;
        }
    }
    return 0;
}

static bool same_content(const char *a, const char *b)
{
    char one[65536], other[65536];
    int fd_a = open(a, O_RDONLY | O_CLOEXEC), fd_b = open(b, O_RDONLY | O_CLOEXEC);
    bool same = fd_a >= 0 && fd_b >= 0;
    ssize_t got = 1;
    while (same && got > 0) {
        got = read(fd_a, one, sizeof(one));
        ssize_t got_b = 0;
        while (got > 0 && got_b < got) {
            ssize_t part = read(fd_b, other + got_b, (size_t)(got - got_b));
            if (part <= 0) {
                break;
            }
            got_b += part;
        }
        same = got >= 0 && got_b == got && memcmp(one, other, (size_t)got_b) == 0;
    }
    same = same && read(fd_b, other, 1) == 0;
    if (fd_a >= 0) {
        close(fd_a);
    }
    if (fd_b >= 0) {
        close(fd_b);
    }
    return same;
}

static int give_name(struct file_store *store, struct upload *upload, bool *ret_new_folder)
{
    char from[PATH_MAX], to[PATH_MAX];
    temporary_path(store, upload->state, from);
    if (snprintf(to, sizeof(to), "%s/%s", store->bucket, upload->key) >= (int)sizeof(to)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (int try = 0;; try++) {
        int result = upload->conditional ? link(from, to) : rename(from, to);
        if (result == 0) {
            if (upload->conditional) {
                unlink(from);
            }
            return 0;
        }
        if (errno == EEXIST && upload->conditional) {
            /* invariant 3: what a former life of this task wrote is what we would write */
            if (same_content(from, to)) {
                unlink(from);
                return 0;
            }
            upload->exists = store->settings->original_faults;
            return -1;
        }
        if (errno != ENOENT || try > 0) {
            return -1;
        }
        *ret_new_folder = true;
        if (make_folders(to, strlen(store->settings->file_path) + 1) != 0) {
            return -1;
        }
    }
}

static int sync_folder_of(struct file_store *store, const struct upload *upload)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", store->bucket, upload->key) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    *strrchr(path, '/') = '\0';
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    int result = fsync(fd);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

/* -- rounds -- */

/* All that was written and named so far; false: given up, told. */
static bool sync_disk(struct file_store *store, const struct upload *upload)
{
    int result = 0;
    while ((result = syncfs(store->root_fd)) != 0 && try_again(store, upload, errno)) {
    }
    return result == 0;
}

static void finish_named(struct file_store *store, enum upload_outcome outcome)
{
    struct upload *upload = store->named;
    store->named = NULL;
    while (upload) {
        struct upload *next = upload->next;
        finish(store, upload, outcome);
        upload = next;
    }
}

/* Writes what waits; returns the objects that are complete, oldest first, and how many. */
static struct upload *write_pieces(struct file_store *store, struct piece *piece, size_t *ret_count)
{
    struct upload *first = NULL, **end = &first;
    size_t lasts = 0;
    for (const struct piece *each = piece; each; each = each->next) {
        lasts += each->last;
    }
    bool sync = store->settings->file_sync && lasts <= FEW;
    while (piece) {
        struct piece *next = piece->next;
        struct upload *upload = piece->upload;
        bool written = false;
        if (piece->cancel) {
            drop(store, upload);
        } else {
            while (upload->outcome == UPLOAD_UNDER_WAY &&
                   !(written = write_piece(store, piece, sync) == 0) &&
                   try_again(store, upload, errno)) {
            }
            if (!written) {
                upload->outcome = UPLOAD_DROPPED; /* what follows must not be taken for the whole */
            }
            if (piece->last && written) {
                upload->next = NULL;
                *end = upload;
                end = &upload->next;
            } else if (piece->last) {
                drop(store, upload);
            }
        }
        if (written) {
            works_again(store);
        }
        piece_free(store->memory, piece);
        piece = next;
    }
    *ret_count = lasts;
    return first;
}

/* True where the names may wait for the sync of the next round. */
static bool one_round(struct file_store *store, struct piece *pieces)
{
    size_t count = 0;
    struct upload *upload = write_pieces(store, pieces, &count);
    bool few = count <= FEW, sync = store->settings->file_sync, new_folder = false;
    if (upload && sync && !few) {
        /* Their data, and the names of the round before. */
        finish_named(store, sync_disk(store, upload) ? UPLOAD_DURABLE : UPLOAD_DROPPED);
    }
    while (upload) {
        struct upload *next = upload->next;
        bool named = false;
        if (store->client->may_finish(store->client, upload)) {
            while (!(named = give_name(store, upload, &new_folder) == 0) && !upload->exists &&
                   try_again(store, upload, errno)) {
            }
        }
        if (!named) {
            drop(store, upload);
        } else if (!sync || (few && !new_folder && sync_folder_of(store, upload) == 0)) {
            finish(store, upload, UPLOAD_DURABLE); /* invariant 1: data and name are on the disk */
        } else {
            upload->next = store->named;
            store->named = upload;
        }
        upload = next;
    }
    return !few;
}

static void *run(void *user)
{
    struct file_store *store = user;
    bool stopping = false;
    while (!stopping) {
        struct piece *pieces = inbox_take(&store->inbox, store->named ? 0 : -1, &stopping);
        if (stopping) {
            while (pieces) {
                struct piece *next = pieces->next;
                if (pieces->last || pieces->cancel) {
                    drop(store, pieces->upload);
                }
                piece_free(store->memory, pieces);
                pieces = next;
            }
        } else if (pieces && one_round(store, pieces)) {
            continue;
        }
        if (store->named) {
            bool durable = !store->settings->file_sync || sync_disk(store, store->named);
            finish_named(store, durable ? UPLOAD_DURABLE : UPLOAD_DROPPED);
        }
    }
    return NULL;
}

/* -- the folder -- */

static void remove_folder(int root, const char *name)
{
    int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlinkat(fd, entry->d_name, 0);
        }
    }
    closedir(folder);
    unlinkat(root, name, AT_REMOVEDIR);
}

/* Removes what processes that are gone left unfinished. */
static void remove_leftovers(struct file_store *store)
{
    int fd = dup(store->root_fd);
    DIR *root = fd >= 0 ? fdopendir(fd) : NULL;
    if (!root) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    rewinddir(root);
    for (const struct dirent *entry = readdir(root); entry; entry = readdir(root)) {
        if (strncmp(entry->d_name, TEMPORARY, sizeof(TEMPORARY) - 1) != 0) {
            continue;
        }
        int lock = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) {
            remove_folder(fd, entry->d_name);
        }
        if (lock >= 0) {
            close(lock);
        }
    }
    closedir(root);
}

static int make_temporary(struct file_store *store)
{
    for (int try = 0; try < 10; try++) {
        free(store->temporary);
        store->temporary = NULL;
        if (asprintf(&store->temporary, "%s/%sXXXXXX", store->settings->file_path, TEMPORARY) < 0) {
            store->temporary = NULL;
            errno = ENOMEM;
            return -1;
        }
        if (!mkdtemp(store->temporary)) {
            return -1;
        }
        store->lock_fd = open(store->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat status;
        /* Another one, tidying up, may have had it before it was locked. */
        if (store->lock_fd >= 0 && flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0 &&
            fstat(store->lock_fd, &status) == 0 && status.st_nlink > 0) {
            return 0;
        }
        if (store->lock_fd >= 0) {
            close(store->lock_fd);
            store->lock_fd = -1;
        }
    }
    return -1;
}

static int file_start(struct store *base, char *message, size_t size)
{
    struct file_store *store = (struct file_store *)base;
    const char *path = store->settings->file_path;
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof(folder), "%s/", store->bucket) >= (int)sizeof(folder)) {
        snprintf(message, size, "store.url: the path is too long");
        return -1;
    }
    if (make_folders(folder, 1) != 0 ||
        (store->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        snprintf(message, size, "The folder %s (store.url, s3.bucket.name) cannot be made: %s",
                 store->bucket, strerror(errno));
        return -1;
    }
    remove_leftovers(store);
    if (make_temporary(store) != 0) {
        snprintf(message, size, "No folder for unfinished objects can be made in %s (store.url): %s",
                 path, strerror(errno));
        return -1;
    }
    if (pthread_create(&store->thread, NULL, run, store) != 0) {
        snprintf(message, size, "No thread can be started");
        return -1;
    }
    store->has_thread = true;
    return 0;
}

static void file_send(struct store *base, struct upload *upload, struct piece *piece)
{
    struct file_store *store = (struct file_store *)base;
    (void)inbox_put(&store->inbox, upload, piece);
}

static void file_cancel(struct store *base, struct upload *upload)
{
    struct file_store *store = (struct file_store *)base;
    struct piece *piece = calloc(1, sizeof(*piece));
    if (piece) {
        piece->cancel = true;
        (void)inbox_put(&store->inbox, upload, piece);
    }
}

static void file_stop(struct store *base)
{
    struct file_store *store = (struct file_store *)base;
    if (store->has_thread && !store->joined) {
        inbox_stop(&store->inbox);
        pthread_join(store->thread, NULL);
        store->joined = true;
    }
}

static void file_destroy_store(struct store *base)
{
    struct file_store *store = (struct file_store *)base;
    if (store->root_fd >= 0 && store->temporary) {
        remove_folder(store->root_fd, strrchr(store->temporary, '/') + 1);
    }
    if (store->lock_fd >= 0) {
        close(store->lock_fd);
    }
    if (store->root_fd >= 0) {
        close(store->root_fd);
    }
    inbox_finish(&store->inbox);
    file_data_finish(&store->data);
    free(store->temporary);
    free(store->bucket);
    free(store);
}

static const struct store_vtable file_store = {
    .start = file_start,
    .send = file_send,
    .cancel = file_cancel,
    .stop = file_stop,
    .destroy = file_destroy_store,
};

struct store *file_store_create(const struct settings *settings, const struct sluice_host *host,
                                struct store_client *client, struct memory *memory)
{
    struct file_store *store = calloc(1, sizeof(*store));
    if (!store) {
        return NULL;
    }
    if (asprintf(&store->bucket, "%s/%s", settings->file_path, settings->bucket) < 0) {
        free(store);
        return NULL;
    }
    store->base = (struct store){.vtable = &file_store, .piece_size = FILE_PIECE_SIZE, .piece_min = 1};
    store->settings = settings;
    store->host = host;
    store->client = client;
    store->memory = memory;
    store->root_fd = -1;
    store->lock_fd = -1;
    file_data_init(&store->data, memory, settings->file_sync);
    inbox_init(&store->inbox);
    return &store->base;
}
