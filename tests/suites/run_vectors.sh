#!/usr/bin/env bash
# Runs recorded cases of what Kafka Connect's classes do and closes with `N passed, N failed`.
#   run_vectors.sh              every file in $SLUICE_SHARED/conformance/vectors
#   run_vectors.sh FILE...      these: files of the vectors' form, kinds of cases in any order
# The runner and the plugins are taken from the build at SLUICE_BUILD (build/release).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${SLUICE_BUILD:-$root/build/release}
shared=${SLUICE_SHARED:-$(dirname "$root")/shared}
[ $# -gt 0 ] || set -- "$shared"/conformance/vectors/*.jsonl
exec "$build/tests/vectors" "$@"
