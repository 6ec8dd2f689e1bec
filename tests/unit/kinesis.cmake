sluice_test(kinesis_aggregate SOURCES unit/connectors/kinesis/test_aggregate.c LIBS kinesis_parts)
