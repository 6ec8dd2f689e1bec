if(SLUICE_FUZZ)
    sluice_fuzzer(transforms
        SOURCES fuzz/fuzz_transforms.c ${PROJECT_SOURCE_DIR}/core/host/chain.c
        LIBS core_plugin core_data core_config)
    add_dependencies(fuzz_transforms transforms predicates)
    sluice_fuzzer(converters
        SOURCES fuzz/fuzz_converters.c
        LIBS core_plugin core_data core_config)
    add_dependencies(fuzz_converters converters)
endif()
