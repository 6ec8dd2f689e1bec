sluice_test(config_properties
    SOURCES unit/core/config/test_properties.c
    LIBS core_config)
