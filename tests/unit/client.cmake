sluice_test(java_keystore
    SOURCES unit/lib/java/test_keystore.c
    LIBS lib_keystore)
target_compile_definitions(test_java_keystore PRIVATE SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
