sluice_test(http_texts SOURCES unit/connectors/http/test_texts.c LIBS http_parts core_data)
