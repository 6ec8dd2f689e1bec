sluice_fuzzer(rest_body SOURCES fuzz/fuzz_rest_body.c LIBS rest_parts core_data)
sluice_fuzzer(rest_route SOURCES fuzz/fuzz_rest_route.c LIBS rest_parts)
