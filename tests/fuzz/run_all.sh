#!/usr/bin/env bash
# Runs every fuzzer for its share of SECONDS (default 120), two at a time, each from its committed corpus.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-120}
fuzzers=(build/fuzz/fuzz/fuzz_*)
share=$((seconds * 2 / ${#fuzzers[@]}))
[ $share -ge 2 ] || share=2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one() {
    local program=$1 name
    name=$(basename "$program"); name=${name#fuzz_}
    mkdir -p "$work/$name"
    if "$program" -max_total_time="$2" -rss_limit_mb=2048 -timeout=10 -artifact_prefix="$work/$name-" \
        "$work/$name" tests/fuzz/corpus/"$name" >"$work/$name.log" 2>&1; then
        echo "ok $name: $(grep -o 'Done [0-9]* runs' "$work/$name.log")"
    else
        echo "not ok $name"; tail -40 "$work/$name.log"; xxd "$work/$name"-* 2>/dev/null | head -40
        return 1
    fi
}
status=0
for ((i = 0; i < ${#fuzzers[@]}; i += 2)); do
    one "${fuzzers[i]}" $share & first=$!
    if ((i + 1 < ${#fuzzers[@]})); then one "${fuzzers[i + 1]}" $share || status=1; fi
    wait $first || status=1
done
exit $status
