/*
 * sasl.jaas.config: one login module with its options, as Kafka's JaasConfig reads it through
 * java.io.StreamTokenizer: `Module flag name="value" ..;` with quotes of both sorts, escapes and
 * comments. Pure: [any thread].
 */
#ifndef LIB_JAVA_JAAS_H
#define LIB_JAVA_JAAS_H

#include <stddef.h>

struct jaas_option {
    char *name, *value; /* the value may be a secret */
};

struct jaas {
    char *module; /* class name */
    struct jaas_option *options;
    size_t option_count;
};

/** -1 with a sentence in message, in Kafka's words, never with a value. *ret is then empty. */
int jaas_parse(const char *text, struct jaas *ret, char *message, size_t message_size)
    __attribute__((warn_unused_result));
/** NULL where absent. */
const char *jaas_get(const struct jaas *jaas, const char *name);
/** Wipes values. NULL and zeroed ones are fine. */
void jaas_finish(struct jaas *jaas);

#endif
