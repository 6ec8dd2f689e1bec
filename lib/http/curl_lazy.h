/* libcurl, loaded when it is first needed; why, and how, is told in curl_lazy.c. [any thread] */
#ifndef LIB_HTTP_CURL_LAZY_H
#define LIB_HTTP_CURL_LAZY_H

/** Loads libcurl; before curl_global_init(), once. NULL: it is there; else why not (static). */
const char *curl_lazy_load(void);

#endif
