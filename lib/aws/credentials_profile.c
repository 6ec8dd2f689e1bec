/*
 * Profiles: ~/.aws/credentials and ~/.aws/config, or where AWS_SHARED_CREDENTIALS_FILE and
 * AWS_CONFIG_FILE point. Static keys, roles (source_profile, credential_source, web identity) and
 * credential_process. Of SSO only the fact that it is configured is reported.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/aws/credentials_source.h"
#include "lib/util/buffer.h"

extern char **environ;

enum { FILE_MAX = 1 << 20, DEPTH_MAX = 5, OUTPUT_MAX = 64 << 10, PROCESS_MS = 60000, FAULT_SIZE = 700 };

struct files {
    char *credentials, *config; /* texts; NULL: no such file */
};

static const char *home(void)
{
    const char *path = getenv("HOME");
    if (path && *path) {
        return path;
    }
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_dir : "";
}

/* NULL: fault says why, where somebody may wonder: a file that is not there by default is nothing to tell. */
static char *read_at(const char *variable, const char *name, char *fault, size_t size)
{
    const char *path = getenv(variable);
    bool named = path && *path;
    char own[4096];
    if (!named) {
        snprintf(own, sizeof(own), "%s/.aws/%s", home(), name);
        path = own;
    } else if (path[0] == '~' && path[1] == '/') {
        snprintf(own, sizeof(own), "%s%s", home(), path + 1);
        path = own;
    }
    char *text = aws_read_file(path, FILE_MAX);
    size_t used = strlen(fault);
    if (!text && (named || (errno != ENOENT && errno != ENOTDIR))) {
        snprintf(fault + used, size - used, "%s%s cannot be read: %s", used > 0 ? ", " : "", path,
                 strerror(errno));
    }
    return text;
}

static struct files read_files(char *fault, size_t size)
{
    fault[0] = '\0';
    return (struct files){
        .credentials = read_at("AWS_SHARED_CREDENTIALS_FILE", "credentials", fault, size),
        .config = read_at("AWS_CONFIG_FILE", "config", fault, size),
    };
}

static void files_finish(struct files *files)
{
    if (files->credentials) {
        explicit_bzero(files->credentials, strlen(files->credentials)); /* invariant 7 */
    }
    if (files->config) {
        explicit_bzero(files->config, strlen(files->config)); /* keys may stand there, too */
    }
    free(files->credentials);
    free(files->config);
}

static void trim(const char **text, size_t *size)
{
    while (*size > 0 && isspace((unsigned char)**text)) {
        (*text)++;
        (*size)--;
    }
    while (*size > 0 && isspace((unsigned char)(*text)[*size - 1])) {
        (*size)--;
    }
}

static bool is(const char *text, size_t size, const char *wanted)
{
    return strlen(wanted) == size && memcmp(text, wanted, size) == 0;
}

/* `[name]`, and in the config file `[profile name]`. */
static bool is_section(const char *line, size_t size, const char *profile)
{
    const char *close = memchr(line, ']', size);
    if (!close) {
        return false;
    }
    const char *name = line + 1;
    size_t length = (size_t)(close - name);
    trim(&name, &length);
    if (length > 8 && memcmp(name, "profile", 7) == 0 && isspace((unsigned char)name[7])) {
        name += 7;
        length -= 7;
        trim(&name, &length);
    }
    return is(name, length, profile);
}

/* What is left of a line without the comment behind it: a blank goes before its sign. */
static size_t without_comment(const char *line, size_t size)
{
    for (size_t i = 1; i < size; i++) {
        if ((line[i] == '#' || line[i] == ';') && (line[i - 1] == ' ' || line[i - 1] == '\t')) {
            return i;
        }
    }
    return size;
}

/* Value of a key in a profile, in one file. *ret_section: whether the section is there at all. */
static char *find_in(const char *text, const char *profile, const char *key, bool *ret_section)
{
    bool inside = false;
    char *found = NULL;
    while (text && *text) {
        const char *end = strchrnul(text, '\n');
        const char *line = text;
        size_t size = (size_t)(end - text);
        bool nested = isspace((unsigned char)*line); /* keys of a sub-section: not ours */
        trim(&line, &size);
        if (size > 0 && *line == '[') {
            inside = is_section(line, size, profile);
            *ret_section = *ret_section || inside;
        } else if (inside && !nested && size > 0 && *line != '#' && *line != ';') {
            size = without_comment(line, size);
            const char *equals = memchr(line, '=', size);
            const char *value = equals ? equals + 1 : NULL;
            size_t name_size = equals ? (size_t)(equals - line) : 0;
            size_t value_size = equals ? size - name_size - 1 : 0;
            if (equals) {
                const char *name = line;
                trim(&name, &name_size);
                trim(&value, &value_size);
                if (is(name, name_size, key)) {
                    free(found); /* the last one counts */
                    found = strndup(value, value_size);
                }
            }
        }
        text = *end ? end + 1 : end;
    }
    return found;
}

/* The credentials file wins. NULL: not set. */
static char *find(const struct files *files, const char *profile, const char *key, bool *ret_section)
{
    char *value = find_in(files->credentials, profile, key, ret_section);
    return value ? value : find_in(files->config, profile, key, ret_section);
}

/* -- credential_process -- */

/* With nothing to read, and signals as a program expects them: ours may be blocked or ignored. */
static int start_process(const char *command, int out, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    char shell[] = "sh", option[] = "-c";
    char *copy = strdup(command);
    char *arguments[] = {shell, option, copy, NULL};
    int failed = copy ? posix_spawn(ret_pid, "/bin/sh", &actions, &attributes, arguments, environ)
                      : ENOMEM;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(copy);
    return failed;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All it writes. NULL, or why it is to be ended. */
static const char *read_output(int from, struct buffer *output)
{
    int64_t deadline = now_ms() + PROCESS_MS;
    for (;;) {
        char chunk[4096];
        int64_t left = deadline - now_ms();
        struct pollfd wait = {.fd = from, .events = POLLIN};
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        ssize_t got = ready > 0 ? read(from, chunk, sizeof(chunk)) : -1;
        if (got == 0) {
            return NULL;
        }
        if (got < 0) {
            return ready == 0 ? "it did not end within 60 s" : strerror(errno);
        }
        (void)buffer_append(output, chunk, (size_t)got);
        explicit_bzero(chunk, sizeof(chunk));
        if (output->failed) {
            return "it writes more than 64 kB";
        }
    }
}

static enum aws_fetch run_process(const char *command, struct aws_credentials *ret, char *message,
                                  size_t size)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(message, size, "credential_process: %s", strerror(errno));
        return AWS_FAILED;
    }
    pid_t pid = -1;
    struct buffer output;
    buffer_init(&output, OUTPUT_MAX);
    int failed = start_process(command, ends[1], &pid), status = -1;
    close(ends[1]);
    const char *fault = failed ? strerror(failed) : read_output(ends[0], &output);
    close(ends[0]);
    if (!failed) {
        if (fault) {
            (void)kill(pid, SIGKILL);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    enum aws_fetch result = AWS_FAILED;
    if (fault || status != 0) {
        snprintf(message, size, "credential_process failed (%s)",
                 fault ? fault : "its exit status is not 0");
    } else {
        result = aws_credentials_json(output.data, output.size, "SessionToken",
                                      "credential_process", ret, message, size);
    }
    if (output.data) {
        explicit_bzero(output.data, output.capacity); /* invariant 7 */
    }
    buffer_finish(&output);
    return result;
}

/* -- profiles -- */

static enum aws_fetch fetch_profile(const struct files *files, const char *profile,
                                    const char *region, int depth, struct aws_credentials *ret,
                                    char *message, size_t size);

static enum aws_fetch fetch_base(const struct files *files, const char *profile, const char *source,
                                 const char *named, const char *region, int depth,
                                 struct aws_credentials *ret, char *message, size_t size)
{
    if (named) {
        if (strcmp(named, "Environment") == 0) {
            return aws_fetch_environment(ret, message, size);
        }
        if (strcmp(named, "EcsContainer") == 0) {
            return aws_fetch_container(ret, message, size);
        }
        if (strcmp(named, "Ec2InstanceMetadata") == 0) {
            return aws_fetch_instance(ret, message, size);
        }
        snprintf(message, size,
                 "credential_source=%s of profile %s is none of Environment, EcsContainer, "
                 "Ec2InstanceMetadata", named, profile);
        return AWS_FAILED;
    }
    if (!source) {
        snprintf(message, size,
                 "profile %s has role_arn, but neither source_profile nor credential_source",
                 profile);
        return AWS_FAILED;
    }
    /* A profile that names itself means its own static keys: the role is left out then. */
    return fetch_profile(files, source, region, strcmp(source, profile) == 0 ? -1 : depth + 1, ret,
                         message, size);
}

static enum aws_fetch fetch_role_profile(const struct files *files, const char *profile,
                                         const char *role_arn, const char *region, int depth,
                                         struct aws_credentials *ret, char *message, size_t size)
{
    bool section = false;
    char *external_id = find(files, profile, "external_id", &section);
    char *session = find(files, profile, "role_session_name", &section);
    char *token_file = find(files, profile, "web_identity_token_file", &section);
    char *source = find(files, profile, "source_profile", &section);
    char *named = find(files, profile, "credential_source", &section);
    char *mfa = find(files, profile, "mfa_serial", &section);
    char *duration = find(files, profile, "duration_seconds", &section);
    char *own_region = find(files, profile, "region", &section);
    struct aws_credentials base = {0};
    enum aws_fetch result = AWS_FETCHED;
    if (mfa) {
        snprintf(message, size, "profile %s asks for a code (mfa_serial): nobody is here to type it",
                 profile);
        result = AWS_FAILED;
    } else if (!token_file) {
        result = fetch_base(files, profile, source, named, region, depth, &base, message, size);
    }
    if (result == AWS_FETCHED) {
        struct aws_role role = {
            .arn = role_arn,
            .external_id = external_id,
            .session_name = session,
            .region = region ? region : own_region,
            .duration_seconds = duration ? atoi(duration) : 0,
        };
        result = aws_fetch_role(&role, token_file ? NULL : &base, token_file, ret, message, size);
    }
    explicit_bzero(&base, sizeof(base));
    free(external_id);
    free(session);
    free(token_file);
    free(source);
    free(named);
    free(mfa);
    free(duration);
    free(own_region);
    return result;
}

static enum aws_fetch fetch_static(const struct files *files, const char *profile,
                                   struct aws_credentials *ret, char *message, size_t size)
{
    bool section = false;
    char *access_key = find(files, profile, "aws_access_key_id", &section);
    char *secret_key = find(files, profile, "aws_secret_access_key", &section);
    char *token = find(files, profile, "aws_session_token", &section);
    enum aws_fetch result = AWS_NOT_HERE;
    if (access_key && secret_key) {
        result = aws_credentials_set(ret->access_key, sizeof(ret->access_key), access_key) &&
                         aws_credentials_set(ret->secret_key, sizeof(ret->secret_key), secret_key) &&
                         aws_credentials_set(ret->token, sizeof(ret->token), token)
                     ? AWS_FETCHED
                     : AWS_FAILED;
        ret->expires = AWS_NEVER_EXPIRES;
        ret->from_file = true;
        if (result == AWS_FAILED) {
            snprintf(message, size, "the keys of profile %s are too long", profile);
        }
    } else if (access_key || secret_key) {
        snprintf(message, size, "profile %s has %s without %s", profile,
                 access_key ? "aws_access_key_id" : "aws_secret_access_key",
                 access_key ? "aws_secret_access_key" : "aws_access_key_id");
        result = AWS_FAILED;
    }
    free(access_key);
    if (secret_key) {
        explicit_bzero(secret_key, strlen(secret_key));
    }
    free(secret_key);
    free(token);
    return result;
}

static enum aws_fetch fetch_profile(const struct files *files, const char *profile,
                                    const char *region, int depth, struct aws_credentials *ret,
                                    char *message, size_t size)
{
    if (depth > DEPTH_MAX) {
        snprintf(message, size, "source_profile leads in a circle, or through more than %d profiles",
                 DEPTH_MAX);
        return AWS_FAILED;
    }
    bool section = false;
    *ret = (struct aws_credentials){0};
    char *role_arn = depth >= 0 ? find(files, profile, "role_arn", &section) : NULL;
    char *process = find(files, profile, "credential_process", &section);
    char *sso = find(files, profile, "sso_account_id", &section);
    enum aws_fetch result;
    if (role_arn) {
        result = fetch_role_profile(files, profile, role_arn, region, depth, ret, message, size);
    } else {
        result = fetch_static(files, profile, ret, message, size);
        if (result == AWS_NOT_HERE && process) {
            result = run_process(process, ret, message, size);
        } else if (result == AWS_NOT_HERE && sso) {
            snprintf(message, size,
                     "profile %s uses SSO, which needs somebody at a browser; use "
                     "`credential_process = aws configure export-credentials --profile %s`",
                     profile, profile);
            result = AWS_FAILED;
        } else if (result == AWS_NOT_HERE) {
            snprintf(message, size, section ? "profile %s holds no credentials" : "no profile %s",
                     profile);
        }
    }
    free(role_arn);
    free(process);
    free(sso);
    return result;
}

enum aws_fetch aws_fetch_profile(const char *profile, const char *region,
                                 struct aws_credentials *ret, char *message, size_t size)
{
    const char *named = getenv("AWS_PROFILE");
    bool asked = profile || (named && *named);
    profile = profile ? profile : asked ? named : "default";
    char fault[FAULT_SIZE];
    struct files files = read_files(fault, sizeof(fault));
    enum aws_fetch result = AWS_NOT_HERE;
    if (!files.credentials && !files.config) {
        snprintf(message, size, "%s", fault[0] ? fault : "no profile files");
    } else {
        result = fetch_profile(&files, profile, region, 0, ret, message, size);
        size_t used = strlen(message);
        if (result == AWS_NOT_HERE && fault[0] && used < size) {
            snprintf(message + used, size - used, " (%s)", fault);
        }
    }
    if (asked && result == AWS_NOT_HERE) {
        result = AWS_FAILED;
    }
    files_finish(&files);
    return result;
}

bool aws_fetch_profile_region(const char *profile, char *region, size_t size)
{
    const char *named = getenv("AWS_PROFILE");
    bool section = false;
    profile = profile ? profile : named && *named ? named : "default";
    char fault[FAULT_SIZE];
    struct files files = read_files(fault, sizeof(fault));
    char *found = find(&files, profile, "region", &section);
    bool is_there = found && *found && strlen(found) < size;
    if (is_there) {
        (void)snprintf(region, size, "%s", found);
    }
    files_finish(&files);
    free(found);
    return is_there;
}
