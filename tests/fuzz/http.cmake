sluice_fuzzer(http_texts SOURCES fuzz/fuzz_http_texts.c LIBS http_parts core_data)
