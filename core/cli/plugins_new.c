/*
 * `sluice plugins new KIND NAME`: writes a small project from the files in templates/, in which
 * @NAME@, @CLASS@, @KIND@ and @INCLUDE@ are replaced. Nothing that is there is written over.
 */
#include "core/cli/plugins.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/cli.h"
#include "core/config/properties.h"
#include "lib/util/buffer.h"

enum { NAME_MOST = 200, TEXT_MOST = 256 * 1024 };

struct project {
    const char *kind;
    const char *class_name;       /* as given */
    char name[2 * NAME_MOST + 1]; /* of files: my_sink for x.MySink */
    char *folder;
    char *templates;
    char *include;
};

/* A class name is what a properties file and a C string can hold without thinking. */
static bool is_class_name(const char *text)
{
    size_t size = strlen(text);
    bool begins = true;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '.' ? begins
            : begins ? !isalpha(c) && c != '_'
                     : !isalnum(c) && c != '_' && c != '$') {
            return false;
        }
        begins = c == '.';
    }
    return size > 0 && size <= NAME_MOST && !begins;
}

/* my_sink, of x.MySink. */
static void make_file_name(struct project *project)
{
    const char *dot = strrchr(project->class_name, '.');
    char *to = project->name;
    char before = '_';
    for (const char *p = dot ? dot + 1 : project->class_name; *p; p++) {
        if (isupper((unsigned char)*p) &&
            (islower((unsigned char)before) || isdigit((unsigned char)before))) {
            *to++ = '_';
        }
        *to++ = *p == '$' ? '_' : (char)tolower((unsigned char)*p);
        before = *p;
    }
    *to = '\0';
}

static int fill(const struct project *project, const char *text, struct buffer *out)
{
    const struct {
        const char *name, *value;
    } words[] = {
        {"@NAME@", project->name},
        {"@CLASS@", project->class_name},
        {"@KIND@", project->kind},
        {"@INCLUDE@", project->include},
    };
    while (*text) {
        size_t i = 0, size = strcspn(text, "@");
        (void)buffer_append(out, text, size);
        text += size;
        while (*text && i < sizeof(words) / sizeof(words[0]) &&
               strncmp(text, words[i].name, strlen(words[i].name)) != 0) {
            i++;
        }
        if (*text && i < sizeof(words) / sizeof(words[0])) {
            (void)buffer_append_text(out, words[i].value);
            text += strlen(words[i].name);
        } else if (*text) {
            (void)buffer_append_char(out, *text++);
        }
    }
    return out->failed ? -1 : 0;
}

static int write_new(const char *path, const char *text, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        fprintf(stderr, "sluice plugins new: '%s' could not be made: %m\n", path);
        return errno == EEXIST ? CLI_BAD_INPUT : CLI_ENVIRONMENT;
    }
    ssize_t put = write(fd, text, size);
    if (close(fd) != 0 || put != (ssize_t)size) {
        fprintf(stderr, "sluice plugins new: '%s' could not be written: %m\n", path);
        return CLI_ENVIRONMENT;
    }
    return 0;
}

static int write_file(const struct project *project, const char *from, const char *to)
{
    char *source = NULL, *target = NULL, *text = NULL;
    size_t size = 0;
    struct error error = {0};
    struct buffer out;
    int status = CLI_ENVIRONMENT;
    buffer_init(&out, TEXT_MOST);
    if (asprintf(&source, "%s/%s", project->templates, from) < 0 ||
        asprintf(&target, "%s/%s", project->folder, to) < 0 ||
        properties_read_file(source, &text, &size, &error) != 0 || fill(project, text, &out) != 0) {
        fprintf(stderr, "sluice plugins new: %s\n",
                error.message ? error.message : "out of memory");
    } else {
        status = write_new(target, out.data, out.size);
    }
    error_clear(&error);
    buffer_finish(&out);
    free(text);
    free(source);
    free(target);
    return status;
}

static int write_project(const struct project *project)
{
    char source[sizeof(project->name) + 16], of_kind[64], sample[64];
    (void)snprintf(source, sizeof(source), "%s.c", project->name);
    (void)snprintf(of_kind, sizeof(of_kind), "%s.c", project->kind);
    (void)snprintf(sample, sizeof(sample), "%s.properties", project->kind);
    if (mkdir(project->folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "sluice plugins new: folder '%s' could not be made: %m\n", project->folder);
        return CLI_ENVIRONMENT;
    }
    int status = write_file(project, of_kind, source);
    status = status == 0 ? write_file(project, sample, "example.properties") : status;
    status =
        status == 0 ? write_file(project, "worker.properties", "worker.properties") : status;
    status = status == 0 ? write_file(project, "CMakeLists.txt.in", "CMakeLists.txt") : status;
    status = status == 0 ? write_file(project, "README.md.in", "README.md") : status;
    if (status == 0) {
        printf("%s/ holds %s. Build it with cmake, or with one line:\n\n"
               "  cd %s && cc -shared -fPIC -O2 -g -I%s -o %s.so %s\n\n"
               "and try it: sluice plugins check %s.so\n",
               project->folder, project->class_name, project->folder, project->include,
               project->name, source, project->name);
    }
    return status;
}

static bool is_kind(const char *text)
{
    static const char *const kinds[] = {"source", "sink", "transform", "predicate", "converter"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(text, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

int plugins_new(int argc, char **argv)
{
    struct project project = {0};
    const char *folder = NULL, *value;
    for (int i = 1; i < argc; i++) {
        if ((value = plugins_option(argc, argv, &i, "--dir"))) {
            folder = value;
        } else if (argv[i][0] != '-' && !project.kind) {
            project.kind = argv[i];
        } else if (argv[i][0] != '-' && !project.class_name) {
            project.class_name = argv[i];
        } else {
            return plugins_usage("new", argv[i]);
        }
    }
    if (!project.class_name) {
        return plugins_usage("new", NULL);
    }
    if (!is_kind(project.kind)) {
        fprintf(stderr,
                "sluice plugins new: '%s' is no kind; it is source, sink, transform, predicate or "
                "converter\n",
                project.kind);
        return CLI_BAD_INPUT;
    }
    if (!is_class_name(project.class_name)) {
        fprintf(stderr,
                "sluice plugins new: '%s' is no class name; write it like MySink or "
                "org.example.MySink\n",
                project.class_name);
        return CLI_BAD_INPUT;
    }
    make_file_name(&project);
    project.folder = strdup(folder ? folder : project.name);
    project.templates = cli_find("templates");
    project.include = cli_find("include");
    int status = CLI_ENVIRONMENT;
    if (!project.folder || !project.templates || !project.include) {
        fputs("sluice plugins new: the templates or headers are not where this program is "
              "installed\n",
              stderr);
    } else {
        status = write_project(&project);
    }
    free(project.folder);
    free(project.templates);
    free(project.include);
    return status;
}
