#include "tests/unit/core/broker/log_fixture.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        char name[1024];
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
            if (entry->d_type == DT_DIR) {
                remove_tree(name);
            } else {
                (void)unlink(name);
            }
        }
    }
    if (dir) {
        closedir(dir);
    }
    (void)rmdir(path);
}

static void program_path(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 32);
    assert_true(n > 0);
    path[n] = '\0';
    strcpy(strrchr(path, '/'), "/../sluice-log");
    if (access(path, X_OK) != 0) {
        fail_msg("%s is not built; build the target sluice-log", path);
    }
}

void fixture_start(struct fixture *fixture, const char *const *configs)
{
    *fixture = (struct fixture){.life = -1, .last_offset = -1};
    const char *base = getenv("TMPDIR");
    (void)snprintf(fixture->dir, sizeof(fixture->dir), "%s/sluice-log.XXXXXX",
                   base ? base : "/tmp");
    assert_non_null(mkdtemp(fixture->dir));
    /* deeper than a socket's address is long */
    (void)snprintf(fixture->deep, sizeof(fixture->deep), "%s/%s/%s", fixture->dir,
                   "a-folder-with-a-long-name-a-folder-with-a-long-name-a-folder-with-a-long-name",
                   "another-folder-with-a-long-name-another-folder-with-a-long-name");
    char servers[800];
    (void)snprintf(servers, sizeof(servers), "local:%s", fixture->deep);
    properties_set(&fixture->properties, "bootstrap.servers", servers);
    if (configs) {
        fixture_start_owner(fixture, configs);
    }
    struct error error = {0};
    assert_int_equal(broker_open(&fixture->properties, &fixture->broker, &error), 0);
}

void fixture_start_owner(struct fixture *fixture, const char *const *configs)
{
    char program[1024], number[16];
    const char *arguments[32] = {"sluice-log", fixture->deep, "--fd", number};
    size_t count = 4;
    int life[2];
    for (; configs && *configs && count < 30; configs++) {
        arguments[count++] = "--config";
        arguments[count++] = *configs;
    }
    program_path(program, sizeof(program));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, life), 0);
    (void)snprintf(number, sizeof(number), "%d", life[0]);
    fixture->owner = fork();
    if (fixture->owner == 0) {
        close(life[1]);
        if (fixture->life >= 0) {
            close(fixture->life);
        }
        if (fixture->file_limit > 0) {
            struct rlimit limit = {fixture->file_limit, fixture->file_limit};
            (void)setrlimit(RLIMIT_FSIZE, &limit);
        }
        execv(program, (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(life[0]);
    if (fixture->life >= 0) {
        close(fixture->life);
    }
    fixture->life = life[1];
    char byte;
    assert_int_equal(read(fixture->life, &byte, 1), 1); /* it serves */
}

void fixture_kill_owner(struct fixture *fixture, int signal)
{
    if (fixture->owner > 0) {
        (void)kill(fixture->owner, signal);
        assert_int_equal(waitpid(fixture->owner, NULL, 0), fixture->owner);
        fixture->owner = 0;
    }
}

void fixture_finish(struct fixture *fixture)
{
    broker_close(fixture->broker);
    if (fixture->life >= 0) {
        close(fixture->life); /* the owner sees it and leaves cleanly */
    }
    if (fixture->owner > 0) {
        int status;
        assert_int_equal(waitpid(fixture->owner, &status, 0), fixture->owner);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    properties_finish(&fixture->properties);
    remove_tree(fixture->dir);
}

static void on_delivered(void *user, const struct broker_delivery *deliveries, size_t count)
{
    struct fixture *fixture = user;
    for (size_t i = 0; i < count; i++) {
        fixture->delivered++;
        fixture->last_offset = deliveries[i].offset;
        fixture->last_error = deliveries[i].error ? deliveries[i].error->code : ERROR_NONE;
        fixture->failed += deliveries[i].error != NULL;
        int64_t *offset = deliveries[i].opaque;
        if (offset) {
            *offset = deliveries[i].error ? -1 : deliveries[i].offset;
        }
    }
}

struct broker_producer *fixture_producer(struct fixture *fixture)
{
    struct broker_producer *producer = NULL;
    struct error error = {0};
    assert_int_equal(broker_producer_create(fixture->broker, &fixture->properties, on_delivered,
                                            fixture, &producer, &error),
                     0);
    return producer;
}

int64_t fixture_send(struct fixture *fixture, struct broker_producer *producer,
                     const struct broker_message *message)
{
    size_t before = fixture->delivered, sent = 0;
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    while (fixture->delivered == before) {
        if (clock_monotonic_ms() >= deadline) {
            fail_msg("a message was not delivered in time");
        }
        if (sent == 0) {
            sent = broker_producer_send(producer, message, 1, false);
        }
        if (fixture->delivered == before) {
            (void)broker_producer_poll(producer, 1000);
        }
    }
    return fixture->last_error == ERROR_NONE ? fixture->last_offset : -1;
}

int64_t fixture_put(struct fixture *fixture, struct broker_producer *producer, const char *topic,
                    const char *key, const char *value)
{
    struct broker_message message = {
        .topic = topic,
        .partition = BROKER_NO_PARTITION,
        .timestamp = BROKER_NO_TIMESTAMP,
        .key = key,
        .key_size = key ? (uint32_t)strlen(key) : 0,
        .value = value,
        .value_size = value ? (uint32_t)strlen(value) : 0,
    };
    return fixture_send(fixture, producer, &message);
}

void fixture_topic(struct fixture *fixture, const char *name, int32_t partitions,
                   const char *const *configs, size_t pairs)
{
    struct error error = {0};
    struct broker_topic_spec spec = {name, partitions, -1, configs, pairs};
    if (broker_topic_create(fixture->broker, &spec, FIXTURE_MS, &error) != 0) {
        fail_msg("%s", error.message);
    }
}

struct broker_consumer *fixture_consumer(struct fixture *fixture, const char *group,
                                         const struct broker_consumer_events *events, ...)
{
    struct properties properties = {0};
    struct broker_consumer *consumer = NULL;
    struct error error = {0};
    properties_copy(&properties, &fixture->properties);
    properties_set(&properties, "auto.offset.reset", "earliest");
    if (group) {
        properties_set(&properties, "group.id", group);
    }
    va_list args;
    va_start(args, events);
    for (const char *name; (name = va_arg(args, const char *));) {
        properties_set(&properties, name, va_arg(args, const char *));
    }
    va_end(args);
    if (broker_consumer_create(fixture->broker, &properties, events, &consumer, &error) != 0) {
        fail_msg("%s", error.message);
    }
    properties_finish(&properties);
    return consumer;
}

struct broker_consumer *fixture_read_from(struct fixture *fixture, const char *topic,
                                          int32_t partition, int64_t offset)
{
    struct broker_consumer *consumer = fixture_consumer(fixture, NULL, NULL, (char *)NULL);
    struct broker_offset from = {topic, partition, offset};
    struct error error = {0};
    assert_int_equal(broker_consumer_assign(consumer, &from, 1, &error), 0);
    return consumer;
}

struct broker_chunk *fixture_poll(struct broker_consumer *consumer, int timeout_ms)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    struct broker_chunk *chunk = NULL;
    struct error error = {0};
    for (int64_t left = timeout_ms; !chunk && left >= 0; left = deadline - clock_monotonic_ms()) {
        if (broker_consumer_poll(consumer, (int)left, 1000, 1 << 20, &chunk, &error) != 0) {
            fail_msg("%s", error.message);
        }
        if (left == 0) {
            break;
        }
    }
    return chunk;
}
