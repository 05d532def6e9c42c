#!/bin/sh
# Makes the environment that the Makefile uses. Asks for nothing; says the one line to type where it may not act.
set -eu

say() { printf '%s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 1
    fi
}

get_packages() {
    command -v apt-get >/dev/null || return 1
    as_root sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"' sh "$@" >/dev/null
}

need() { # need PROGRAM-TEST PACKAGES...
    test_command=$1; shift
    sh -c "$test_command" >/dev/null 2>&1 && return
    say "installing $* ..."
    get_packages "$@" || { say "This needs: sudo apt-get install $*"; say "Then run make again."; exit 1; }
}

if [ "${1:-}" = browser ]; then # what the tests of the pages drive
    need "command -v chromium" chromium fonts-dejavu-core
    exit
fi

need "$PYTHON -c 'import sys; sys.exit(sys.version_info < (3, 11))'" python3
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "Python 3.11 or newer is needed; this is $("$PYTHON" --version). Try: make PYTHON=python3.12"; exit 1; }
need "$PYTHON -c 'import venv, ensurepip'" python3-venv
need "command -v bwrap" bubblewrap
need "command -v setpriv && command -v unshare" util-linux

umask 022 # the jail's own user must be able to read the environment
[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
say "installing Python packages (torch is large; this takes a minute or two) ..."
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[kernel,dev]'

# Jails write nothing, so what each of them would compile or look for again is made here, once.
"$VENV/bin/python" -m compileall -q grader
MPLCONFIGDIR="$VENV/share/grader/matplotlib" "$VENV/bin/python" -c 'import matplotlib.font_manager'
