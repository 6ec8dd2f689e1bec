sluice_test(file_lines SOURCES unit/connectors/file/test_lines.c LIBS file_parts)
sluice_test(file_source
    SOURCES unit/connectors/file/test_source.c support/fake_source_host.c
    LIBS file_parts core_config core_data)
sluice_test(file_sink
    SOURCES unit/connectors/file/test_sink.c support/fake_sink_host.c
    LIBS core_plugin core_config core_data)
target_compile_definitions(test_file_sink PRIVATE FILE_PLUGIN="${PROJECT_BINARY_DIR}/plugins/file.so")
add_dependencies(test_file_sink file)
