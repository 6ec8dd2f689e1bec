/* What a polling source's schedule comes to: its next runs, and those on record. [loop thread] */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/worker/herder_priv.h"
#include "lib/cron/cron.h"
#include "lib/java/dates.h"

enum { NEXT_RUNS = 3 };

/* Whether the class of the connector has such a key: elsewhere it says nothing. */
static bool has_option(const struct connector *connector, const char *name)
{
    json_t *option, *descriptor = catalog_find_connector(
                        connector->herder->catalog,
                        json_string_value(json_object_get(connector->config, "connector.class")), NULL);
    size_t i;
    json_array_foreach(json_object_get(descriptor, "options"), i, option)
    {
        const char *text = json_string_value(json_object_get(option, "name"));
        if (text && strcmp(text, name) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *time_text(const struct date_format *format, const struct zone *zone, int64_t ms)
{
    char text[80];
    date_format_print(format, zone, ms, text, sizeof(text));
    return json_string(text);
}

/* Runs as lib/schedule/runs.h has them among the offsets. */
static json_t *last_runs(const struct connector *connector, const struct date_format *format,
                         const struct zone *zone)
{
    json_t *list = json_array(), *offsets = offsets_file_list(connector->herder->offsets, connector->name);
    json_t *item, *value;
    const char *key;
    size_t i;
    json_array_foreach(offsets, i, item)
    {
        json_t *partition = json_object_get(item, "partition"), *offset = json_object_get(item, "offset");
        if (!json_object_get(partition, "schedule") || !json_object_get(offset, "begin")) {
            continue;
        }
        json_t *task = json_object_get(partition, "task");
        json_t *run = json_pack("{s:I}", "task", task ? json_integer_value(task) : (json_int_t)0);
        json_object_foreach(offset, key, value)
        {
            bool is_time = strcmp(key, "tick") == 0 || strcmp(key, "begin") == 0 || strcmp(key, "end") == 0;
            if (is_time && json_is_integer(value)) {
                json_object_set_new(run, key, time_text(format, zone, json_integer_value(value)));
            } else {
                json_object_set(run, key, value);
            }
        }
        json_array_append_new(list, run);
    }
    json_decref(offsets);
    return list;
}

json_t *connector_schedule(const struct connector *connector)
{
    const char *text = json_string_value(json_object_get(connector->config, "schedule.cron"));
    const char *zone_name = json_string_value(json_object_get(connector->config, "schedule.timezone"));
    char message[300];
    struct cron cron;
    struct zone *zone = NULL;
    struct date_format *format = NULL;
    json_t *body = NULL;
    zone_name = zone_name ? zone_name : "UTC";
    /* What a config provider is still to put in tells nothing. */
    if (text && *text && has_option(connector, "schedule.cron") &&
        cron_parse(text, &cron, message, sizeof(message)) == 0 &&
        zone_open(zone_name, &zone, message, sizeof(message)) == 0 &&
        date_format_create("yyyy-MM-dd'T'HH:mm:ssXXX", &format, message, sizeof(message)) == 0) {
        json_t *next = json_array();
        int64_t at = clock_wall_ms();
        bool runs = strcmp(connector->state, "RUNNING") == 0;
        for (int i = 0; i < NEXT_RUNS && runs; i++) {
            at = cron_next(&cron, zone, at);
            json_array_append_new(next, time_text(format, zone, at));
        }
        body = json_pack("{s:s,s:s,s:o,s:o}", "cron", text, "timezone", zone_name, "next_runs", next,
                         "last_runs", last_runs(connector, format, zone));
    }
    date_format_destroy(format);
    zone_close(zone);
    return body;
}
