#!/usr/bin/env bash
# Builds sluice and runs the main job: rows over REST -> topics -> raw and cleaned objects under demo/.
#   ./run.sh            posts 137 triples, waits until every record is in the lake, shows the result
#   ./run.sh --follow   goes on until Ctrl-C
#   ./run.sh --full     the whole pipeline: database, REST, lake, cleaning, SQL, analyses (--full --help: options;
#                       --full --kafka: on a real broker and a real S3 server, fetched and started for it)
#   ./run.sh --keep     leaves what an earlier run left in demo/ and adds to it
#   ./run.sh --kafka    on a real Kafka broker and a real S3 server, fetched and started for it (Java, Maven, Go)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. cmake/packages.sh

follow=() keep=no full=no kafka=no
if [ "${1:-}" = --full ]; then
    full=yes
    shift
    options=("$@")
    set --
fi
for argument in "$@"; do
    case $argument in
    --follow) follow=(--follow) ;;
    --keep) keep=yes ;;
    --kafka) kafka=yes ;;
    -h|--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option $argument (--follow, --full, --keep, --kafka, --help)" >&2; exit 2 ;;
    esac
done

case " ${options[*]:-} " in *" --kafka "* | *" --s3 "*) kafka=yes ;; esac
kinds=()
[ "$full" = no ] || kinds+=(full)
[ "$kafka" = no ] || kinds+=(test)
install_packages "${kinds[@]}"
echo "Building (build/release) ..."
mkdir -p build
# A checkout that was moved or copied brings a build folder that CMake refuses.
if [ -f build/release/CMakeCache.txt ] &&
   ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" build/release/CMakeCache.txt; then
    rm -rf build/release
fi
# Tests need further packages; test.sh builds them.
if ! { cmake --preset release -DSLUICE_TESTS=OFF && cmake --build --preset release; } >build/run.log 2>&1; then
    tail -30 build/run.log >&2
    echo "run.sh: the build failed; all of it is in build/run.log" >&2
    exit 1
fi

[ "$keep" = yes ] || rm -rf demo
mkdir -p demo
# Debian's own interpreter has the packages that packages.txt names.
python=/usr/bin/python3
[ -x $python ] || python=python3
[ "$full" = no ] || exec $python examples/pinterest/full.py "${options[@]}"
example=examples/pinterest
[ "$kafka" = no ] || exec $example/on_kafka.py "${follow[@]}"
idle=(--exit-when-idle 1500)
[ ${#follow[@]} -eq 0 ] || idle=()
build/release/sluice run "${idle[@]}" $example/worker.properties $example/rest-source.properties \
    $example/s3-raw.properties $example/s3-clean.properties &
sluice=$!
trap 'kill $sluice 2>/dev/null || true; wait $sluice 2>/dev/null || true' EXIT

python3 $example/emulator.py --patience 60 --server-pid $sluice "${follow[@]}"
wait $sluice
trap - EXIT
python3 $example/summary.py demo
