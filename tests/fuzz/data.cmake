sluice_fuzzer(json SOURCES fuzz/fuzz_json.c LIBS core_data PkgConfig::JANSSON)
