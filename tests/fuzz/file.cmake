sluice_fuzzer(file_lines SOURCES fuzz/fuzz_file_lines.c LIBS file_parts)
