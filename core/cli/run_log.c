#include "core/cli/run_log.h"

#include <string.h>
#include <strings.h>

#include "core/base/log_output.h"

static const char *chosen(const char *option, const struct properties *worker, const char *key)
{
    const char *text = option ? option : properties_get(worker, key);
    return text && *text ? text : NULL;
}

int run_log_open(const struct run_log *log, const struct properties *worker, const char *quiet_file,
                 bool to_stdout, struct error *error)
{
    const char *file = chosen(log->file, worker, "sluice.log.file");
    const char *format = chosen(log->format, worker, "sluice.log.format");
    const char *level = chosen(log->level, worker, "sluice.log.level");
    if (format && strcasecmp(format, "text") != 0 && strcasecmp(format, "json") != 0) {
        return error_set(error, ERROR_CONFIG,
                         "sluice.log.format is '%s'; there are text and json", format);
    }
    if (level && log_level_parse(level) < 0) {
        return error_set(error, ERROR_CONFIG,
                         "sluice.log.level is '%s'; there are TRACE, DEBUG, INFO, WARN, ERROR, FATAL "
                         "and OFF",
                         level);
    }
    if (level) {
        log_set_level((enum log_level)log_level_parse(level));
    }
    const struct log_output_options options = {
        .file = file ? file : quiet_file,
        .to_stdout = to_stdout,
        .json = format && strcasecmp(format, "json") == 0,
    };
    return log_output_open(&options, error);
}
