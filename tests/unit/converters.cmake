sluice_test(java_double_text SOURCES unit/lib/java/test_double_text.c LIBS lib_java)

sluice_test(converters SOURCES unit/plugins/converters/test_converters.c LIBS core_plugin)
target_compile_definitions(test_converters PRIVATE CONVERTERS_SO="${PROJECT_BINARY_DIR}/plugins/converters.so")
add_dependencies(test_converters converters)
