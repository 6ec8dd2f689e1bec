sluice_fuzzer(java_map SOURCES fuzz/fuzz_java_map.c LIBS core_store)
