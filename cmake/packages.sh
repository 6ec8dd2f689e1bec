# Sourced by run.sh and test.sh: installs what is missing of packages.txt.
# install_packages [test]: with `test` the lines for tests too.
install_packages() {
    local wanted missing=() better=() name program packages sudo=()
    wanted=$(sed -n 's/^\([a-z0-9][^ #]*\)$/\1/p' packages.txt)
    [ "${1:-}" = test ] && wanted="$wanted $(sed -n 's/^#test \(.*\)$/\1/p' packages.txt)"
    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian system: install the counterparts of packages.txt yourself, then go on." >&2
        return 0
    fi
    for name in $wanted; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    while IFS=: read -r program packages; do
        command -v "$program" "$HOME/.cargo/bin/$program" >/dev/null || better+=("${packages# }")
    done < <(grep -E '^[a-z0-9-]+: ' packages.txt)
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
