sluice_test(config_properties
    SOURCES unit/core/config/test_properties.c
    LIBS core_config)

# Runs files of recorded cases: vectors_text FILE.jsonl...
add_executable(vectors_text suites/vectors_text.c)
target_include_directories(vectors_text PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(vectors_text PRIVATE core_config lib_java PkgConfig::JANSSON)
set_target_properties(vectors_text PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

sluice_test(config_config
    SOURCES unit/core/config/test_config.c
    LIBS core_config)

sluice_test(config_framework
    SOURCES unit/core/config/test_framework.c
    LIBS core_config)

sluice_test(java_regex
    SOURCES unit/lib/java/test_regex.c
    LIBS lib_java Threads::Threads)

sluice_test(java_dates
    SOURCES unit/lib/java/test_dates.c
    LIBS lib_java)

add_executable(vectors_config suites/vectors_config.c)
target_include_directories(vectors_config PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(vectors_config PRIVATE core_plugin core_config PkgConfig::JANSSON)
set_target_properties(vectors_config PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
