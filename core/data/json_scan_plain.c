/* The scanner for any processor of the architecture (json_scan_body.h). [any thread] */
#define JSON_SCAN_UTF8 json_scan_utf8
#include "core/data/json_scan_body.h"
