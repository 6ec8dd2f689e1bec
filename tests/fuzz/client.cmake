sluice_fuzzer(keystore SOURCES fuzz/fuzz_keystore.c LIBS lib_keystore)
sluice_fuzzer(jaas SOURCES fuzz/fuzz_jaas.c LIBS lib_java)
