/* See date_text.h. */
#include "plugins/transforms/date_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/java/calendar.h"

#define MS_PER_DAY INT64_C(86400000)

size_t date_text(int64_t ms, char out[DATE_TEXT_SIZE])
{
    struct calendar_time at = calendar_split(ms);
    int size = 0;
    if (ms >= MS_PER_DAY) {
        size = snprintf(out, DATE_TEXT_SIZE, "%04" PRId64 "-%02d-%02d%s", at.year, at.month + 1,
                        at.day, ms % MS_PER_DAY == 0 ? "" : "T");
    }
    if (ms < MS_PER_DAY || ms % MS_PER_DAY != 0) {
        size += snprintf(out + size, DATE_TEXT_SIZE - (size_t)size, "%02d:%02d:%02d.%03dZ", at.hour,
                         at.minute, at.second, at.millisecond);
    }
    return (size_t)size;
}
