# Plugins that misbehave, in <build>/tests/plugins: for the tests here and for those of the pipeline.
function(bad_plugin name)
    add_library(bad_${name} MODULE support/bad_plugins/${name}.c)
    target_include_directories(bad_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    # A fault shall be the fault itself, not a sanitizer's report of it.
    target_compile_options(bad_${name} PRIVATE -fno-sanitize=all)
    set_target_properties(bad_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/plugins)
endfunction()

foreach(name null_deref sleep_in_stop allocate hang_in_validation wrong_abi missing_symbol)
    bad_plugin(${name})
endforeach()
configure_file(support/bad_plugins/text_file.so ${PROJECT_BINARY_DIR}/tests/plugins/text_file.so COPYONLY)
