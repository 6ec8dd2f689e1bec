/* The scanner for x86 processors with AVX2; its flags are set in CMakeLists.txt. [any thread] */
#define JSON_SCAN_UTF8 json_scan_utf8_avx2
#include "core/data/json_scan_body.h"
