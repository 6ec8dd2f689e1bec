sluice_fuzzer(properties SOURCES fuzz/fuzz_properties.c LIBS core_config)
sluice_fuzzer(regex SOURCES fuzz/fuzz_regex.c LIBS lib_java)
sluice_fuzzer(dates SOURCES fuzz/fuzz_dates.c LIBS lib_java)
