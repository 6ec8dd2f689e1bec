sluice_fuzzer(connector_file SOURCES fuzz/fuzz_connector_file.c LIBS core_worker)
