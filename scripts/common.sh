# shellcheck shell=bash
# What ./check and ./quickstart share: headings, and installing Debian packages.  Sourced by bash.

heading() {
    printf '\n==== %s\n' "$*"
}

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        command -v sudo >/dev/null || fail "to install packages, run it as root or install sudo"
        sudo "$@"
    fi
}

# The packages among the given ones that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
            installed) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

POLICY=/usr/sbin/policy-rc.d

# as_root, while no service is started: servers are wanted for the tests alone, which start them themselves.
as_root_without_services() {
    local status=0
    if [ -e "$POLICY" ]; then
        as_root "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
    as_root "$@" || status=$?
    as_root rm -f "$POLICY"
    return "$status"
}

# Installs what is missing of the given packages; does nothing, and asks for nothing, when all are there.
install_packages() {
    local missing
    if ! command -v apt-get >/dev/null; then
        echo "This is not a Debian machine, so nothing is installed.  What is needed is called there: $*"
        return
    fi
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        echo "All packages that are needed are installed."
        return
    fi
    echo "Installing: $missing"
    as_root apt-get -q update || fail "apt-get update failed; these packages are needed: $missing"
    # shellcheck disable=SC2086  # one word for each package
    as_root_without_services env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends install $missing ||
        fail "apt-get could not install $missing"
}
