/*
 * `sluice test DIR`: unit tests of pipelines. A case is NAME.in.jsonl with NAME.out.jsonl beside it;
 * its chain is NAME.properties, or what NAME.test names. Each case runs in sluice-transform, as
 * `sluice transform` would; what comes out is compared in here. One thread.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cli/cli.h"
#include "core/cli/json_diff.h"
#include "core/config/properties.h"
#include "core/data/batch.h"

extern char **environ;

static const char usage[] =
    "usage: sluice test [OPTION..] DIR..\n"
    "Tests pipelines: runs the records of each NAME.in.jsonl in a folder through a chain and compares\n"
    "what comes out with NAME.out.jsonl, whatever the order of members.\n"
    "\n"
    "  NAME.in.jsonl     records that go in, a JSON value a line\n"
    "  NAME.out.jsonl    what has to come out; none needed where NAME.test expects an error\n"
    "  NAME.properties   the chain: transforms and predicates of any connector file\n"
    "  NAME.test         may say otherwise: config=FILE (of the chain, relative to the folder),\n"
    "                    topic=T, records=true (lines are whole records, see `sluice transform "
    "--help`),\n"
    "                    error=TEXT (the run fails, and says this)\n"
    "  chain.properties  the chain of cases that have none of these\n"
    "\n"
    "  --update          write what comes out to NAME.out.jsonl, for you to look at and keep\n"
    "  --plugin-path P   further plugins: folders or .so files, separated by commas\n"
    "  --json            the results as a JSON array\n"
    "  --help            this text\n"
    "\n"
    "Exit codes: 0 all passed, 1 some failed, 2 a case is incomplete, 3 a folder or file is "
    "missing.\n";

struct options {
    bool update, json;
    const char *plugin_path;
    char *program, *plugins;
    int passed, failed, incomplete;
};

/* One case while it runs. */
struct test {
    const char *folder, *name;
    struct properties settings;
    char *chain;        /* path of the properties file */
    int out, err;       /* files that are gone from the folder already */
    int status;         /* of sluice-transform */
    char *said;         /* what it wrote to standard error, NUL-terminated */
    FILE *report;       /* what is wrong, for people */
};

static char *path_of(const struct test *test, const char *ending)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s%s", test->folder, test->name, ending) < 0 ? NULL : path;
}

static char *text_of(int fd)
{
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room);
    ssize_t got;
    (void)lseek(fd, 0, SEEK_SET);
    while (text && (got = read(fd, text + size, room - size - 1)) > 0) {
        size += (size_t)got;
        if (size + 1 == room) {
            char *grown = realloc(text, room *= 2);
            if (!grown) {
                free(text);
            }
            text = grown;
        }
    }
    if (text) {
        text[size] = '\0';
    }
    return text;
}

/* -- the chain -- */

static bool exists(const char *path)
{
    return path && access(path, R_OK) == 0;
}

/* NAME.test's config, NAME.properties, chain.properties. False: none, told. */
static bool find_chain(struct test *test)
{
    const char *named = properties_get(&test->settings, "config");
    if (named) {
        if (named[0] == '/') {
            test->chain = strdup(named);
        } else if (asprintf(&test->chain, "%s/%s", test->folder, named) < 0) {
            test->chain = NULL;
        }
    } else {
        test->chain = path_of(test, ".properties");
        if (!exists(test->chain)) {
            free(test->chain);
            if (asprintf(&test->chain, "%s/chain.properties", test->folder) < 0) {
                test->chain = NULL;
            }
        }
    }
    if (!exists(test->chain)) {
        fprintf(test->report, "    no chain: %s cannot be read; name a connector file with config= in "
                              "%s.test\n",
                test->chain ? test->chain : "?", test->name);
        return false;
    }
    return true;
}

static bool read_settings(struct test *test)
{
    static const char *const known[] = {"config", "topic", "records", "error"};
    char *path = path_of(test, ".test");
    struct error error = {0};
    bool good = true;
    if (exists(path) && properties_load_file(&test->settings, path, &error) != 0) {
        fprintf(test->report, "    %s\n", error.message);
        good = false;
    }
    for (size_t i = 0; good && i < test->settings.count; i++) {
        size_t k = 0;
        while (k < 4 && strcmp(known[k], test->settings.items[i].name) != 0) {
            k++;
        }
        if (k == 4) {
            fprintf(test->report, "    %s: unknown key %s (config, topic, records, error)\n", path,
                    test->settings.items[i].name);
            good = false;
        }
    }
    error_clear(&error);
    free(path);
    return good;
}

/* -- running -- */

static int run_transform(struct test *test, const struct options *options)
{
    char *in = path_of(test, ".in.jsonl");
    const char *topic = properties_get(&test->settings, "topic");
    const char *records = properties_get(&test->settings, "records");
    char *arguments[12];
    size_t count = 0;
    arguments[count++] = "transform";
    arguments[count++] = "--own-plugins";
    arguments[count++] = options->plugins;
    if (options->plugin_path) {
        arguments[count++] = "--plugin-path";
        arguments[count++] = (char *)options->plugin_path;
    }
    if (topic) {
        arguments[count++] = "--topic";
        arguments[count++] = (char *)topic;
    }
    if (records && strcmp(records, "true") == 0) {
        arguments[count++] = "--records";
    }
    arguments[count++] = test->chain;
    arguments[count] = NULL;
    posix_spawn_file_actions_t files;
    pid_t pid;
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, 0, in ? in : "", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&files, test->out, 1);
    (void)posix_spawn_file_actions_adddup2(&files, test->err, 2);
    int result = posix_spawn(&pid, options->program, &files, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    free(in);
    if (result != 0) {
        fprintf(test->report, "    cannot start %s: %s\n", options->program, strerror(result));
        return -1;
    }
    while (waitpid(pid, &test->status, 0) < 0 && errno == EINTR) {
    }
    test->said = text_of(test->err);
    return 0;
}

static void show_said(struct test *test)
{
    for (char *line = test->said, *rest; line && *line; line = rest) {
        rest = strchrnul(line, '\n');
        fprintf(test->report, "    | %.*s\n", (int)(rest - line), line);
        rest += *rest == '\n';
    }
}

/* -- comparing -- */

static const struct sluice_value *read_line(struct sluice_batch *batch, const char *line,
                                            ssize_t size)
{
    struct sluice_value *value = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    if (size < 0) {
        return NULL;
    }
    char *copy = arena_copy(batch_arena(batch), line, (size_t)size);
    return data_api.from_json(batch, copy, (size_t)size, SLUICE_JSON_CONNECT, &value, &error) ==
                   SLUICE_OK
               ? value
               : NULL;
}

/* Next line that is not blank, its end taken off; -1: none. */
static ssize_t next_line(FILE *file, char **line, size_t *room)
{
    ssize_t size;
    while ((size = getline(line, room, file)) > 0) {
        while (size > 0 && strchr("\r\n", (*line)[size - 1])) {
            size--;
        }
        if ((size_t)size > strspn(*line, " \t\r\n")) {
            return size;
        }
    }
    return -1;
}

/* One record; false: it differs, told. */
static bool same_line(struct test *test, size_t number, const char *expected, ssize_t expected_size,
                      const char *got, ssize_t got_size)
{
    struct sluice_batch *batch = batch_new(NULL);
    const struct sluice_value *a = read_line(batch, expected, expected_size);
    const struct sluice_value *b = read_line(batch, got, got_size);
    bool same = a && b && data_api.equal(a, b);
    if (expected_size < 0) {
        fprintf(test->report, "    record %zu: came out, but is not expected\n    + %.*s\n", number,
                (int)got_size, got);
    } else if (got_size < 0) {
        fprintf(test->report, "    record %zu: did not come out\n    - %.*s\n", number,
                (int)expected_size, expected);
    } else if (!a) {
        fprintf(test->report, "    record %zu: %s.out.jsonl has no JSON there: %.*s\n", number,
                test->name, (int)expected_size, expected);
    } else if (!same) {
        fprintf(test->report, "    record %zu:\n", number);
        json_diff(test->report, a, b);
    }
    records_api.release(batch);
    return same;
}

static bool compare_files(struct test *test, FILE *expected, FILE *got)
{
    char *lines[2] = {NULL, NULL};
    size_t rooms[2] = {0, 0}, differing = 0;
    enum { MOST = 10 };
    for (size_t number = 1;; number++) {
        ssize_t a = next_line(expected, &lines[0], &rooms[0]);
        ssize_t b = next_line(got, &lines[1], &rooms[1]);
        if (a < 0 && b < 0) {
            break;
        }
        if (differing == MOST) {
            fprintf(test->report, "    .. and more\n");
            break;
        }
        differing += !same_line(test, number, lines[0], a, lines[1], b);
    }
    free(lines[0]);
    free(lines[1]);
    return differing == 0;
}

static bool compare_output(struct test *test)
{
    char *path = path_of(test, ".out.jsonl");
    FILE *expected = path ? fopen(path, "re") : NULL;
    (void)lseek(test->out, 0, SEEK_SET);
    FILE *got = fdopen(dup(test->out), "r");
    bool same = false;
    if (!expected) {
        fprintf(test->report, "    %s: %s; `--update` makes it\n", path ? path : "?",
                strerror(errno));
    } else {
        same = got && compare_files(test, expected, got);
    }
    if (expected) {
        (void)fclose(expected);
    }
    if (got) {
        (void)fclose(got);
    }
    free(path);
    return same;
}

static bool write_output(struct test *test)
{
    char *path = path_of(test, ".out.jsonl"), *text = text_of(test->out);
    FILE *file = path ? fopen(path, "we") : NULL;
    bool good = file && text && fputs(text, file) >= 0;
    good = file && fclose(file) == 0 && good;
    if (!good) {
        fprintf(test->report, "    %s cannot be written: %s\n", path ? path : "?", strerror(errno));
    }
    free(text);
    free(path);
    return good;
}

/* How the run ended, against what NAME.test expects. */
static bool check_end(struct test *test)
{
    const char *error = properties_get(&test->settings, "error");
    if (WIFSIGNALED(test->status)) {
        fprintf(test->report, "    a plugin crashed: signal %d (%s)\n", WTERMSIG(test->status),
                strsignal(WTERMSIG(test->status)));
        return false;
    }
    bool failed = WEXITSTATUS(test->status) != 0;
    if (failed && !error) {
        fprintf(test->report, "    the run failed:\n");
        show_said(test);
        return false;
    }
    if (error && (!failed || !test->said || !strstr(test->said, error))) {
        fprintf(test->report, "    %s: %s\n", failed ? "it failed otherwise than expected"
                                                     : "it did not fail with",
                error);
        show_said(test);
        return false;
    }
    return true;
}

static int temporary(void)
{
    char path[] = "/tmp/sluice-test-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        (void)unlink(path);
    }
    return fd;
}

/* CLI_OK, CLI_FAILED or CLI_BAD_INPUT. */
static int run_test(struct test *test, const struct options *options)
{
    if (!read_settings(test) || !find_chain(test)) {
        return CLI_BAD_INPUT;
    }
    test->out = temporary();
    test->err = temporary();
    if (test->out < 0 || test->err < 0) {
        fprintf(test->report, "    no temporary file in /tmp: %s\n", strerror(errno));
        return CLI_BAD_INPUT;
    }
    if (run_transform(test, options) != 0) {
        return CLI_BAD_INPUT;
    }
    if (options->update) {
        return check_end(test) && write_output(test) ? CLI_OK : CLI_FAILED;
    }
    char *path = path_of(test, ".out.jsonl");
    /* with an error expected, what came out before it counts only where it is written down */
    bool compared = !properties_get(&test->settings, "error") || exists(path);
    free(path);
    bool ended = check_end(test);
    return (!compared || compare_output(test)) && ended ? CLI_OK : CLI_FAILED;
}

/* -- folders -- */

static void print_json_text(const char *text)
{
    struct sluice_batch *batch = batch_new(NULL);
    struct sluice_span json =
        data_api.to_json(batch, data_api.new_string_view(batch, text, strlen(text)));
    fwrite(json.data, 1, json.size, stdout);
    records_api.release(batch);
}

static void run_case(const char *folder, const char *name, struct options *options)
{
    struct test test = {.folder = folder, .name = name, .out = -1, .err = -1};
    char *report = NULL;
    size_t size = 0;
    test.report = open_memstream(&report, &size);
    int code = test.report ? run_test(&test, options) : CLI_BAD_INPUT;
    if (test.report) {
        (void)fclose(test.report);
    }
    int done = options->passed + options->failed;
    options->passed += code == CLI_OK;
    options->failed += code != CLI_OK;
    options->incomplete += code == CLI_BAD_INPUT;
    if (options->json) {
        printf("%s{\"folder\":", done > 0 ? ",\n " : "");
        print_json_text(folder);
        printf(",\"name\":");
        print_json_text(name);
        printf(",\"passed\":%s,\"report\":", code == CLI_OK ? "true" : "false");
        print_json_text(report ? report : "");
        printf("}");
    } else {
        printf("%-7s %s/%s\n%s", code == CLI_OK ? "ok" : "FAILED", folder, name,
               report ? report : "");
    }
    (void)fflush(stdout);
    free(report);
    free(test.chain);
    free(test.said);
    properties_finish(&test.settings);
    if (test.out >= 0) {
        (void)close(test.out);
    }
    if (test.err >= 0) {
        (void)close(test.err);
    }
}

static const char in_ending[] = ".in.jsonl";

static int is_input(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > sizeof(in_ending) - 1 &&
           strcmp(entry->d_name + size - (sizeof(in_ending) - 1), in_ending) == 0;
}

static int run_folder(const char *folder, struct options *options)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_input, alphasort);
    if (count < 0) {
        fprintf(stderr, "sluice test: %s: %s\n", folder, strerror(errno));
        return CLI_ENVIRONMENT;
    }
    if (count == 0) {
        fprintf(stderr, "sluice test: %s holds no NAME.in.jsonl (see `sluice test --help`)\n", folder);
    }
    for (int i = 0; i < count; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - (sizeof(in_ending) - 1)] = '\0';
        run_case(folder, entries[i]->d_name, options);
        free(entries[i]);
    }
    free(entries);
    return count > 0 ? CLI_OK : CLI_BAD_INPUT;
}

int verb_test(int argc, char **argv)
{
    static const struct option known[] = {
        {"update", no_argument, NULL, 'u'},
        {"plugin-path", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.update = false};
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        switch (option) {
        case 'u':
            options.update = true;
            break;
        case 'p':
            options.plugin_path = optarg;
            break;
        case 'j':
            options.json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return CLI_OK;
        default:
            fputs("Try `sluice test --help`.\n", stderr);
            return CLI_BAD_INPUT;
        }
    }
    if (optind == argc) {
        fputs("sluice test: a folder is missing; try `sluice test --help`\n", stderr);
        return CLI_BAD_INPUT;
    }
    options.program = cli_find("sluice-transform");
    options.plugins = cli_find("plugins");
    int code = options.program && options.plugins ? CLI_OK : CLI_ENVIRONMENT;
    if (code != CLI_OK) {
        fputs("sluice test: sluice-transform or the folder `plugins` is not beside this program\n",
              stderr);
    }
    if (options.json && code == CLI_OK) {
        printf("[");
    }
    for (int i = optind; i < argc && code != CLI_ENVIRONMENT; i++) {
        size_t end = strlen(argv[i]);
        while (end > 1 && argv[i][end - 1] == '/') {
            argv[i][--end] = '\0';
        }
        int result = run_folder(argv[i], &options);
        code = result != CLI_OK ? result : code;
    }
    if (options.json) {
        printf("]\n");
    } else if (options.passed + options.failed > 0) {
        printf("%d passed, %d failed\n", options.passed, options.failed);
    }
    free(options.program);
    free(options.plugins);
    return code != CLI_OK             ? code
           : options.incomplete > 0 ? CLI_BAD_INPUT
           : options.failed > 0     ? CLI_FAILED
                                    : CLI_OK;
}
