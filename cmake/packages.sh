# Sourced by run.sh and test.sh: installs what is missing of packages.txt.
# install_packages [KIND...]: with the lines that are marked `#KIND`, too.
install_packages() {
    local lines kind missing=() better=() name program packages sudo=()
    lines=$(grep -v '^#' packages.txt
            for kind in "$@"; do sed -n "s/^#$kind //p" packages.txt; done)
    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian system: install the counterparts of packages.txt yourself, then go on." >&2
        return 0
    fi
    for name in $(grep -v ': ' <<<"$lines"); do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    while IFS=: read -r program packages; do
        command -v "$program" "$HOME/.cargo/bin/$program" >/dev/null || better+=("${packages# }")
    done < <(grep ': ' <<<"$lines")
    [ ${#missing[@]} -eq 0 ] && [ ${#better[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
            [ ${#missing[@]} -eq 0 ] && return 0 # cmake says what it does without the others
            echo "These Debian packages are missing and you may not install them: ${missing[*]}" >&2
            echo "Ask an administrator for: apt-get install ${missing[*]}" >&2
            return 3
        fi
        sudo=(sudo)
    fi
    if ! "${sudo[@]}" apt-get update -qq && [ ${#missing[@]} -eq 0 ]; then
        return 0 # no network, and nothing is missing that must be there
    fi
    for packages in "${better[@]}"; do
        for name in $packages; do
            apt-cache show --no-all-versions "$name" >/dev/null 2>&1 && missing+=("$name") && break
        done
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    echo "Installing: ${missing[*]}"
    if ! DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends \
            "${missing[@]}" >/dev/null; then
        echo "apt-get could not install: ${missing[*]}" >&2
        return 3
    fi
}
