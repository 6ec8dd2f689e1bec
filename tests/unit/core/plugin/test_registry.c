/* Loading: every way a file can be wrong has its own sentence; finding: every way a class is
 * written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/names.h"
#include "core/plugin/registry.h"

static char folder[] = "/tmp/sluice-registry-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[sizeof(folder) + 16];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static const char *write_bytes(const char *name, const void *data, size_t size)
{
    const char *path = path_of(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
    return path;
}

/* The first size bytes of a good plugin, with its machine replaced where machine is not 0. */
static const char *write_part(const char *name, size_t size, unsigned machine)
{
    static char bytes[1 << 20];
    int fd = open(TEMPLATES "/sink.so", O_RDONLY);
    assert_true(fd >= 0);
    ssize_t got = read(fd, bytes, sizeof(bytes));
    close(fd);
    assert_true(got > (ssize_t)size);
    if (machine) {
        ((Elf64_Ehdr *)bytes)->e_machine = (Elf64_Half)machine;
    }
    return write_bytes(name, bytes, size);
}

static void refuses(const char *path, enum error_code code, const char *words)
{
    struct registry *registry = registry_create();
    struct error error = {0};
    assert_int_equal(registry_load(registry, path, &error), -1);
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.message, path));
    if (!strstr(error.message, words)) {
        fail_msg("expected '%s' in '%s'", words, error.message);
    }
    assert_int_equal(registry_count(registry), 0);
    error_clear(&error);
    registry_destroy(registry);
}

static void each_fault_has_its_sentence(void **state)
{
    (void)state;
    refuses(path_of("nothing.so"), ERROR_PLUGIN_LOAD, "No such file");
    refuses(folder, ERROR_PLUGIN_LOAD, "not a shared object");
    refuses(BAD_PLUGINS "/text_file.so", ERROR_PLUGIN_LOAD, "not a shared object");
    refuses(write_bytes("empty.so", "", 0), ERROR_PLUGIN_LOAD, "not a shared object");
    refuses(write_bytes("a.jar", "PK\3\4....................", 24), ERROR_PLUGIN_LOAD,
            "Java archive");
    refuses(write_part("begin.so", 20, 0), ERROR_PLUGIN_LOAD, "cut off: it has 20 bytes");
    refuses(write_part("header.so", 64, 0), ERROR_PLUGIN_LOAD, "cut off: it has 64 bytes");
    refuses(write_part("arm.so", 8192, EM_ARM), ERROR_PLUGIN_LOAD, "another machine");
    refuses(write_part("short.so", 4096, 0), ERROR_PLUGIN_LOAD, "cut off: it has 4096 bytes");
    refuses("/bin/false", ERROR_PLUGIN_LOAD, "/bin/false");
    refuses(BAD_PLUGINS "/missing_symbol.so", ERROR_PLUGIN_LOAD, "bad_function_of_no_library");
    refuses(BAD_PLUGINS "/wrong_abi.so", ERROR_PLUGIN_ABI, "99.7, this sluice speaks 1.0");
}

static void a_library_that_is_no_plugin(void **state)
{
    (void)state;
    refuses(OTHER_LIBRARY, ERROR_PLUGIN_LOAD, "exports no sluice_plugin_entry()");
}

struct outcomes {
    int loading, good, bad, jars;
};

static void count_loading(void *user, const char *path)
{
    (void)path;
    ((struct outcomes *)user)->loading++;
}

static void count_file(void *user, const char *path, const struct error *error)
{
    struct outcomes *outcomes = user;
    outcomes->good += !error;
    bool jars = error && strstr(error->message, "Java archives left");
    (void)path;
    outcomes->bad += error && !jars;
    outcomes->jars += jars;
}

static void a_bad_file_does_not_hide_the_others(void **state)
{
    (void)state;
    struct registry *registry = registry_create();
    struct outcomes outcomes = {0};
    (void)write_bytes("b.jar", "PK\3\4", 4);
    (void)write_bytes("c.jar", "PK\3\4", 4);
    const char *const paths[] = {BAD_PLUGINS, NULL, "", folder, TEMPLATES "/sink.so", "/no/such"};
    registry_scan(registry, paths, 6, count_loading, count_file, &outcomes);
    assert_int_equal(registry_count(registry), 7); /* six bad ones that load, and the sink */
    assert_int_equal(outcomes.good, 7);
    assert_true(outcomes.bad >= 5);
    assert_int_equal(outcomes.jars, 1); /* one line, however many there are */
    const char *path = NULL;
    assert_string_equal(registry_at(registry, 1, &path)->class_name, "bad.Allocate");
    assert_string_equal(path, BAD_PLUGINS "/allocate.so");
    registry_destroy(registry);
}

static void what_is_skipped_is_not_loaded(void **state)
{
    (void)state;
    struct registry *registry = registry_create();
    struct error error = {0};
    registry_skip(registry, BAD_PLUGINS "/allocate.so");
    assert_int_equal(registry_load(registry, BAD_PLUGINS "/allocate.so", &error), 0);
    assert_int_equal(registry_count(registry), 0);
    registry_destroy(registry);
}

static void classes_are_found_by_every_name(void **state)
{
    (void)state;
    struct registry *registry = registry_create();
    struct error error = {0};
    assert_int_equal(registry_load(registry, BAD_PLUGINS "/null_deref.so", &error), 0);
    assert_int_equal(registry_load(registry, BAD_PLUGINS "/null_deref.so", &error), 0);
    assert_int_equal(registry_count(registry), 1);
    assert_non_null(registry_find(registry, NULL, "bad.NullDeref", &error));
    assert_non_null(registry_find(registry, SLUICE_SINK, "NullDeref", &error));
    assert_null(registry_find(registry, SLUICE_SOURCE, "NullDeref", &error));
    assert_int_equal(error.code, ERROR_UNKNOWN_CLASS);
    assert_non_null(strstr(error.message, "sluice plugins list"));
    assert_null(registry_find(registry, NULL, "Null", &error));
    assert_null(registry_find(registry, NULL, "", &error));
    error_clear(&error);
    registry_destroy(registry);
}

static void names(void **state)
{
    (void)state;
    assert_true(names_match("io.x.S3SinkConnector", "io.x.S3SinkConnector"));
    assert_true(names_match("io.x.S3SinkConnector", "S3SinkConnector"));
    assert_true(names_match("io.x.S3SinkConnector", "S3Sink"));
    assert_true(names_match("org.x.JsonConverter", "Json"));
    assert_true(names_match("org.x.MaskField$Value", "MaskField$Value"));
    assert_false(names_match("org.x.MaskField$Value", "MaskField"));
    assert_false(names_match("io.x.S3SinkConnector", "S3"));
    assert_false(names_match("io.x.Connector", ""));
    assert_false(names_match("io.x.S3SinkConnector", "x.S3SinkConnector"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_sentence),
        cmocka_unit_test(a_library_that_is_no_plugin),
        cmocka_unit_test(a_bad_file_does_not_hide_the_others),
        cmocka_unit_test(what_is_skipped_is_not_loaded),
        cmocka_unit_test(classes_are_found_by_every_name),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
