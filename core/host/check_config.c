/* Checks of what a plugin says about itself, and of the life of an instance. See check.h. */
#include "core/host/check.h"

#include <ctype.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

#include "core/config/config.h"

enum { LIVES = 1000, WARM_UP = 50, GROWTH_PER_LIFE = 8 };

static bool is_family(const char *name)
{
    return strchr(name, '*') != NULL;
}

static bool has_blank(const char *text)
{
    for (; *text; text++) {
        if (isspace((unsigned char)*text)) {
            return true;
        }
    }
    return false;
}

static bool is_connector(const struct check *check)
{
    return strcmp(check->descriptor->kind, SLUICE_SOURCE) == 0 ||
           strcmp(check->descriptor->kind, SLUICE_SINK) == 0;
}

/* -- guessing -- */

/* A value that the option's own table makes certain, or one harmless where nothing outside is
 * named. */
static bool guess(const struct check *check, const struct sluice_option *o, char *text, size_t size)
{
    const char *from =
        o->recommended && o->recommended[0] ? o->recommended[0]
        : (o->valid == SLUICE_VALID_ONE_OF || o->valid == SLUICE_VALID_ONE_OF_ANY_CASE) &&
                o->values && o->values[0]
            ? o->values[0]
        : o->valid == SLUICE_VALID_REGEX ? ".*"
                                         : NULL;
    if (from) {
        (void)snprintf(text, size, "%s", from);
        return true;
    }
    switch (o->type) {
    case SLUICE_OPTION_BOOLEAN:
        (void)snprintf(text, size, "false");
        return true;
    case SLUICE_OPTION_INT:
    case SLUICE_OPTION_SHORT:
    case SLUICE_OPTION_LONG:
    case SLUICE_OPTION_DOUBLE: {
        bool range = o->valid == SLUICE_VALID_RANGE;
        int64_t value = range && o->min > 1 ? o->min : range && o->max < 1 ? o->max : 1;
        (void)snprintf(text, size, "%" PRId64, value);
        return true;
    }
    case SLUICE_OPTION_STRING:
    case SLUICE_OPTION_LIST:
    case SLUICE_OPTION_PASSWORD:
        (void)snprintf(text, size, "a");
        return !is_connector(check); /* of a connector it may name a server, a file, a bucket */
    default:
        return false;
    }
}

bool check_guess(struct check *check)
{
    char missing[512] = "";
    size_t used = 0;
    if (strcmp(check->descriptor->kind, SLUICE_SINK) == 0 &&
        !properties_get(&check->config, "topics") &&
        !properties_get(&check->config, "topics.regex")) {
        properties_set(&check->config, "topics", "check");
    }
    for (const struct sluice_option *o = check->descriptor->options; o && o->name; o++) {
        char text[128];
        if (!o->required || is_family(o->name) || properties_get(&check->config, o->name)) {
            continue;
        }
        if (guess(check, o, text, sizeof(text))) {
            properties_set(&check->config, o->name, text);
        } else if (used < sizeof(missing) - 1) {
            int more =
                snprintf(missing + used, sizeof(missing) - used, "%s%s", used ? ", " : "", o->name);
            used += more > 0 ? (size_t)more : 0;
        }
    }
    if (used > 0) {
        check_skip(check, "give --config FILE with: %s", missing);
    }
    return used == 0;
}

/* -- what it says about itself -- */

static void check_value(struct check *check, const struct sluice_option *o, const char *text,
                        const char *what)
{
    const struct sluice_option pair[] = {*o, {.name = NULL}};
    const struct sluice_option *const tables[] = {pair, NULL};
    struct properties properties = {0};
    struct config_report report = {0};
    properties_set(&properties, o->name, text);
    check_phase(check, "validator");
    config_validate(tables, &properties, &report);
    check_phase(check, "");
    for (size_t i = 0; i < report.count; i++) {
        if (report.values[i].error_count > 0) {
            check_fail(check, "option %s: its %s is refused: %s", o->name, what,
                       report.values[i].errors[0]);
        }
    }
    config_report_finish(&report);
    properties_finish(&properties);
}

static bool is_known(const struct sluice_option *options, const char *name,
                     const struct sluice_option *but)
{
    for (const struct sluice_option *o = options; o->name; o++) {
        if (o != but && strcmp(o->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void check_option(struct check *check, const struct sluice_option *options,
                         const struct sluice_option *o)
{
    if (!*o->name || has_blank(o->name)) {
        check_fail(check, "option '%s': a name has no blanks and is not empty", o->name);
    }
    if ((unsigned)o->type > SLUICE_OPTION_PASSWORD || (unsigned)o->importance > SLUICE_LOW ||
        (unsigned)o->width > SLUICE_WIDTH_LONG || (unsigned)o->valid > SLUICE_VALID_CUSTOM) {
        check_fail(check, "option %s: type, importance, width or validator is out of range",
                   o->name);
        return;
    }
    if (is_known(options, o->name, o)) {
        check_fail(check, "option %s is in the table twice", o->name);
    }
    if (!o->internal && (!o->doc || !*o->doc)) {
        check_fail(check, "option %s has no doc", o->name);
    }
    bool one_of = o->valid == SLUICE_VALID_ONE_OF || o->valid == SLUICE_VALID_ONE_OF_ANY_CASE;
    if (one_of && (!o->values || !o->values[0])) {
        check_fail(check, "option %s: its validator needs values", o->name);
        return;
    }
    if (o->valid == SLUICE_VALID_CUSTOM && !o->check) {
        check_fail(check, "option %s: its validator needs a check function", o->name);
        return;
    }
    if (o->valid == SLUICE_VALID_RANGE && o->min > o->max) {
        check_fail(check, "option %s: min is above max", o->name);
    }
    if (!o->required && o->default_value && !is_family(o->name)) {
        check_value(check, o, o->default_value, "default");
    }
    for (const char *const *text = o->recommended; text && *text && !is_family(o->name); text++) {
        check_value(check, o, *text, "recommended value");
    }
    for (const char *const *name = o->dependents; name && *name; name++) {
        if (!is_known(options, *name, NULL)) {
            check_fail(check, "option %s: its dependent %s is not in the table", o->name, *name);
        }
    }
}

static void run_descriptor(struct check *check)
{
    const struct sluice_descriptor *descriptor = check->descriptor;
    if (has_blank(descriptor->class_name)) {
        check_fail(check, "a class name has no blanks");
    }
    if (!*descriptor->version) {
        check_fail(check, "the version is empty");
    }
    if (!descriptor->doc || !*descriptor->doc || strchr(descriptor->doc, '\n')) {
        check_fail(check, "the doc shall be one line");
    }
    for (const char *const *alias = descriptor->aliases; alias && *alias; alias++) {
        if (!**alias || has_blank(*alias)) {
            check_fail(check, "alias '%s': an alias has no blanks and is not empty", *alias);
        }
    }
    for (const struct sluice_option *o = descriptor->options; o && o->name; o++) {
        check_option(check, descriptor->options, o);
    }
}

/* A configuration without a required option is refused by name, before the plugin sees it. */
static void run_required(struct check *check)
{
    struct properties full = {0};
    const struct sluice_option *const tables[] = {check->descriptor->options, NULL};
    if (!check_guess(check)) {
        return;
    }
    for (const struct sluice_option *o = check->descriptor->options; o && o->name; o++) {
        if (!o->required || is_family(o->name)) {
            continue;
        }
        struct sluice_config *config = NULL;
        struct error error = {0};
        properties_finish(&full);
        properties_copy(&full, &check->config);
        (void)properties_remove(&full, o->name);
        if (config_create(tables, &full, &config, &error) == 0) {
            check_fail(check, "a configuration without %s is taken", o->name);
        } else if (!error.message || !strstr(error.message, o->name)) {
            check_fail(check, "without %s the error does not name it: %s", o->name, error.message);
        }
        config_destroy(config);
        error_clear(&error);
    }
    properties_finish(&full);
}

/* -- the life of an instance -- */

static void live_once(struct check *check)
{
    struct plugin_instance *instance = NULL;
    struct error error = {0};
    check_phase(check, "create");
    if (plugin_instance_create(&check->environment, check->descriptor->kind,
                               check->descriptor->class_name, &instance, &error) != 0) {
        check_fail(check, "%s", error.message);
    }
    error_clear(&error);
    check_phase(check, "destroy");
    plugin_instance_destroy(instance);
    check_phase(check, "");
}

static void run_create(struct check *check)
{
    live_once(check);
}

static void run_lives(struct check *check)
{
    for (int i = 0; i < WARM_UP && check->outcome == CHECK_OK; i++) {
        live_once(check);
    }
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < LIVES && check->outcome == CHECK_OK; i++) {
        live_once(check);
    }
    size_t after = mallinfo2().uordblks;
    if (after > before + (size_t)LIVES * GROWTH_PER_LIFE) {
        check_fail(check, "memory grows by %zu bytes with each create and destroy",
                   (after - before) / LIVES);
    }
}

const struct check_case check_config_cases[] = {
    {"descriptor and options", NULL, run_descriptor},
    {"required options", NULL, run_required},
    {"create and destroy", NULL, run_create},
    {"1000 lives without growth", NULL, run_lives},
    {0},
};
