sluice_fuzzer(tap SOURCES fuzz/fuzz_tap.c LIBS core_task core_host PkgConfig::JANSSON)
