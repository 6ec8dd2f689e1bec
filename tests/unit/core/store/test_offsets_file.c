/* The offset file: a JVM's bytes read and written, keys by meaning, broken files refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/store/java_map.h"
#include "core/store/offsets_file.h"
#include "core/store/replace_file.h"

/* One entry, ["a",{"f":"x"}] -> {"p":1}, by the grammar of the Object Serialization Specification.
 */
static const char jvm[] =
    "\xac\xed\x00\x05sr\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02"
    "F\x00\x0aloadFactorI\x00\x09thresholdxp"
    "\x3f\x40\x00\x00\x00\x00\x00\x0cw\x08\x00\x00\x00\x10\x00\x00\x00\x01"
    "ur\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00xp\x00\x00\x00\x0f[\"a\",{\"f\":\"x\"}"
    "]"
    "uq\x00~\x00\x02\x00\x00\x00\x07{\"p\":1}x";

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/sluice-offsets-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/connect.offsets", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    rmdir(folder);
    return 0;
}

static void write_bytes(const char *data, size_t size)
{
    struct error error = {0};
    assert_int_equal(replace_file(path, data, size, 0644, NULL, &error), 0);
}

static struct offsets_file *open_file(void)
{
    struct offsets_file *file;
    struct error error = {0};
    int result = offsets_file_open(path, &file, &error);
    if (result != 0) {
        fail_msg("%s", error.message);
    }
    return file;
}

static void test_jvm_bytes_are_read_and_written(void **state)
{
    (void)state;
    write_bytes(jvm, sizeof(jvm) - 1);
    struct offsets_file *file = open_file();
    json_t *partition = json_pack("{s:s}", "f", "x");
    assert_int_equal(
        json_integer_value(json_object_get(offsets_file_get(file, "a", partition), "p")), 1);
    assert_null(offsets_file_get(file, "b", partition));
    size_t size;
    char *content = offsets_file_encode(file, &size);
    assert_int_equal(size, sizeof(jvm) - 1);
    assert_memory_equal(content, jvm, size);
    free(content);
    json_decref(partition);
    offsets_file_close(file);
}

/* The file is every connector's: what one has put in does not keep the others' from being stored. */
static void test_any_value_is_written(void **state)
{
    (void)state;
    struct offsets_file *file = open_file();
    json_t *text = json_string("x");
    offsets_file_set(file, "odd", text, text);
    size_t size = 0;
    char *content = offsets_file_encode(file, &size);
    assert_non_null(content);
    free(content);
    json_decref(text);
    offsets_file_close(file);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct offsets_file *file = open_file(); /* not there: empty */
    for (int i = 0; i < 100; i++) {
        json_t *partition = json_pack("{s:i,s:s}", "number", i, "file", "ä\xf0\x9f\x98\x80");
        json_t *offset = json_pack("{s:i}", "position", i);
        offsets_file_set(file, "c", partition, offset);
        if (i % 10 == 0) {
            offsets_file_set(file, "c", partition, NULL);
        }
        json_decref(partition);
        json_decref(offset);
    }
    size_t size;
    char *content = offsets_file_encode(file, &size);
    write_bytes(content, size);
    free(content);
    offsets_file_close(file);

    file = open_file();
    json_t *partition = json_pack("{s:s,s:i}", "file", "ä\xf0\x9f\x98\x80", "number", 37);
    assert_int_equal(
        json_integer_value(json_object_get(offsets_file_get(file, "c", partition), "position")),
        37);
    json_t *list = offsets_file_list(file, "c");
    assert_int_equal(json_array_size(list), 90);
    json_decref(list);
    list = offsets_file_list(file, "other");
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    json_decref(partition);
    offsets_file_close(file);
}

static char *key_of(json_t *partition)
{
    struct offsets_file *file = open_file();
    json_t *offset = json_pack("{s:i}", "p", 1);
    offsets_file_set(file, "c", partition, offset);
    size_t size;
    char *content = offsets_file_encode(file, &size);
    offsets_file_close(file);
    json_decref(offset);
    json_decref(partition);
    char *begin = memmem(content, size, "[\"c\"", 4);
    assert_non_null(begin);
    char *end = memmem(begin, size - (size_t)(begin - content), "uq", 2);
    char *key = strndup(begin, (size_t)(end - begin));
    free(content);
    return key;
}

static void test_members_stand_in_java_order(void **state)
{
    (void)state;
    /* HashMap order of one-letter names is that of their codes modulo 16: p = 112 = 0, a = 97 = 1.
     */
    char *key = key_of(json_pack("{s:i,s:i,s:i}", "b", 1, "a", 2, "p", 3));
    assert_string_equal(key, "[\"c\",{\"p\":3,\"a\":2,\"b\":1}]");
    free(key);
    key = key_of(json_pack("{s:s}", "f", "\xf0\x9f\x98\x80"));
    assert_string_equal(key, "[\"c\",{\"f\":\"\\uD83D\\uDE00\"}]");
    free(key);
}

static int count_entries(void *user, const char *key, size_t key_size, const char *value,
                         size_t value_size)
{
    (void)key;
    (void)key_size;
    (void)value;
    (void)value_size;
    ++*(int *)user;
    return 0;
}

static void test_broken_files_are_refused(void **state)
{
    (void)state;
    struct offsets_file *file;
    for (size_t size = 1; size < sizeof(jvm) - 1; size++) {
        struct error error = {0};
        int count = 0;
        assert_int_equal(java_map_read(jvm, size, "f", count_entries, &count, &error), -1);
        assert_non_null(strstr(error.message, "f, byte "));
        error_clear(&error);
    }
    struct error error = {0};
    write_bytes("rubbish", 7);
    assert_int_equal(offsets_file_open(path, &file, &error), -1);
    assert_non_null(strstr(error.message, path));
    error_clear(&error);
    write_bytes("", 0);
    offsets_file_close(open_file());
}

/* In a child, whose mounts and user are its own: 0 good, 77 not possible here. */
static int in_child(int (*prepare)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct error error = {0};
        int ready = prepare();
        if (ready == 0) {
            struct stat before, after;
            ready = stat(path, &before) == 0 &&
                            replace_file(path, jvm, sizeof(jvm) - 1, 0644, NULL, &error) == 0 &&
                            stat(path, &after) == 0 && before.st_ino == after.st_ino
                        ? 0
                        : 1;
        }
        if (error.message) {
            fprintf(stderr, "%s\n", error.message);
        }
        _exit(ready);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int mount_file(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                   mount(path, path, NULL, MS_BIND, NULL) == 0
               ? 0
               : 77;
}

static int be_a_guest(void)
{
    return chmod(path, 0666) == 0 && chmod(folder, 0555) == 0 &&
                   (geteuid() != 0 || seteuid(65534) == 0)
               ? 0
               : 77;
}

/* As a container's single mounted file, and as a file in a folder of somebody else's. */
static void test_written_in_place_where_no_name_can_change(void **state)
{
    (void)state;
    int (*const prepare[])(void) = {mount_file, be_a_guest};
    bool skipped = false;
    for (size_t i = 0; i < 2; i++) {
        struct error error = {0};
        char longer[1024] = "more than what comes";
        write_bytes(longer, sizeof(longer));
        int code = in_child(prepare[i]);
        assert_int_equal(chmod(folder, 0700), 0);
        if (code == 77) {
            print_message("no mounts of one's own, or no other user, here\n");
            skipped = true;
            continue;
        }
        assert_int_equal(code, 0);
        struct offsets_file *file;
        assert_int_equal(offsets_file_open(path, &file, &error), 0);
        json_t *list = offsets_file_list(file, "a");
        assert_int_equal(json_array_size(list), 1);
        json_decref(list);
        offsets_file_close(file);
        char temporary[128];
        snprintf(temporary, sizeof(temporary), "%s.new", path);
        assert_int_equal(access(temporary, F_OK), -1);
    }
    if (skipped) {
        skip();
    }
}

static void assert_busy(void)
{
    struct offsets_file *file;
    struct error error = {0};
    assert_int_equal(offsets_file_open(path, &file, &error), -1);
    assert_int_equal(error.code, ERROR_BUSY);
    assert_non_null(strstr(error.message, path));
    error_clear(&error);
}

/* Before it was ever written, and each time that another file took its name. */
static void test_one_worker_has_it(void **state)
{
    (void)state;
    struct error error = {0};
    struct offsets_file *file = open_file();
    for (int i = 0; i < 2; i++) {
        assert_busy();
        assert_int_equal(offsets_file_write(file, jvm, sizeof(jvm) - 1, &error), 0);
    }
    assert_busy();
    offsets_file_close(file);
    file = open_file();
    json_t *list = offsets_file_list(file, "a");
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    offsets_file_close(file);
}

static void test_a_link_stays_one(void **state)
{
    (void)state;
    char target[128];
    struct stat status;
    struct error error = {0};
    snprintf(target, sizeof(target), "%s.target", path);
    write_bytes(jvm, sizeof(jvm) - 1);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
    struct offsets_file *file = open_file();
    assert_int_equal(offsets_file_write(file, jvm, sizeof(jvm) - 1, &error), 0);
    assert_busy();
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    offsets_file_close(file);
    unlink(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_jvm_bytes_are_read_and_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_any_value_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_members_stand_in_java_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_files_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_worker_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_link_stays_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_written_in_place_where_no_name_can_change, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
