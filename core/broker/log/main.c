/*
 * sluice-log DIR: owns an embedded log. One process per folder, by flock on DIR/lock; clients
 * connect to DIR/log.sock. See owner.h for what it does.
 *
 *   sluice-log DIR --fd N     lives until descriptor N sees end of file (the worker's). While somebody
 *                             else owns DIR it waits for its turn. Where N is a socket, one byte is sent
 *                             on it as soon as DIR is served, by this process or another.
 *   sluice-log DIR --detach   started by a client that found nobody: returns 0 as soon as DIR is served,
 *                             by a process in the background that leaves when it is idle
 *   sluice-log DIR            in the foreground, until idle
 *   --config KEY=VALUE        log.retention.ms|minutes|hours|bytes, log.retention.check.interval.ms,
 *                             message.max.bytes, num.partitions, as Kafka's brokers have them
 *
 * Exit status: 0 a clean end, 1 failed while running, 2 bad arguments, 3 the folder cannot be used.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/broker/log/owner.h"

#define SOCKET_NAME "log.sock"

struct options {
    const char *dir;
    int life; /* -1: none */
    bool detach;
    struct owner_defaults defaults;
};

static const struct owner_defaults kafka_defaults = {
    .settings = {.retention_ms = 604800000, .retention_bytes = -1, .max_message_bytes = 1048588},
    .partitions = 1,
    .retention_check_ms = 300000,
};

static int number_of(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max) {
        return -1;
    }
    *ret = number;
    return 0;
}

static int set_default(struct owner_defaults *defaults, const char *pair)
{
    static const struct {
        const char *name, *topic_name;
        int64_t factor;
    } settings[] = {
        {"log.retention.ms", "retention.ms", 1},
        {"log.retention.minutes", "retention.ms", 60000},
        {"log.retention.hours", "retention.ms", 3600000},
        {"log.retention.bytes", "retention.bytes", 1},
        {"message.max.bytes", "max.message.bytes", 1},
    };
    struct error error = {0};
    const char *value = strchr(pair, '=');
    int64_t number;
    if (!value || number_of(value + 1, -1, INT64_MAX / 3600000, &number) != 0) {
        fprintf(stderr, "sluice-log: --config %s: KEY=NUMBER is expected\n", pair);
        return -1;
    }
    char name[64];
    (void)snprintf(name, sizeof(name), "%.*s", (int)(value - pair), pair);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (strcmp(settings[i].name, name) == 0) {
            char text[32];
            (void)snprintf(text, sizeof(text), "%lld",
                           (long long)(number < 0 ? number : number * settings[i].factor));
            if (topic_setting(&defaults->settings, settings[i].topic_name, text, &error) != 0) {
                fprintf(stderr, "sluice-log: --config %s: %s\n", pair, error.message);
                error_clear(&error);
                return -1;
            }
            return 0;
        }
    }
    if (strcmp(name, "num.partitions") == 0 && number >= 1 &&
        number <= WIRE_MAX_TOPIC_PARTITIONS) {
        defaults->partitions = (int32_t)number;
        return 0;
    }
    if (strcmp(name, "log.retention.check.interval.ms") == 0 && number >= 1) {
        defaults->retention_check_ms = number;
        return 0;
    }
    fprintf(stderr, "sluice-log: --config %s: unknown, or out of range\n", pair);
    return -1;
}

static int parse(int argc, char **argv, struct options *options)
{
    *options = (struct options){.life = -1, .defaults = kafka_defaults};
    for (int i = 1; i < argc; i++) {
        int64_t number;
        if (strcmp(argv[i], "--fd") == 0 && i + 1 < argc &&
            number_of(argv[i + 1], 0, 1 << 20, &number) == 0) {
            options->life = (int)number;
            i++;
        } else if (strcmp(argv[i], "--detach") == 0) {
            options->detach = true;
        } else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            if (set_default(&options->defaults, argv[++i]) != 0) {
                return -1;
            }
        } else if (argv[i][0] != '-' && !options->dir) {
            options->dir = argv[i];
        } else {
            options->dir = NULL;
            break;
        }
    }
    if (!options->dir) {
        fprintf(stderr, "usage: sluice-log DIR [--fd N | --detach] [--config KEY=VALUE]...\n");
        return -1;
    }
    return 0;
}

static int make_folders(const char *path)
{
    char *copy = strdup(path);
    int result = 0;
    for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) {
            result = -1;
            break;
        }
        *slash = '/';
    }
    free(copy);
    return result == 0 && mkdir(path, 0700) != 0 && errno != EEXIST ? -1 : result;
}

static int open_folder(const char *path, struct error *error)
{
    int fd = make_folders(path) == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return error_set_errno(error, errno, "The folder %s of the embedded log cannot be used",
                               path);
    }
    return fd;
}

/* Names in a folder that may be deeper than a socket's address is long. */
static struct sockaddr_un socket_address(int dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET_NAME,
                   dir);
    return address;
}

static int connect_to_owner(int dir)
{
    struct sockaddr_un address = socket_address(dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

enum { LOCKED, SERVED, LIFE_OVER };

/* Waits until the owner of now, or the reason to live, is gone. */
static bool wait_for_turn(int owner, int life)
{
    struct pollfd fds[2] = {{.fd = owner, .events = POLLIN}, {.fd = life, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    return fds[1].revents == 0;
}

/*
 * Becomes the owner. Starts are serialised by a lock on the folder itself, held until the winner
 * listens; so who finds DIR/lock taken either finds a listener, or an owner that is about to leave.
 */
static int lock_folder(const struct options *options, int dir, int *ret_lock, struct error *error)
{
    int lock = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        return error_set_errno(error, errno, "The embedded log %s cannot be locked", options->dir);
    }
    *ret_lock = lock;
    for (;;) {
        while (flock(dir, LOCK_EX) != 0) {
            if (errno != EINTR) {
                return error_set_errno(error, errno, "The embedded log %s cannot be locked",
                                       options->dir);
            }
        }
        if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
            return LOCKED;
        }
        int owner = connect_to_owner(dir);
        if (owner < 0) {
            while (flock(lock, LOCK_EX) != 0 && errno == EINTR) { /* it is leaving */
            }
            return LOCKED;
        }
        (void)flock(dir, LOCK_UN);
        if (options->life >= 0) {
            (void)send(options->life, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        bool again = options->life >= 0 && wait_for_turn(owner, options->life);
        close(owner);
        if (!again) {
            return options->life >= 0 ? LIFE_OVER : SERVED;
        }
    }
}

static int listen_in(int dir, const char *name, struct error *error)
{
    struct sockaddr_un address = socket_address(dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlinkat(dir, SOCKET_NAME, 0); /* ours alone: we hold the lock */
    mode_t before = umask(0177);
    bool failed = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
                  listen(fd, 1024) != 0;
    int why = errno;
    (void)umask(before);
    if (failed) {
        if (fd >= 0) {
            close(fd);
        }
        return error_set_errno(error, why, "The embedded log %s cannot listen on its socket", name);
    }
    return fd;
}

/* The starter waits for the byte; its exit status and stderr are the client's answer. */
static int detach(int *ret_ready)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t child = fork();
    if (child < 0) {
        return -1;
    }
    if (child > 0) {
        char status = 3;
        close(ends[1]);
        while (read(ends[0], &status, 1) < 0 && errno == EINTR) {
        }
        _exit(status);
    }
    close(ends[0]);
    (void)setsid();
    *ret_ready = ends[1];
    return 0;
}

static void tell_starter(int ready, int life)
{
    if (life >= 0) {
        (void)send(life, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (ready < 0) {
        return;
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < 3; fd++) {
        (void)dup2(null, fd);
    }
    if (null > 2) {
        close(null);
    }
    (void)!write(ready, "", 1);
    close(ready);
}

/* What was stored is found again only once the names of file and folder are on the disk, too. */
static void sync_names(int dir)
{
    int above = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)fsync(dir);
    if (above >= 0) {
        (void)fsync(above);
        close(above);
    }
}

static int run(const struct options *options, struct error *error)
{
    struct owner owner = {.listener = -1,
                          .epoll = -1,
                          .life = options->life,
                          .defaults = options->defaults,
                          .retention_at = INT64_MAX};
    int lock = -1, ready = -1, result = -1;
    if (options->detach && detach(&ready) != 0) {
        return error_set_errno(error, errno, "The embedded log cannot go into the background");
    }
    int dir = open_folder(options->dir, error);
    int state = dir < 0 ? -1 : lock_folder(options, dir, &lock, error);
    if (state == SERVED || state == LIFE_OVER) {
        tell_starter(ready, options->life);
        result = 0;
    } else if (state == LOCKED && store_open(&owner.store, dir, options->dir, error) == 0) {
        sync_names(dir); /* invariant 2 */
        owner.last_generation = (int64_t)owner.store.starts << 32;
        if (topics_load(&owner, error) == 0 && producers_load(&owner, error) == 0) {
            owner.listener = listen_in(dir, options->dir, error);
        }
        if (owner.listener >= 0) {
            (void)flock(dir, LOCK_UN);
            tell_starter(ready, options->life);
            result = server_run(&owner, error);
            /* Gone first, so that who cannot connect any more knows that the lock will be free. */
            (void)unlinkat(dir, SOCKET_NAME, 0);
            close(owner.listener);
        }
        while (owner.clients) {
            struct client *client = owner.clients;
            client->closing = true;
            server_drop(client);
        }
        groups_free(&owner);
        producers_free(&owner);
        topics_free(&owner);
        arena_finish(&owner.round.arena);
        store_close(&owner.store);
    }
    if (owner.epoll >= 0) {
        close(owner.epoll);
    }
    if (lock >= 0) {
        close(lock);
    }
    if (dir >= 0) {
        close(dir);
    }
    return result;
}

/* As many clients as it takes, where the starter's limit is the shells' usual 1,024. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    const rlim_t wanted = WIRE_MAX_CLIENTS + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct options options;
    struct error error = {0};
    if (parse(argc, argv, &options) != 0) {
        return 2;
    }
    /* Nothing of whoever started us is kept open, least of all its sockets and pipes. */
    if (options.life >= 3) {
        (void)close_range(3, (unsigned)options.life - 1, 0);
    }
    (void)close_range(options.life >= 3 ? (unsigned)options.life + 1 : 3, ~0u, 0);
    raise_descriptors();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit of file size is told to producers, too */
    /* LMDB takes and gives back its dirty pages with every commit: keep them mapped meanwhile. */
    (void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 16 << 20);
    if (options.detach) {
        (void)signal(SIGINT, SIG_IGN); /* Ctrl-C is for who runs in the foreground */
    }
    if (run(&options, &error) != 0) {
        fprintf(stderr, "sluice-log: [SLUICE-%d] %s%s%s\n", error.code, error.message,
                error.cause && error.cause->message ? ": " : "",
                error.cause && error.cause->message ? error.cause->message : "");
        int status = error.code == ERROR_SYSTEM || error.code == ERROR_NO_MEMORY ? 3 : 1;
        error_clear(&error);
        return status;
    }
    return 0;
}
