sluice_test(config_properties
    SOURCES unit/core/config/test_properties.c
    LIBS core_config)

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
