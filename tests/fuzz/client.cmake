sluice_fuzzer(keystore SOURCES fuzz/fuzz_keystore.c LIBS lib_keystore)
