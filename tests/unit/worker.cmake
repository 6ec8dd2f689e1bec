sluice_test(base_loop SOURCES unit/core/base/test_loop.c LIBS core_base)
sluice_test(base_subprocess SOURCES unit/core/base/test_subprocess.c LIBS core_base)
sluice_test(store_offsets_file SOURCES unit/core/store/test_offsets_file.c LIBS core_store)
