#!/bin/sh
# A real S3 server for tests: installs MinIO once (into ${XDG_CACHE_HOME:-~/.cache}/sluice-tests, some
# minutes with Go 1.24 or newer) and runs it on a free port with a fresh folder until its standard input
# ends or it is killed. Prints one line, `URL ACCESS_KEY SECRET_KEY`, when it answers.
#
#   tests/support/minio.sh install    only installs; prints the program's path
#   tests/support/minio.sh path       only prints the program's path, where it need not be yet
#   tests/support/minio.sh            runs
#
# Exit 3: it cannot be had here; why is on standard error.
set -eu

# A tag of theirs (RELEASE.2025-09-07T16-13-09Z) as Go's module proxy names it.
version=v0.0.0-20250907161309-07c3a429bfed
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice-tests
program=$cache/minio-$version

say() {
    echo "minio.sh: $*" >&2
}

install_minio() {
    [ -x "$program" ] && return
    if ! command -v go >/dev/null; then
        say "no Go compiler: install Go 1.24 or newer, or put minio at $program"
        exit 3
    fi
    mkdir -p "$cache"
    say "installing MinIO $version, which takes some minutes the first time"
    if ! GOBIN=$cache/bin.$$ nice go install "github.com/minio/minio@$version" >"$cache/minio.log" 2>&1; then
        say "it cannot be built; see $cache/minio.log:"
        tail -n 3 "$cache/minio.log" >&2
        rm -rf "$cache/bin.$$"
        exit 3
    fi
    mv "$cache/bin.$$/minio" "$program"
    rmdir "$cache/bin.$$"
}

if [ "${1:-}" = path ]; then
    echo "$program"
    exit
fi
install_minio
if [ "${1:-}" = install ]; then
    echo "$program"
    exit
fi

port=$(cd "$(dirname "$0")" && python3 -c 'import harness; print(harness.free_port())')
data=$(mktemp -d "${TMPDIR:-/tmp}/sluice-minio-XXXXXX")
MINIO_ROOT_USER=sluice MINIO_ROOT_PASSWORD=sluice-secret MINIO_BROWSER=off MINIO_UPDATE=off \
    CI=1 "$program" server --quiet --address "127.0.0.1:$port" "$data" >"$data.log" 2>&1 </dev/null &
server=$!
clean_up() {
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    rm -rf "$data" "$data.log"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

tries=0
until python3 -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/minio/health/ready')" 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 150 ] || ! kill -0 "$server" 2>/dev/null; then
        say "it does not start:"
        tail -n 5 "$data.log" >&2
        exit 3
    fi
    sleep 0.2
done
echo "http://127.0.0.1:$port sluice sluice-secret"
cat >/dev/null || true # until standard input ends
