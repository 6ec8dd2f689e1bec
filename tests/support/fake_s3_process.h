/* tests/integration/s3/fake_s3.py as a process of its own, for tests in C. One per test program. */
#ifndef TESTS_SUPPORT_FAKE_S3_PROCESS_H
#define TESTS_SUPPORT_FAKE_S3_PROCESS_H

#include <jansson.h>

/** "http://127.0.0.1:PORT" while it runs. */
extern char fake_s3_url[64];

/** For cmocka's group setup and teardown. script: path of fake_s3.py. */
int fake_s3_start(const char *script);
int fake_s3_stop(void);
/** Its state, after an order (JSON) where one is given; to be released. NULL: no answer. */
json_t *fake_s3_control(const char *order);

#endif
