/*
 * libcurl, loaded when the first HTTP client is made. It brings about thirty libraries along (LDAP,
 * Kerberos, GnuTLS, ..), more than half of what the start of a host process costs, and most hosts
 * never speak HTTP. These are its functions under their own names, hidden, so that client.c is written
 * as if it were linked. [any thread; the table is filled once]
 */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/http/curl_lazy.h"

#define CURL_LIBRARY "libcurl.so.4"

/* What comes as `...` is a pointer, a long or a curl_off_t: one and the same to the callee. */
_Static_assert(sizeof(void *) == sizeof(long) && sizeof(long) == sizeof(curl_off_t),
               "an option's value is handed on as a pointer");

#define FUNCTIONS(X) \
    X(curl_easy_cleanup) X(curl_easy_getinfo) X(curl_easy_init) X(curl_easy_perform) \
    X(curl_easy_reset) X(curl_easy_setopt) X(curl_easy_strerror) X(curl_global_init) \
    X(curl_multi_add_handle) X(curl_multi_cleanup) X(curl_multi_info_read) X(curl_multi_init) \
    X(curl_multi_perform) X(curl_multi_poll) X(curl_multi_remove_handle) X(curl_multi_setopt) \
    X(curl_multi_wakeup) X(curl_slist_append) X(curl_slist_free_all)

/* Ours stay in this program or plugin: a plugin that links libcurl finds that. */
#define HIDE(name) extern __typeof__(name) name __attribute__((visibility("hidden")));
FUNCTIONS(HIDE)

#define MEMBER(name) __typeof__(&name) name##_of;
static struct {
    FUNCTIONS(MEMBER)
} table;

static char problem[256];

static void *find(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (!found && !*problem) {
        (void)snprintf(problem, sizeof(problem), "%s", dlerror());
    }
    return found;
}

const char *curl_lazy_load(void)
{
    void *library = dlopen(CURL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        (void)snprintf(problem, sizeof(problem), "%s", dlerror());
        return problem;
    }
#define FIND(name) table.name##_of = (__typeof__(&name))(uintptr_t)find(library, #name);
    FUNCTIONS(FIND)
    return *problem ? problem : NULL;
}

void curl_easy_cleanup(CURL *easy)
{
    if (easy) {
        table.curl_easy_cleanup_of(easy);
    }
}

CURLcode(curl_easy_getinfo)(CURL *easy, CURLINFO info, ...)
{
    va_list args;
    va_start(args, info);
    void *value = va_arg(args, void *);
    va_end(args);
    return table.curl_easy_getinfo_of(easy, info, value);
}

CURL *curl_easy_init(void)
{
    return table.curl_easy_init_of();
}

CURLcode curl_easy_perform(CURL *easy)
{
    return table.curl_easy_perform_of(easy);
}

void curl_easy_reset(CURL *easy)
{
    table.curl_easy_reset_of(easy);
}

CURLcode(curl_easy_setopt)(CURL *easy, CURLoption option, ...)
{
    va_list args;
    va_start(args, option);
    void *value = va_arg(args, void *);
    va_end(args);
    return table.curl_easy_setopt_of(easy, option, value);
}

const char *curl_easy_strerror(CURLcode code)
{
    return table.curl_easy_strerror_of(code);
}

CURLcode curl_global_init(long flags)
{
    return table.curl_global_init_of(flags);
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    return table.curl_multi_add_handle_of(multi, easy);
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
    return multi ? table.curl_multi_cleanup_of(multi) : CURLM_OK;
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left)
{
    return table.curl_multi_info_read_of(multi, left);
}

CURLM *curl_multi_init(void)
{
    return table.curl_multi_init_of();
}

CURLMcode curl_multi_perform(CURLM *multi, int *running)
{
    return table.curl_multi_perform_of(multi, running);
}

CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd fds[], unsigned count, int timeout_ms,
                          int *ret)
{
    return table.curl_multi_poll_of(multi, fds, count, timeout_ms, ret);
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
    return table.curl_multi_remove_handle_of(multi, easy);
}

CURLMcode(curl_multi_setopt)(CURLM *multi, CURLMoption option, ...)
{
    va_list args;
    va_start(args, option);
    void *value = va_arg(args, void *);
    va_end(args);
    return table.curl_multi_setopt_of(multi, option, value);
}

CURLMcode curl_multi_wakeup(CURLM *multi)
{
    return table.curl_multi_wakeup_of(multi);
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
    return table.curl_slist_append_of(list, text);
}

void curl_slist_free_all(struct curl_slist *list)
{
    if (list) {
        table.curl_slist_free_all_of(list);
    }
}
