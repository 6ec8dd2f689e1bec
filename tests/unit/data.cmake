sluice_test(data_json SOURCES unit/core/data/test_json.c LIBS core_data PkgConfig::JANSSON)
sluice_test(data_values SOURCES unit/core/data/test_values.c LIBS core_data)
