sluice_fuzzer(log_batch SOURCES fuzz/fuzz_log_batch.c LIBS core_broker_log)
