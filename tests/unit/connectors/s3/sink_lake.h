/* A folder of its own for each test, and a sink that is loaded as a plugin and writes into it. */
#ifndef TESTS_S3_SINK_LAKE_H
#define TESTS_S3_SINK_LAKE_H

#include <stddef.h>
#include <stdint.h>

#include "tests/support/fake_sink_host.h"

extern const char TOPIC[];
extern char lake[64]; /* the folder */

int make_lake(void **state);
int remove_lake(void **state);
char *read_object(const char *key, size_t *ret_size);
void expect_objects(const char *expected);
struct fake_sink_host *try_sink(const char *const *more, char *error, size_t size);
struct fake_sink_host *start_sink(const char *const *more);
struct fake_sink_record numbered(int64_t offset, const char *value, int64_t timestamp);
enum sluice_result put_many(struct fake_sink_host *fake, int64_t from, int64_t to);
enum sluice_result put_one(struct fake_sink_host *fake, int64_t offset, const char *value,
                                  int64_t timestamp);

#define SINK(...) start_sink((const char *const[]){__VA_ARGS__, NULL})

#endif
