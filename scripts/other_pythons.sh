#!/bin/sh
# Runs the tests that compare bytes (determinism, the rules networks) on every other supported Python of this machine.
# The Makefile calls it; each Python gets an environment of its own, .venv-3.12 for example.
set -eu
unset CDPATH
cd -- "$(dirname -- "$0")/.."

ours=$("${VENV:-.venv}/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
tests="tests/verify/test_determinism.py tests/verify/test_run.py tests/network"
found=none

# The interpreter of this version: one on PATH that starts, or one that pyenv has though it does not offer it here.
interpreter() {
    if command -v "python$1" >/dev/null 2>&1; then
        if "python$1" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            command -v "python$1"
            return
        fi
        shim=$(command -v "python$1")
        for candidate in "$(dirname -- "$shim")"/../versions/"$1".*/bin/"python$1"; do
            if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
                echo "$candidate"
                return
            fi
        done
    fi
}

for version in 3.11 3.12 3.13; do
    [ "$version" != "$ours" ] || continue
    python=$(interpreter "$version")
    if [ -z "$python" ]; then
        echo "botopt: Python $version is not on this machine"
        continue
    fi
    found=$version
    VENV=.venv-$version PYTHON=$python sh scripts/setup.sh dev
    echo "botopt: the same tests on Python $version"
    # shellcheck disable=SC2086  # several files
    ".venv-$version/bin/python" -m pytest -q $tests
done
[ "$found" != none ] || echo "botopt: there is no other Python to compare with"
