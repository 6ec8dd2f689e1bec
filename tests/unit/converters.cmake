# Runs recorded cases of converters: vectors_converters FILE.jsonl...
add_executable(vectors_converters suites/vectors_converters.c)
target_include_directories(vectors_converters PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(vectors_converters PRIVATE core_plugin)
add_dependencies(vectors_converters converters)
set_target_properties(vectors_converters PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

sluice_test(java_double_text SOURCES unit/lib/java/test_double_text.c LIBS lib_java)

sluice_test(converters SOURCES unit/plugins/converters/test_converters.c LIBS core_plugin)
target_compile_definitions(test_converters PRIVATE CONVERTERS_SO="${PROJECT_BINARY_DIR}/plugins/converters.so")
add_dependencies(test_converters converters)
