#!/usr/bin/env bash
# Runs recorded cases of what Kafka Connect's classes do, each file by the runner for its kind of
# cases, and closes with `N passed, N failed` over all of them.
#   run_vectors.sh              every file in $SLUICE_SHARED/conformance/vectors
#   run_vectors.sh FILE...      these
# The runners are taken from the build at SLUICE_BUILD (build/release).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${SLUICE_BUILD:-$root/build/release}
shared=${SLUICE_SHARED:-$(dirname "$root")/shared}
passed=0 failed=0

# The runner for the cases of a file, told by members that only they have.
runner_for() {
    local line
    read -r line <"$1"
    case $line in
    *'"text_b64"'* | *'"pattern"'*'"input"'*'"replacement"'*) echo vectors_text ;;
    *'"kind":"key"'* | *'"kind":"validate_'*) echo vectors_config ;;
    *'"records_in"'* | *'"predicate"'* | *'"test"'* | *'"applies"'*) echo vectors_transforms ;;
    *'"mode"'*) echo vectors_converters ;;
    esac
}

if [ $# -eq 0 ]; then
    set -- "$shared"/conformance/vectors/*.jsonl
fi
for file in "$@"; do
    if [ ! -r "$file" ]; then
        echo "run_vectors.sh: $file cannot be read" >&2
        exit 2
    fi
    runner=$(runner_for "$file")
    if [ -z "$runner" ]; then
        echo "run_vectors.sh: $file: not cases of a known kind" >&2
        exit 2
    fi
    if [ ! -x "$build/tests/$runner" ]; then
        echo "FAILED $file: $runner is not built in $build"
        failed=$((failed + 1))
        continue
    fi
    output=$("$build/tests/$runner" "$file")
    printf '%s: %s\n' "$(basename "$file")" "$(tail -1 <<<"$output")"
    grep -E "^(FAILED|left out)" <<<"$output"
    read -r p f < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' <<<"$output" | tail -1)
    passed=$((passed + ${p:-0}))
    failed=$((failed + ${f:-1}))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
