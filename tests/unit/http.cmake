sluice_test(http_texts SOURCES unit/connectors/http/test_texts.c LIBS http_parts core_data)
sluice_test(http_sink SOURCES unit/connectors/http/test_sink.c support/fake_sink_host.c support/scripted_http.c
    LIBS core_plugin core_config core_data)
target_compile_definitions(test_http_sink PRIVATE HTTP_PLUGIN="${PROJECT_BINARY_DIR}/plugins/http.so")
add_dependencies(test_http_sink http)
