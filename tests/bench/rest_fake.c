/*
 * The REST source in front of a fake host, for profiling it apart from any broker: listens on PORT for
 * SECONDS and prints what CPU time it took. Load comes from rest_load.
 *
 *   rest_fake PORT SECONDS [KEY VALUE]..
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "connectors/rest/rest.h"
#include "tests/support/fake_source_host.h"

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0 || argc > 30) {
        fprintf(stderr, "rest_fake PORT SECONDS [KEY VALUE]..\n");
        return 2;
    }
    char listener[64], error[600];
    (void)snprintf(listener, sizeof(listener), "http://127.0.0.1:%s", argv[1]);
    const char *properties[32] = {"listeners", listener};
    for (int i = 3; i < argc; i++) {
        properties[i - 1] = argv[i];
    }
    struct fake_source_host *fake =
        fake_source_host_create(&rest_source_descriptor, properties, error, sizeof(error));
    if (!fake) {
        fprintf(stderr, "rest_fake: %s\n", error);
        return 2;
    }
    fake->quiet = true;
    if (fake_source_host_start(fake) != SLUICE_OK) {
        fprintf(stderr, "rest_fake: %s\n", fake->error);
        return 3;
    }
    (void)sleep((unsigned)atoi(argv[2]));
    fake_source_host_stop(fake);
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double user = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
    double kernel = (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    long long records = 0;
    for (size_t i = 0; i < sizeof(fake->offsets) / sizeof(fake->offsets[0]); i++) {
        records += fake->offsets[i].next;
    }
    printf("%lld records, %.3f CPU s (user %.3f, system %.3f), %.0f records per CPU second, "
           "%lld polls, %ld voluntary switches, %ld kB\n",
           records, user + kernel, user, kernel, (double)records / (user + kernel),
           (long long)fake->polls, usage.ru_nvcsw, usage.ru_maxrss);
    fake_source_host_destroy(fake);
    return 0;
}
