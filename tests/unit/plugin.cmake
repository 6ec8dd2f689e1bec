# Plugins that misbehave, in <build>/tests/plugins: for the tests here and for those of the pipeline.
function(bad_plugin name)
    add_library(bad_${name} MODULE support/bad_plugins/${name}.c)
    target_include_directories(bad_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    # A fault shall be the fault itself, not a sanitizer's report of it.
    target_compile_options(bad_${name} PRIVATE -fno-sanitize=all)
    set_target_properties(bad_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/plugins)
endfunction()

foreach(name null_deref sleep_in_stop allocate hang_in_validation wrong_abi missing_symbol odd_source hostile)
    bad_plugin(${name})
endforeach()
configure_file(support/bad_plugins/text_file.so ${PROJECT_BINARY_DIR}/tests/plugins/text_file.so COPYONLY)

# The projects that `sluice plugins new` starts, as C11 and as C++17: plugins may be written in both.
find_program(SLUICE_CXX NAMES c++ g++ clang++-14)
foreach(kind source sink transform predicate converter)
    set(template ${PROJECT_SOURCE_DIR}/core/cli/templates/${kind}.c)
    add_library(template_${kind} MODULE ${template})
    target_include_directories(template_${kind} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    set_target_properties(template_${kind} PROPERTIES PREFIX "" OUTPUT_NAME ${kind}
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/templates)
    if(SLUICE_CXX)
        set(object ${CMAKE_CURRENT_BINARY_DIR}/template_${kind}_cxx.so)
        add_custom_command(OUTPUT ${object}
            COMMAND ${SLUICE_CXX} -x c++ -std=c++17 -Wall -Wextra -Wno-missing-field-initializers -Werror
                -shared -fPIC -I${PROJECT_SOURCE_DIR}/include -o ${object} ${template}
            DEPENDS ${template} VERBATIM)
        add_custom_target(template_${kind}_cxx ALL DEPENDS ${object})
    endif()
endforeach()

# A shared object that is no plugin.
add_library(no_plugin MODULE support/bad_plugins/no_plugin.c)
set_target_properties(no_plugin PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

function(plugin_test name)
    sluice_test(${name} ${ARGN})
    target_compile_definitions(test_${name} PRIVATE
        BAD_PLUGINS="${PROJECT_BINARY_DIR}/tests/plugins"
        TEMPLATES="${PROJECT_BINARY_DIR}/tests/templates"
        OTHER_LIBRARY="${PROJECT_BINARY_DIR}/tests/no_plugin.so"
        HOST="${PROJECT_BINARY_DIR}/sluice-host")
    add_dependencies(test_${name} no_plugin bad_null_deref bad_sleep_in_stop bad_allocate
        bad_hang_in_validation bad_wrong_abi bad_missing_symbol template_transform template_sink
        sluice-symbolize)
endfunction()

plugin_test(plugin_registry SOURCES unit/core/plugin/test_registry.c LIBS core_plugin)
plugin_test(plugin_instance SOURCES unit/core/plugin/test_instance.c LIBS core_plugin)
plugin_test(host_crash SOURCES unit/core/host/test_crash.c LIBS core_host core_symbolize)
