#!/usr/bin/env bash
# Runs recorded cases of what Kafka Connect's classes do and closes with `N passed, N failed`.
#   run_vectors.sh              every file in $SLUICE_SHARED/conformance/vectors
#   run_vectors.sh FILE...      these: files of the vectors' form, kinds of cases in any order
# Classes are called in the .so files; what is the herder's (validate_connector) is asked of a worker.
# Programs and plugins are taken from the build at SLUICE_BUILD (build/release).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${SLUICE_BUILD:-$root/build/release}
shared=${SLUICE_SHARED:-$(dirname "$root")/shared}
python=/usr/bin/python3
[ -x $python ] || python=python3
[ $# -gt 0 ] || set -- "$shared"/conformance/vectors/*.jsonl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# what a runner prints, without its sum, which is kept for the end
run() {
    "$@" >"$work/out"
    local status=$?
    sed '$d' "$work/out"
    tail -1 "$work/out" >>"$work/sums"
    [ $status -le 1 ] || exit $status
}
run "$build/tests/vectors" "$@"
if grep -qs '"validate_connector"' "$@"; then
    export SLUICE_BUILD=$build
    run $python "$root/tests/suites/validate_connector.py" "$@"
fi
awk '$2 == "passed," { passed += $1; failed += $3 }
    END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || NR == 0 }' "$work/sums"
