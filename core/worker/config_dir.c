#include "core/worker/config_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/store/replace_file.h"
#include "core/worker/connector_file.h"
#include "lib/java/hash_order.h"
#include "lib/util/buffer.h"

#define LOGGER "sluice.worker.config-dir"
#define STATES ".states.json" /* {name: target}, of those that are not to run */

enum { SETTLE_MS = 100, NAME_MOST = 200 };

/* A file as it was last looked at. */
struct entry {
    char *path;
    char *name; /* of the connector; NULL: the file is bad and always was */
    json_t *config;
    ino_t inode;
    off_t size;
    struct timespec changed;
    bool seen; /* in the scan under way */
    struct entry *next;
};

struct config_dir {
    struct loop *loop;
    struct herder *herder;
    char *path;
    int fd; /* inotify */
    struct loop_watch *watch;
    struct loop_timer *timer;
    struct entry *entries;
    json_t *states;
};

/* -- entries -- */

static struct entry *find_path(struct config_dir *dir, const char *path)
{
    for (struct entry *entry = dir->entries; entry; entry = entry->next) {
        if (strcmp(entry->path, path) == 0) {
            return entry;
        }
    }
    return NULL;
}

static struct entry *find_name(struct config_dir *dir, const char *name)
{
    for (struct entry *entry = dir->entries; entry; entry = entry->next) {
        if (entry->name && strcmp(entry->name, name) == 0) {
            return entry;
        }
    }
    return NULL;
}

static struct entry *add_entry(struct config_dir *dir, const char *path)
{
    struct entry *entry = calloc(1, sizeof(*entry));
    if (!entry || !(entry->path = strdup(path))) {
        abort();
    }
    entry->next = dir->entries;
    dir->entries = entry;
    return entry;
}

static void drop_entry(struct config_dir *dir, struct entry *entry)
{
    struct entry **link = &dir->entries;
    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    free(entry->path);
    free(entry->name);
    json_decref(entry->config);
    free(entry);
}

static void set_known(struct entry *entry, const char *name, json_t *config)
{
    char *copy = strdup(name);
    if (!copy) {
        abort();
    }
    free(entry->name);
    entry->name = copy;
    json_decref(entry->config);
    entry->config = json_deep_copy(config);
}

static bool is_as_known(const struct entry *entry, const struct stat *status)
{
    return entry->inode == status->st_ino && entry->size == status->st_size &&
           entry->changed.tv_sec == status->st_mtim.tv_sec &&
           entry->changed.tv_nsec == status->st_mtim.tv_nsec;
}

static void remember(struct entry *entry, const struct stat *status)
{
    entry->inode = status->st_ino;
    entry->size = status->st_size;
    entry->changed = status->st_mtim;
}

/* -- targets -- */

static char *states_path(const struct config_dir *dir)
{
    char *path = NULL;
    if (asprintf(&path, "%s/" STATES, dir->path) < 0) {
        abort();
    }
    return path;
}

static void load_states(struct config_dir *dir)
{
    char *path = states_path(dir);
    dir->states = json_load_file(path, 0, NULL);
    if (!json_is_object(dir->states)) {
        json_decref(dir->states);
        dir->states = json_object();
    }
    free(path);
}

static void save_states(struct config_dir *dir)
{
    char *path = states_path(dir), *text = json_dumps(dir->states, JSON_INDENT(2) | JSON_SORT_KEYS);
    struct error error = {0};
    if (!text || replace_file(path, text, strlen(text), 0600, NULL, &error) != 0) {
        log_error(LOGGER, "States of connectors are not kept: %s",
                  error.message ? error.message : "out of memory");
    }
    error_clear(&error);
    free(path);
    free(text);
}

void config_dir_target(struct config_dir *dir, const char *name, enum connector_target target)
{
    const char *known = dir ? json_string_value(json_object_get(dir->states, name)) : NULL;
    const char *text = connector_target_name(target);
    if (!dir || strcmp(known ? known : "RUNNING", text) == 0) {
        return;
    }
    if (target == TARGET_RUNNING) {
        json_object_del(dir->states, name);
    } else {
        json_object_set_new(dir->states, name, json_string(text));
    }
    save_states(dir);
}

/* -- what REST did -- */

/* DIR/name.json, with what a file's name should not hold as %xx. */
static char *path_for(const struct config_dir *dir, const char *name)
{
    struct buffer out;
    buffer_init(&out, 65536);
    (void)buffer_printf(&out, "%s/", dir->path);
    size_t begin = out.size;
    const unsigned char *p = (const unsigned char *)name;
    for (; *p && out.size < begin + NAME_MOST; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '-' || *p == '_' ||
                     (*p == '.' && out.size > begin);
        (void)buffer_printf(&out, plain ? "%c" : "%%%02X", *p);
    }
    if (*p) { /* what is cut off tells it from others that begin so */
        (void)buffer_printf(&out, "~%08x", java_string_hash(name, strlen(name)));
    }
    (void)buffer_append_text(&out, ".json");
    return buffer_take(&out);
}

void config_dir_saved(struct config_dir *dir, const char *name, json_t *config)
{
    struct entry *entry = dir ? find_name(dir, name) : NULL;
    struct error error = {0};
    struct stat status;
    if (!dir) {
        return;
    }
    if (!entry) {
        char *path = path_for(dir, name);
        entry = find_path(dir, path);
        entry = entry ? entry : add_entry(dir, path);
        free(path);
    }
    if (connector_file_write(entry->path, config, &error) != 0) {
        log_error(LOGGER, "The configuration of %s is not kept: %s", name, error.message);
        error_clear(&error);
        return;
    }
    set_known(entry, name, config);
    if (stat(entry->path, &status) == 0) {
        remember(entry, &status);
    }
}

void config_dir_removed(struct config_dir *dir, const char *name)
{
    struct entry *entry = dir ? find_name(dir, name) : NULL;
    if (entry) {
        if (unlink(entry->path) != 0 && errno != ENOENT) {
            log_error(LOGGER, "%s cannot be deleted: %s", entry->path, strerror(errno));
        }
        drop_entry(dir, entry);
    }
    if (dir) {
        config_dir_target(dir, name, TARGET_RUNNING); /* a new one of that name begins anew */
    }
}

/* -- what was done by hand -- */

/* The folder may be closed, the entry gone when the answer comes. */
static void on_answer(void *user, const struct herder_reply *reply)
{
    char *path = user;
    if (reply->status >= 400) {
        log_error(LOGGER, "%s is not used: %s", path, reply->message ? reply->message : "");
    }
    free(path);
}

static void ask(struct config_dir *dir, enum herder_verb verb, const char *path, const char *name,
                json_t *config, enum connector_target state)
{
    const struct herder_request request = {
        .verb = verb,
        .name = name,
        .body = json_incref(config),
        .initial_state = state,
        .keep_failed = true,
        .from_file = true,
        .done = on_answer,
        .user = strdup(path),
    };
    herder_submit(dir->herder, &request);
}

static void forget(struct config_dir *dir, const char *path, const char *name)
{
    log_info(LOGGER, "Connector %s is deleted: %s does not describe it any more", name, path);
    config_dir_target(dir, name, TARGET_RUNNING);
    ask(dir, HERDER_DELETE, path, name, NULL, TARGET_RUNNING);
}

static void take_file(struct config_dir *dir, struct entry *entry, const struct connector_file *file)
{
    const struct entry *other = find_name(dir, file->name);
    enum connector_target state = file->initial_state;
    const char *kept = json_string_value(json_object_get(dir->states, file->name));
    if (other && other != entry) {
        log_error(LOGGER, "%s is not used: %s describes a connector '%s' too", entry->path,
                  other->path, file->name);
        return;
    }
    if (entry->name && strcmp(entry->name, file->name) != 0) {
        forget(dir, entry->path, entry->name);
    } else if (entry->config && json_equal(entry->config, file->config)) {
        return;
    }
    if (kept) {
        (void)connector_target_parse(kept, &state);
    }
    log_info(LOGGER, "Connector %s is %s from %s", file->name,
             entry->name ? "configured anew" : "taken", entry->path);
    set_known(entry, file->name, file->config);
    ask(dir, HERDER_PUT_CONFIG, entry->path, file->name, file->config, state);
}

static void look_at(struct config_dir *dir, const char *path)
{
    struct stat status;
    struct connector_file file = {0};
    struct error error = {0};
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return;
    }
    struct entry *entry = find_path(dir, path);
    entry = entry ? entry : add_entry(dir, path);
    entry->seen = true;
    if (is_as_known(entry, &status)) {
        return;
    }
    remember(entry, &status);
    if (connector_file_read(path, &file, &error) != 0) {
        log_error(LOGGER, "%s%s", error.message,
                  entry->name ? "; the connector keeps its former configuration" : "");
    } else if (!json_object_get(file.config, "connector.class")) {
        log_error(LOGGER, "%s: the key 'connector.class' is missing%s", path,
                  entry->name ? "; the connector keeps its former configuration" : "");
    } else {
        take_file(dir, entry, &file);
    }
    error_clear(&error);
    connector_file_finish(&file);
}

static int is_wanted(const struct dirent *item)
{
    const char *dot = strrchr(item->d_name, '.');
    return item->d_name[0] != '.' && dot &&
           (strcmp(dot, ".properties") == 0 || strcmp(dot, ".json") == 0);
}

static void scan(struct config_dir *dir)
{
    struct dirent **list = NULL;
    int count = scandir(dir->path, &list, is_wanted, alphasort);
    if (count < 0) {
        log_error(LOGGER, "%s cannot be read: %s", dir->path, strerror(errno));
        return;
    }
    for (struct entry *entry = dir->entries; entry; entry = entry->next) {
        entry->seen = false;
    }
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", dir->path, list[i]->d_name) < 0) {
            abort();
        }
        struct entry *entry = find_path(dir, path);
        if (entry) {
            entry->seen = true; /* before any file is taken: one may have been renamed */
        }
        free(path);
    }
    for (struct entry *entry = dir->entries, *next; entry; entry = next) {
        next = entry->next;
        if (!entry->seen) {
            if (entry->name) {
                forget(dir, entry->path, entry->name);
            }
            drop_entry(dir, entry);
        }
    }
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", dir->path, list[i]->d_name) < 0) {
            abort();
        }
        look_at(dir, path);
        free(path);
        free(list[i]);
    }
    free(list);
}

static void on_timer(void *user)
{
    struct config_dir *dir = user;
    dir->timer = NULL;
    scan(dir);
}

static void on_change(void *user, uint32_t events)
{
    struct config_dir *dir = user;
    char buffer[4096];
    (void)events;
    while (read(dir->fd, buffer, sizeof(buffer)) > 0) {
    }
    if (!dir->timer) { /* an editor writes a file in several steps */
        dir->timer = loop_after(dir->loop, SETTLE_MS, on_timer, dir);
    }
}

/* -- life -- */

int config_dir_open(struct loop *loop, struct herder *herder, const char *path,
                    struct config_dir **ret_dir, struct error *error)
{
    struct config_dir *dir = calloc(1, sizeof(*dir));
    if (!dir || !(dir->path = strdup(path))) {
        abort();
    }
    dir->loop = loop;
    dir->herder = herder;
    dir->fd = -1;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        (void)error_set_errno(error, errno, "The folder of connectors %s cannot be made", path);
        config_dir_close(dir);
        return -1;
    }
    dir->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (dir->fd < 0 ||
        inotify_add_watch(dir->fd, path,
                          IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR) < 0 ||
        !(dir->watch = loop_watch_fd(loop, dir->fd, EPOLLIN, on_change, dir))) {
        (void)error_set_errno(error, errno, "The folder of connectors %s cannot be watched", path);
        config_dir_close(dir);
        return -1;
    }
    load_states(dir);
    *ret_dir = dir;
    return 0;
}

void config_dir_start(struct config_dir *dir)
{
    scan(dir);
}

void config_dir_close(struct config_dir *dir)
{
    if (!dir) {
        return;
    }
    loop_cancel(dir->timer);
    loop_unwatch(dir->watch);
    if (dir->fd >= 0) {
        close(dir->fd);
    }
    while (dir->entries) {
        drop_entry(dir, dir->entries);
    }
    json_decref(dir->states);
    free(dir->path);
    free(dir);
}
