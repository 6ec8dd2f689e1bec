/* The schedule; see rotation.h. */
#include "connectors/s3/rotation.h"

#include "lib/java/zone.h"

int64_t rotation_next(const struct zone *zone, int64_t interval, int64_t now)
{
    enum { DAY = 86400000 };
    int64_t local = now + (int64_t)zone_at(zone, now).seconds * 1000;
    int64_t midnight = local / DAY * DAY;
    int64_t next = interval < DAY ? midnight + ((local - midnight) / interval + 1) * interval
                                  : midnight + DAY;
    next = next > midnight + DAY ? midnight + DAY : next;
    int64_t at = next - (int64_t)zone_at_local(zone, next).seconds * 1000;
    return at > now ? at : now + interval; /* where the clock was put back in between */
}
