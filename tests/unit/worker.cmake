sluice_test(base_log SOURCES unit/core/base/test_log.c LIBS core_base)
sluice_test(base_loop SOURCES unit/core/base/test_loop.c LIBS core_base)
sluice_test(base_subprocess SOURCES unit/core/base/test_subprocess.c LIBS core_base)
sluice_test(base_memory SOURCES unit/core/base/test_memory.c LIBS core_base)
sluice_test(base_error SOURCES unit/core/base/test_error.c LIBS core_base)
sluice_test(base_channel SOURCES unit/core/base/test_channel.c LIBS core_base)
sluice_test(metrics_page SOURCES unit/core/metrics/test_page.c LIBS core_metrics)
sluice_test(worker_host_words SOURCES unit/core/worker/test_host_words.c LIBS core_worker)
sluice_test(worker_stage SOURCES unit/core/worker/test_stage.c LIBS core_worker)
sluice_test(store_offsets_file SOURCES unit/core/store/test_offsets_file.c LIBS core_store)
sluice_test(store_offsets_order SOURCES unit/core/store/test_offsets_order.c LIBS core_store)

# A sink that writes down what a group does to it, in <build>/tests/group_plugins.
add_library(group_plugin_ledger MODULE support/group_plugins/ledger.c)
target_include_directories(group_plugin_ledger PRIVATE ${PROJECT_SOURCE_DIR}/include)
set_target_properties(group_plugin_ledger PROPERTIES PREFIX "" OUTPUT_NAME ledger
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/group_plugins)

# Plugins for tests of the worker, in <build>/tests/worker_plugins.
foreach(name line lease)
    add_library(worker_plugin_${name} MODULE support/worker_plugins/${name}.c)
    target_include_directories(worker_plugin_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    set_target_properties(worker_plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/worker_plugins)
endforeach()
