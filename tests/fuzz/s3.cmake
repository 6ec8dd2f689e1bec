sluice_fuzzer(aws_reply SOURCES fuzz/fuzz_aws_reply.c LIBS lib_aws)
