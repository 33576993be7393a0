#!/bin/sh
# Makes the virtual environment and installs botopt into it. The Makefile calls it.
#
#   sh scripts/setup.sh install       what `make install` and `make demo` need
#   sh scripts/setup.sh dev           that and what `make test` and `make bench` need
#   sh scripts/setup.sh docs          that and what `make docs` needs
#   sh scripts/setup.sh browser       install the browser that tests need, where we may
#   sh scripts/setup.sh clients       install the clients for Node.js that tests need, where we may
#   sh scripts/setup.sh check         say what this machine lacks; change nothing
#   sh scripts/setup.sh packages      print the Debian packages that an install needs
#   sh scripts/setup.sh constraints   resolve constraints.txt anew
#
# Variables:
#   PYTHON              the interpreter; else the first usable of python3.11, python3.12, python3.13, python3
#   VENV                the folder of the virtual environment; else .venv
#   BOTOPT_NO_DURABLE   1: leave durable-rules out, so that no C compiler is needed. botopt then decides the same
#                       with its own matcher. Remembered in the environment until it is 0, or until `make clean`.
set -eu
unset CDPATH
cd -- "$(dirname -- "$0")/.."

venv=${VENV:-.venv}
python=      # the interpreter that find_python chose

say() { printf '%s\n' "botopt: $*" >&2; }

# ---------------------------------------------------------------- what the machine has

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
has_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# Sets python to the first interpreter that can make an environment, or stops.
find_python() {
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3.11 python3.12 python3.13 python3; fi
    without_venv=
    for candidate in "$@"; do
        new_enough "$candidate" || continue
        if has_venv "$candidate"; then
            python=$candidate
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    if [ -n "$without_venv" ]; then
        python=$without_venv
        lacking python "$without_venv has no venv module."
    elif [ -n "${PYTHON:-}" ]; then
        say "PYTHON=$PYTHON is not Python 3.11 or newer. Name another, or leave PYTHON out."
        exit 1
    else
        lacking python "Python 3.11 or newer was not found."
    fi
}

# durable-rules is compiled here. The markers are those in pyproject.toml.
needs_compiler() {
    [ "$(durable)" = with ] || return 1
    "$1" -c '
import platform, sys
sys.exit(not (platform.python_implementation() == "CPython" and sys.version_info < (3, 13)))'
}

# Compiles nothing: asks the compiler that setuptools will use whether it finds Python.h.
check_compiler() {
    needs_compiler "$1" || return 0
    if "$1" -c 'import durable_rules_engine' >/dev/null 2>&1; then return 0; fi
    found=0
    "$1" - <<'PROBE' || found=$?
import os, shlex, subprocess, sys, sysconfig

command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
paths = sysconfig.get_paths()
command += ["-I", paths["include"], "-I", paths["platinclude"], "-E", "-x", "c", "-", "-o", os.devnull]
try:
    probe = subprocess.run(command, input=b"#include <Python.h>\n", capture_output=True)
except OSError:
    sys.exit(3)
sys.exit(4 if probe.returncode else 0)
PROBE
    case $found in
        0) ;;
        3) lacking compiler "no C compiler was found; durable-rules is compiled on your machine." ;;
        *) lacking compiler "the C compiler does not find Python.h; durable-rules is compiled on your machine." ;;
    esac
}

# ---------------------------------------------------------------- what to say when something lacks

packages() {
    name=python3
    if [ -n "$python" ]; then
        # A Python that is not the system's default has packages of its own name.
        version=$(version_of "$python")
        [ "$(version_of /usr/bin/python3)" = "$version" ] || name=python$version
    elif [ -x /usr/bin/python3 ] && ! new_enough /usr/bin/python3; then
        name=python3.11
    fi
    echo "$name $name-venv $name-dev gcc make"
}

fix_line() {
    sudo='sudo '
    [ "$(id -u)" != 0 ] || sudo=
    if [ "$(uname -s)" = Darwin ]; then
        if [ "$1" = compiler ]; then echo "xcode-select --install"; else echo "brew install python@3.12"; fi
    elif command -v apt-get >/dev/null 2>&1; then
        echo "${sudo}apt-get install -y $(packages)"
    elif command -v dnf >/dev/null 2>&1; then
        echo "${sudo}dnf install -y python3 python3-devel gcc make"
    else
        echo "install Python 3.11 or newer with its venv module and headers, a C compiler and make"
    fi
}

# lacking python|compiler MESSAGE: says what is missing and the one line that installs it, then stops.
lacking() {
    say "$2 Install what is missing, then run the same command again:"
    printf '    %s\n' "$(fix_line "$1")" >&2
    if [ "$1" = compiler ]; then
        say "or go without it (same decisions, slower matcher): BOTOPT_NO_DURABLE=1 make install"
    fi
    exit 1
}

# ---------------------------------------------------------------- the environment

# with | without, as BOTOPT_NO_DURABLE says now or said when the environment was made.
durable() {
    case ${BOTOPT_NO_DURABLE:-} in
        '') if [ -e "$venv/.botopt-no-durable" ]; then echo without; else echo with; fi ;;
        0) echo with ;;
        *) echo without ;;
    esac
}

# What an installation depends on. The folder counts too: scripts in an environment hold its path.
fingerprint() {
    pwd
    durable
    cksum pyproject.toml constraints.txt scripts/setup.sh
}

# Whether the environment can stay: it runs, it was not moved here, and PYTHON does not ask for another version.
venv_fits() {
    new_enough "$venv/bin/python" || return 1
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || return 1
    if [ -e "$venv/.botopt-home" ] && [ "$(cat "$venv/.botopt-home")" != "$(pwd)" ]; then return 1; fi
    [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of "$venv/bin/python")" ]
}

make_venv() {
    if venv_fits; then
        check_compiler "$venv/bin/python"
        return
    fi
    find_python
    check_compiler "$python"
    say "making $venv with Python $(version_of "$python")"
    "$python" -m venv --clear "$venv"
    pwd > "$venv/.botopt-home"
}

pip() {
    # The two constraint variables (pip's old and new name) pin what builds packages, too.
    PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_USE_PEP517=1 PIP_USER=0 \
        "$venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input "$@"
}

# The requirements of one level without durable-rules.
requirements_without_durable() {
    "$venv/bin/python" - "$1" <<'READ'
import pathlib, sys, tomllib

project = tomllib.loads(pathlib.Path("pyproject.toml").read_text(encoding="utf-8"))["project"]


def listed(names):
    """The requirements of these extras; one that names extras of botopt itself stands for theirs."""
    for name in names.split(","):
        for line in project["optional-dependencies"][name]:
            if line.startswith("botopt["):
                yield from listed(line.removeprefix("botopt[").removesuffix("]"))
            else:
                yield line


wanted = dict.fromkeys([*project["dependencies"], *listed(sys.argv[1])])
print(*(line for line in wanted if not line.startswith("durable-rules")), sep="\n")
READ
}

install() {
    print=$(fingerprint)
    fits=yes
    if [ -n "${PYTHON:-}" ] && ! venv_fits; then fits=no; fi
    if [ $fits = yes ] && [ -x "$venv/bin/botopt" ]; then
        for level in "$@"; do
            if [ "$(cat "$venv/.botopt-$level" 2>/dev/null)" = "$print" ]; then return; fi
        done
    fi

    level=$1
    make_venv
    # What another installation left is true no longer, for any level.
    for other in install dev docs; do
        [ "$(cat "$venv/.botopt-$other" 2>/dev/null)" = "$print" ] || rm -f "$venv/.botopt-$other"
    done
    say "installing into $venv (a minute or two the first time)"
    case $level in
        install) extras=server ;;       # so that `botopt serve` works, as the README shows it
        dev) extras=dev,bench ;;        # the yardsticks of the benchmarks have tests
        *) extras=$level ;;
    esac
    if [ "$(durable)" = with ]; then
        rm -f "$venv/.botopt-no-durable"
        pip install -e ".[$extras]" || failed
    else
        : > "$venv/.botopt-no-durable"
        requirements_without_durable "$extras" > "$venv/.botopt-requirements"
        pip uninstall -y durable-rules 2>/dev/null
        pip install -r "$venv/.botopt-requirements" || failed
        pip install --no-deps -e . || failed
        say "durable-rules is left out (BOTOPT_NO_DURABLE); BOTOPT_NO_DURABLE=0 brings it back"
    fi
    # As pip does for whatever it copies; an environment may forbid Python to do so when it runs.
    "$venv/bin/python" -m compileall -q botopt
    fingerprint > "$venv/.botopt-$level"
}

failed() {
    say "pip could not install everything; its message stands above."
    exit 1
}

# What only tests need: a browser that looks at the pages. Root gets it installed; others are told by the tests.
browser() {
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then return; fi
    done
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing chromium, which looks at pages in the tests"
        apt-get update -qq >/dev/null 2>&1 || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null || true
    fi
}

# What only tests need: official clients that run on Node.js, in .node. They judge what channels send. Nothing that npm
# fetches runs while it is installed, and the tests compare what came with the sum in tests/node.py.
clients() {
    if ! command -v npm >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing Node.js, which runs official clients in the tests"
        apt-get update -qq >/dev/null 2>&1 || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null || true
    fi
    command -v npm >/dev/null 2>&1 || return 0
    wanted=kore-web-sdk@10.1.12
    [ "$(cat .node/installed 2>/dev/null)" != "$wanted" ] || return 0
    say "fetching $wanted"
    mkdir -p .node
    if npm install --prefix .node --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "$wanted" >/dev/null; then
        echo "$wanted" > .node/installed
    fi
}

# ---------------------------------------------------------------- constraints.txt

# One resolution for every supported Python: uv writes markers where versions differ.
constraints() {
    find_python
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "$python" -m venv "$work/venv"
    "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
    "$work/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --all-extras \
        --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
        --output-file "$work/pins" pyproject.toml
    {
        echo "# The exact versions that \`make install\`, \`make test\` and \`make docs\` use, on Python 3.11 to 3.13."
        echo "# Made by \`make constraints\`; do not edit."
        cat "$work/pins"
    } > constraints.txt
    say "constraints.txt has $(grep -c == constraints.txt) pins"
}

case ${1:-} in
    install) install install dev docs ;;
    dev) install dev ;;
    docs) install docs ;;
    browser) browser ;;
    clients) clients ;;
    check) find_python; check_compiler "$python" ;;
    packages) lacking() { :; }; find_python; packages ;;
    constraints) constraints ;;
    *) sed -n '2,/^set -eu/{/^#/s/^# \{0,1\}//p;}' scripts/setup.sh; exit 2 ;;
esac
