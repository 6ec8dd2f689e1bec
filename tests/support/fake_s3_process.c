/* The S3 service of tests as a process; see fake_s3_process.h. */
#include "tests/support/fake_s3_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/http/client.h"

extern char **environ;

char fake_s3_url[64];
static pid_t server = -1;
static int server_input = -1;

int fake_s3_start(const char *script)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
        return -1;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    char python[] = "python3", path[512];
    snprintf(path, sizeof(path), "%s", script);
    char *arguments[] = {python, path, NULL};
    int result = posix_spawnp(&server, "python3", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    server_input = in[1];
    char line[64] = "";
    int port = 0;
    FILE *output = fdopen(out[0], "r");
    if (result != 0 || !output || !fgets(line, sizeof(line), output) ||
        sscanf(line, "PORT %d", &port) != 1) {
        return -1;
    }
    fclose(output);
    snprintf(fake_s3_url, sizeof(fake_s3_url), "http://127.0.0.1:%d", port);
    return 0;
}

int fake_s3_stop(void)
{
    close(server_input);
    return waitpid(server, NULL, 0) == server ? 0 : -1;
}

json_t *fake_s3_control(const char *order)
{
    char address[100];
    snprintf(address, sizeof(address), "%s/_control", fake_s3_url);
    struct http_options options = {0};
    struct http_reply reply;
    struct http_request request = {.method = order ? "POST" : "GET",
                                   .url = address,
                                   .body = order,
                                   .body_size = order ? strlen(order) : 0,
                                   .reply_max = 64 << 20};
    http_fetch(&options, &request, &reply);
    json_t *state = reply.status == 200 ? json_loadb(reply.body.data, reply.body.size, 0, NULL) : NULL;
    http_reply_finish(&reply);
    return state;
}
