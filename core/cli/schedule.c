/* `sluice schedule`: when a cron expression is due, as schedule.cron of polling sources reads it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/cli/cli.h"
#include "lib/cron/cron.h"
#include "lib/java/dates.h"

enum { COUNT_MAX = 10000 };

/* Year 1 to 9999. */
#define FROM_MIN INT64_C(-62135596800000)
#define FROM_MAX INT64_C(253402300799999)

static const char help[] =
    "usage: sluice schedule 'MINUTE HOUR DAY MONTH WEEKDAY' [OPTION...]\n"
    "\n"
    "Prints when a schedule.cron is due next.\n"
    "  --timezone ZONE   of the expression and of what is printed (default UTC)\n"
    "  --count N         how many times to print (default 5)\n"
    "  --from MS         after this instant, milliseconds since 1970 UTC (default now)\n"
    "  --json            {\"ms\":.., \"time\":\"..\"} a line\n"
    "\n"
    "Exit status: 0, 2 bad expression or option.\n";

static int refuse(const char *format, const char *what)
{
    fprintf(stderr, "sluice schedule: ");
    fprintf(stderr, format, what);
    fputs("; `sluice schedule --help` tells more\n", stderr);
    return CLI_BAD_INPUT;
}

static bool read_number(const char *text, int64_t *ret)
{
    char *end;
    *ret = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

int verb_schedule(int argc, char **argv)
{
    const char *expression = NULL, *zone_name = "UTC";
    int64_t count = 5, from = (int64_t)time(NULL) * 1000;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return CLI_OK;
        }
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--timezone") == 0 && value) {
            zone_name = argv[++i];
        } else if (strcmp(argv[i], "--count") == 0 && value) {
            if (!read_number(argv[++i], &count) || count < 1 || count > COUNT_MAX) {
                return refuse("--count %s is no number from 1 to 10000", argv[i]);
            }
        } else if (strcmp(argv[i], "--from") == 0 && value) {
            if (!read_number(argv[++i], &from) || from < FROM_MIN || from > FROM_MAX) {
                return refuse("--from %s is no number of milliseconds (of the years 1 to 9999)", argv[i]);
            }
        } else if (argv[i][0] == '-' || expression) {
            return refuse("what is '%s'? The expression is one argument, in quotes", argv[i]);
        } else {
            expression = argv[i];
        }
    }
    char message[300];
    struct cron cron;
    struct zone *zone = NULL;
    struct date_format *format = NULL;
    if (!expression) {
        return refuse("%s", "no expression");
    }
    if (cron_parse(expression, &cron, message, sizeof(message)) != 0 ||
        zone_open(zone_name, &zone, message, sizeof(message)) != 0) {
        return refuse("%s", message);
    }
    if (date_format_create("EEE yyyy-MM-dd HH:mm:ss XXX", &format, message, sizeof(message)) != 0) {
        zone_close(zone);
        return refuse("%s", message);
    }
    for (int64_t at = from; count > 0; count--) {
        char text[80];
        at = cron_next(&cron, zone, at);
        date_format_print(format, zone, at, text, sizeof(text));
        if (json) {
            printf("{\"ms\":%" PRId64 ",\"time\":\"%s\"}\n", at, text);
        } else {
            puts(text);
        }
    }
    date_format_destroy(format);
    zone_close(zone);
    return CLI_OK;
}
