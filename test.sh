#!/usr/bin/env bash
# Runs the tests and closes with `N passed, N failed, N skipped`.
#   ./test.sh                    everything that CI runs (at most 18 minutes on 2 cores)
#   ./test.sh --full [STEP...]   the long numbers too: benchmarks, chaos at full length
#   ./test.sh STEP...            only these: build clang unit asan tsan fuzz suites diff rest integration chaos
#                                bench diff-rest
#   ./test.sh vectors FILE...    runs given cases of the recorded vectors (transforms, converters, ..)
#   ./test.sh s3 FILE...         runs given cases of the recorded S3 sink on the embedded log, into a folder;
#                                without files all of them, first on a real Kafka broker with MinIO where Java
#                                and Go are there (--real FILE...: only so)
#   ./test.sh rest FILE...       runs given scenarios of the recorded admin API against a worker
# Recorded answers are taken from ../shared, or where SLUICE_SHARED points; without them their tests
# are skipped and say so.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. cmake/packages.sh
# Debian's own interpreter has the packages that packages.txt names.
PYTHON=/usr/bin/python3
[ -x $PYTHON ] || PYTHON=python3
export PYTHON SLUICE_SHARED="${SLUICE_SHARED:-$(cd .. && pwd)/shared}"

passed=0 failed=0 skipped=0
failures=()
log=build/test-logs
mkdir -p $log
running="" child="" ahead=""

# logged NAME COMMAND...: its output is kept in a log. A process group of its own, so that all of it can be ended.
logged() {
    local status=0
    running=$1
    shift
    set -m
    "$@" >"$log/$running.log" 2>&1 </dev/null &
    child=$!
    set +m
    wait $child || status=$?
    running="" child=""
    return $status
}

interrupted() {
    local p=0 f=0 s=0
    trap '' INT TERM
    [ -z "$ahead" ] || kill -- -"$ahead" 2>/dev/null
    if [ -n "$child" ]; then
        failures+=("$running, which was interrupted")
        kill -INT -- -$child
        for ((i = 0; i < 150; i++)); do kill -0 -- -$child 2>/dev/null && sleep 0.1; done
        kill -KILL -- -$child 2>/dev/null
        grep -E '\*\*\*(Failed|Exception|Timeout)' "$log/$running.log" | sed 's/^/        | /'
        read -r p f s < <(python3 tests/support/count.py "$log/$running.log")
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    fi
    summary
    exit 130
}
trap interrupted INT TERM

summary() {
    [ ${#failures[@]} -eq 0 ] || printf '\nFailed: %s\n' "${failures[*]}"
    printf '\n%d passed, %d failed, %d skipped\n' $passed $failed $skipped
}

# step NAME COMMAND...: one check; the output is shown where it fails.
step() {
    local name=$1 begin=$SECONDS
    if logged "$@"; then
        passed=$((passed + 1))
        printf 'ok      %-28s %4ss\n' "$name" $((SECONDS - begin))
    else
        failed=$((failed + 1))
        failures+=("$name")
        printf 'FAILED  %-28s %4ss  (%s)\n' "$name" $((SECONDS - begin)) "$log/$name.log"
        tail -40 "$log/$name.log" | sed 's/^/        | /'
    fi
}

skip() {
    skipped=$((skipped + 1))
    printf 'skipped %-28s %s\n' "$1" "$2"
}

preset() {
    flock build/"$1".lock bash -c 'cmake --preset "$0" -DSLUICE_TESTS=ON && cmake --build --preset "$0"' "$1"
}

# What later steps build is built while earlier ones wait more than they work, with what these leave of the
# processors. A step then finds it made, waits for it, or makes it; what failed it makes again, and tells.
build_ahead() {
    chrt --idle --pid 0 $BASHPID || renice -n 19 -p $BASHPID
    for name in clang asan tsan fuzz; do preset $name; done
}
do_ahead() {
    set -m
    build_ahead >$log/ahead.log 2>&1 </dev/null &
    ahead=$!
    set +m
}

# Counts of ctest, pytest and our runners are added to the totals, case by case.
counted() {
    local name=$1 begin=$SECONDS p=0 f=0 s=0 status=0
    logged "$@" || status=$?
    read -r p f s < <(python3 tests/support/count.py "$log/$name.log")
    if [ $status -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$f" -eq 0 ]; then
        printf 'ok      %-28s %4ss  %s passed, %s skipped\n' "$name" $((SECONDS - begin)) "$p" "$s"
    else
        failures+=("$name")
        printf 'FAILED  %-28s %4ss  %s passed, %s failed (%s)\n' "$name" $((SECONDS - begin)) "$p" "$f" \
            "$log/$name.log"
        tail -60 "$log/$name.log" | sed 's/^/        | /'
    fi
    grep -E '^SKIPPED|\*\*\*Skipped' "$log/$name.log" | sed 's/^/        /' | head -20
}

do_build() { step build preset release; }
do_clang() { step clang preset clang; }
do_unit() { counted unit ctest --test-dir build/release -L unit --output-on-failure -j4; }
do_asan() {
    step asan-build preset asan
    counted asan ctest --test-dir build/asan -L unit --output-on-failure -j4
}
do_tsan() {
    step tsan-build preset tsan
    counted tsan ctest --test-dir build/tsan -L unit --output-on-failure -j4
}
do_fuzz() {
    step fuzz-build preset fuzz
    step fuzz tests/fuzz/run_all.sh "${SLUICE_FUZZ_SECONDS:-120}"
}
do_suites() {
    if [ -d "$SLUICE_SHARED/conformance/vectors" ]; then
        counted vectors tests/suites/run_vectors.sh
    else
        skip vectors "no recorded vectors at $SLUICE_SHARED/conformance (set SLUICE_SHARED)"
    fi
    local cases=(tests/integration/s3/cases)
    if [ -d "$SLUICE_SHARED/conformance/s3" ]; then
        cases+=("$SLUICE_SHARED/conformance/s3/cases")
    else
        skip s3-recorded "no recorded cases at $SLUICE_SHARED/conformance (set SLUICE_SHARED)"
    fi
    SLUICE_BUILD=$PWD/build/release counted s3-cases "$PYTHON" tests/integration/s3/run_cases.py "${cases[@]}"
}
do_diff() { counted diff "$PYTHON" tests/diff/run.py; }
# To look for differences, not to pass: what a JVM answers depends on its clock, too.
do_diff-rest() { counted diff-rest "$PYTHON" tests/diff/rest.py; }
do_rest() {
    if [ -d "$SLUICE_SHARED/conformance/rest" ]; then
        counted rest "$PYTHON" tests/suites/run_rest.py
    else
        skip rest "no recorded scenarios at $SLUICE_SHARED/conformance (set SLUICE_SHARED)"
    fi
}
# pytest: tests wait more than they work, so files run side by side where pytest-xdist is there.
do_pytest() {
    local together=()
    "$PYTHON" -c 'import xdist' 2>/dev/null && together=(-n 4 --dist loadfile)
    # A failure is told here when it happens, too (tests/support/instant.py).
    SLUICE_TELL_FD=3 counted "$1" "$PYTHON" -m pytest -rs -q "${together[@]}" "tests/$1" 3>&1
}
do_integration() { do_pytest integration; }
do_chaos() { do_pytest chaos; }
do_bench() { step bench tests/bench/run all; cat $log/bench.log; }

install_packages test full || exit 3

case ${1:-} in
-h|--help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
vectors)
    shift
    preset release >$log/build.log 2>&1 || { tail -30 $log/build.log; exit 1; }
    exec tests/suites/run_vectors.sh "$@" ;;
s3)
    shift
    preset release >$log/build.log 2>&1 || { tail -30 $log/build.log; exit 1; }
    export SLUICE_BUILD=$PWD/build/release
    if [ "${1:-}" = --real ]; then
        shift
        exec "$PYTHON" tests/integration/s3/run_recorded.py "$@"
    elif [ $# -eq 0 ]; then
        set -- "$SLUICE_SHARED"/conformance/s3/cases/*.json
        "$PYTHON" tests/integration/s3/run_recorded.py "$@"
        status=$?
        [ $status -eq 0 ] || [ $status -eq 3 ] || exit $status
    fi
    exec "$PYTHON" tests/integration/s3/run_cases.py "$@" ;;
rest)
    shift
    preset release >$log/build.log 2>&1 || { tail -30 $log/build.log; exit 1; }
    SLUICE_BUILD=$PWD/build/release exec "$PYTHON" tests/suites/run_rest.py "$@" ;;
esac

second=ahead
if [ "${1:-}" = --full ]; then
    export SLUICE_FULL=1
    second=bench # which wants the machine for itself
    shift
fi
steps=(build $second unit suites rest diff integration chaos clang asan tsan fuzz)
if [ $# -gt 0 ]; then
    steps=("$@")
    case " $* " in *" build "*) ;; *) steps=(build "${steps[@]}") ;; esac
fi
for name in "${steps[@]}"; do
    if ! declare -F "do_$name" >/dev/null; then
        echo "test.sh: no step '$name'" >&2
        exit 2
    fi
    "do_$name"
done

summary
[ $failed -eq 0 ]
