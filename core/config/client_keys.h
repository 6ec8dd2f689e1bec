/*
 * Every key of Kafka's Java clients (producer, consumer, admin client; 3.9), with what becomes of
 * it here. Validation, the composing of client properties, the mapping to librdkafka and the docs
 * all read this one table. Constant: [any thread].
 */
#ifndef CORE_CONFIG_CLIENT_KEYS_H
#define CORE_CONFIG_CLIENT_KEYS_H

#include <sluice/option.h>
#include <stdbool.h>

#include "core/config/properties.h"

enum {
    CLIENT_PRODUCER = 1,
    CLIENT_CONSUMER = 2,
    CLIENT_ADMIN = 4,
    CLIENT_ANY = 7,
};

enum client_key_way {
    CLIENT_KEY_MAPPED,  /* librdkafka has it: as `to`, clamped to its range */
    CLIENT_KEY_OURS,    /* honoured by code of ours; note says how */
    CLIENT_KEY_NOTHING, /* accepted, nothing is lost: note says why */
    CLIENT_KEY_NOT,     /* cannot be honoured: note is the reason that the warning gives */
};

struct client_key {
    struct sluice_option option; /* name, type, default, importance and validator of Kafka's ConfigDef */
    unsigned clients;
    enum client_key_way way;
    const char *to;          /* MAPPED: librdkafka's name; NULL: the same */
    int64_t to_min, to_max;  /* its range; both 0: any */
    const char *quiet;       /* NOT: a value that needs no warning, as it is what happens anyway */
    const char *note;
};

/** Sorted by name, closed by an entry without one. */
extern const struct client_key client_keys[];

/** NULL: Kafka has no such key. */
const struct client_key *client_key_find(const char *name);
/** The option as that kind of client (CLIENT_PRODUCER, ..) has it: few differ. */
struct sluice_option client_key_option(const struct client_key *key, unsigned client);
/** NULL, or ConfigDef's sentence about the value, owned by the caller; never with a secret in it. */
char *client_key_check(const struct client_key *key, const char *value);
/** What a warning about the key says; NULL: none is due. client: CLIENT_PRODUCER, .. */
const char *client_key_warning(const struct client_key *key, unsigned client, const char *value);

#endif
