#include "core/base/log_levels.h"

#include "core/base/log.h"

static void on_level(void *user, const char *logger, bool own, enum log_level level,
                     int64_t modified)
{
    (void)modified;
    if (own) {
        json_object_set_new(user, logger, json_string(log_level_name(level)));
    }
}

json_t *log_levels_json(void)
{
    json_t *levels = json_object();
    log_each_level(on_level, levels);
    return levels;
}

void log_levels_take(json_t *levels)
{
    const char *logger;
    json_t *value;
    json_t *root = json_object_get(levels, LOG_ROOT);
    log_clear_levels();
    if (json_is_string(root) && log_level_parse(json_string_value(root)) >= 0) {
        log_set_level((enum log_level)log_level_parse(json_string_value(root)));
    }
    json_object_foreach(levels, logger, value)
    {
        int level = value != root && json_is_string(value) ? log_level_parse(json_string_value(value)) : -1;
        if (level >= 0) {
            log_set_level_only(logger, (enum log_level)level);
        }
    }
}
