/* Role "check": finds the class and the check, runs it, says how it went. See check.h. */
#include "core/base/json_text.h"
#include "core/host/check.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

static void conclude(struct check *check, enum check_outcome outcome, const char *format,
                     va_list args)
{
    if (check->outcome == CHECK_OK) {
        check->outcome = outcome;
        if (vasprintf(&check->reason, format, args) < 0) {
            check->reason = NULL;
        }
    }
}

void check_fail(struct check *check, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    conclude(check, CHECK_FAILED, format, args);
    va_end(args);
}

void check_skip(struct check *check, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    conclude(check, CHECK_SKIPPED, format, args);
    va_end(args);
}

void check_phase(struct check *check, const char *call)
{
    host_phase(check->process, call, *call ? check->descriptor->class_name : "");
    if (*call) {
        plugin_failure_reset();
    }
}

/* A failure must have been said; the sentence, or NULL with the check failed. To be freed. */
static char *said_reason(struct check *check, const struct plugin_instance *instance,
                         const char *call, enum sluice_result result)
{
    static const char *const names[] = {"OK", "DROP", "RETRY", "BAD_RECORD", "FATAL"};
    if ((unsigned)result > SLUICE_FATAL) {
        check_fail(check, "%s returned %d, which is no enum sluice_result", call, (int)result);
        return NULL;
    }
    char *text = NULL;
    struct plugin_failure failure = {0};
    plugin_failure_take(&failure, result, instance, call);
    if (!failure.error.message || strstr(failure.error.message, "did not call host->error()")) {
        check_fail(check, "%s returned SLUICE_%s and did not call host->error()", call,
                   names[result]);
    } else if (asprintf(&text, "%s returned SLUICE_%s: %s", call, names[result],
                        failure.error.message) < 0) {
        text = NULL;
    }
    error_clear(&failure.error);
    return text;
}

bool check_result(struct check *check, const struct plugin_instance *instance, const char *call,
                  enum sluice_result result, unsigned accepted)
{
    check_phase(check, "");
    if (result == SLUICE_OK || (result == SLUICE_DROP && (accepted & (1u << SLUICE_DROP)))) {
        return result == SLUICE_OK; /* no reason is said with a drop */
    }
    char *reason = said_reason(check, instance, call, result);
    if (reason && !(accepted & (1u << result))) {
        check_fail(check, "%s", reason);
    }
    free(reason);
    return false;
}

bool check_accepted(struct check *check, const struct plugin_instance *instance, const char *call,
                    enum sluice_result result)
{
    check_phase(check, "");
    char *reason = result == SLUICE_OK ? NULL : said_reason(check, instance, call, result);
    if (reason && check->given) {
        check_fail(check, "%s", reason);
    } else if (reason) {
        check_skip(check, "give --config FILE; %s", reason);
    }
    free(reason);
    return result == SLUICE_OK;
}

struct plugin_instance *check_create(struct check *check)
{
    struct plugin_instance *instance = NULL;
    struct error error = {0};
    check_phase(check, "create");
    if (plugin_instance_create(&check->environment, check->descriptor->kind,
                               check->descriptor->class_name, &instance, &error) != 0) {
        check_fail(check, "%s", error.message);
    } else if (plugin_instance_configure(instance, &check->config, &error) != 0) {
        if (check->given) {
            check_fail(check, "%s", error.message);
        } else {
            check_skip(check, "give --config FILE; %s", error.message);
        }
        plugin_instance_destroy(instance);
        instance = NULL;
    }
    check_phase(check, "");
    error_clear(&error);
    return instance;
}

/* -- the role -- */

static const struct check_case *const tables[] = {
    check_config_cases,
    check_record_cases,
    check_connector_cases,
};

static bool concerns(const struct check_case *one, const struct check *check)
{
    return !one->kind || strcmp(one->kind, check->descriptor->kind) == 0;
}

static json_t *list_cases(const struct check *check)
{
    json_t *names = json_array();
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct check_case *one = tables[t]; one->name; one++) {
            if (concerns(one, check)) {
                json_array_append_new(names, json_string(one->name));
            }
        }
    }
    return json_pack("{s:s,s:o}", "type", "checks", "names", names);
}

static json_t *run_case(struct check *check, const char *name)
{
    static const char *const outcomes[] = {"ok", "not ok", "skipped"};
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct check_case *one = tables[t]; one->name; one++) {
            if (concerns(one, check) && strcmp(one->name, name) == 0) {
                one->run(check);
                return json_pack("{s:s,s:s,s:o}", "type", "checked", "outcome",
                                 outcomes[check->outcome], "reason",
                                 check->reason ? json_text(check->reason) : json_null());
            }
        }
    }
    return json_pack("{s:s,s:s,s:s}", "type", "checked", "outcome", "skipped", "reason",
                     "there is no such check for this kind");
}

int host_check(struct host_process *process, json_t *first)
{
    struct error error = {0};
    struct registry *registry = registry_create();
    struct check check = {
        .process = process,
        .environment = {.registry = registry, .page = process->page, .log_context = "[check] "},
    };
    const char *path = process_text(first, "path");
    (void)mallopt(M_PERTURB, 0x5a); /* what is used after it was freed is no longer what it was */
    host_phase(process, "loading", path);
    int result = registry_load(registry, path, &error);
    if (result == 0) {
        process_load_plugins(registry, json_object_get(first, "plugin_path"));
        host_phase(process, "", "");
        check.descriptor = registry_find(registry, process_text(first, "kind"),
                                         process_text(first, "class"), &error);
    }
    if (check.descriptor) {
        process_properties(&check.config, json_object_get(first, "config"));
        check.given = check.config.count > 0;
        const char *name = process_text(first, "check");
        process_send(process, *name ? run_case(&check, name) : list_cases(&check));
    } else {
        host_fail(process, &error);
        result = -1;
    }
    free(check.reason);
    error_clear(&error);
    properties_finish(&check.config);
    registry_destroy(registry);
    return result == 0 ? 0 : 1;
}
