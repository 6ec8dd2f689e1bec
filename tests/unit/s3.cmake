sluice_test(lib_sigv4 SOURCES unit/lib/aws/test_sigv4.c LIBS lib_aws)
sluice_test(lib_aws_reply SOURCES unit/lib/aws/test_reply.c LIBS lib_aws)
sluice_test(lib_aws_credentials SOURCES unit/lib/aws/test_credentials.c LIBS lib_aws)
