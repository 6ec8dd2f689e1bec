#include "core/worker/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"

void stage_begin(struct stage *stage, const char *description)
{
    *stage = (struct stage){.description = description, .began = clock_wall_ms()};
}

/* Which clients' overrides Connect looks at last. */
static const char *last_overrides(bool sink, json_t *config)
{
    const char *name;
    json_t *value;
    if (sink) {
        return "validating consumer config overrides for the connector";
    }
    json_object_foreach(config, name, value) {
        if (strncmp(name, "topic.creation.", 15) == 0) {
            return "validating admin config overrides for the connector";
        }
    }
    return "validating producer config overrides for the connector";
}

void stage_validation_begin(struct stage *stage)
{
    stage_begin(stage, "performing multi-property validation for the connector");
}

void stage_validation_complete(struct stage *stage, bool sink, json_t *config)
{
    stage_begin(stage, last_overrides(sink, config));
    stage_complete(stage);
}

void stage_complete(struct stage *stage)
{
    if (stage->description && stage->completed == 0) {
        stage->completed = clock_wall_ms();
    }
}

/* java.time.Instant's text: no fraction where it is zero. */
static void instant(int64_t ms, char *text, size_t size)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    size_t used = gmtime_r(&seconds, &parts) ? strftime(text, size, "%Y-%m-%dT%H:%M:%S", &parts) : 0;
    int fraction = (int)(ms % 1000);
    if (fraction != 0) {
        (void)snprintf(text + used, size - used, ".%03dZ", fraction);
    } else {
        (void)snprintf(text + used, size - used, "Z");
    }
}

char *stage_timed_out(const struct stage *stage)
{
    char began[64], completed[64], *text = NULL;
    int size;
    if (!stage->description) {
        return strdup("Request timed out");
    }
    instant(stage->began, began, sizeof(began));
    if (stage->completed != 0) {
        instant(stage->completed, completed, sizeof(completed));
        size = asprintf(&text,
                        "Request timed out. The last operation the worker completed was %s, which "
                        "began at %s and completed at %s.",
                        stage->description, began, completed);
    } else {
        size = asprintf(&text, "Request timed out. The worker is currently %s, which began at %s.",
                        stage->description, began);
    }
    return size < 0 ? NULL : text;
}
