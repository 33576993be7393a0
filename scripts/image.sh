#!/bin/sh
# Builds the container image. The Makefile calls it; so does the test that tries out what was built.
#
#   sh scripts/image.sh build     botopt:VERSION and its labels, with docker, podman or buildah, whichever is here
#   sh scripts/image.sh lacks     one line on what `trial` lacks on this machine; nothing if it lacks nothing
#   sh scripts/image.sh trial     build over a local Debian, with nothing pulled; print where its files and its settings are
#   sh scripts/image.sh clean     remove what `trial` made
#
# Variables:
#   BASE                 the image to build on; else the one that the Dockerfile names
#   PIP_CERT             the certificates that pip trusts; the build sees them, the image does not have them
#   PIP_CONFIG_FILE      a pip.conf for the build, seen in the same way
#   BOTOPT_IMAGE_DIR     where `trial` keeps its Debian and its images, about 1 GB; else /var/tmp/botopt-image
#   BOTOPT_IMAGE_SUITE   the Debian that `trial` makes its base from; else bookworm
set -eu
unset CDPATH
cd -- "$(dirname -- "$0")/.."

folder=${BOTOPT_IMAGE_DIR:-/var/tmp/botopt-image}
suite=${BOTOPT_IMAGE_SUITE:-bookworm}
base=localhost/botopt-base:$suite
trial=localhost/botopt:trial

say() { printf '%s\n' "botopt: $*" >&2; }

version() { sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml; }

# The commit, marked if something is not committed; nothing where there is no git.
revision() {
    commit=$(git rev-parse HEAD 2>/dev/null) || { echo unknown; return; }
    [ -z "$(git status --porcelain 2>/dev/null)" ] || commit=$commit-modified
    echo "$commit"
}

# run_build TOOL ARGUMENT...: what every tool is told. Files of botopt carry the time of the commit.
run_build() {
    moment=$(git log -1 --format=%ct 2>/dev/null) || moment=
    set -- "$@" --build-arg "VERSION=$(version)" --build-arg "REVISION=$(revision)"
    [ -z "$moment" ] || set -- "$@" --build-arg "SOURCE_DATE_EPOCH=$moment"
    [ ! -s "${PIP_CERT:-}" ] || set -- "$@" --secret "id=ca,src=$PIP_CERT"
    [ ! -s "${PIP_CONFIG_FILE:-}" ] || set -- "$@" --secret "id=pip,src=$PIP_CONFIG_FILE"
    "$@" .
}

build() {
    tag=botopt:$(version)
    set -- --tag "$tag"
    [ -z "${BASE:-}" ] || set -- "$@" --build-arg "BASE=$BASE"
    # The docker format, because the other one has no place for HEALTHCHECK.
    if command -v docker >/dev/null 2>&1; then run_build docker build "$@"
    elif command -v podman >/dev/null 2>&1; then run_build podman build --format docker "$@"
    elif command -v buildah >/dev/null 2>&1; then run_build buildah build --format docker "$@"
    else
        say "docker, podman or buildah builds the image, and none of them is here. On Debian: apt-get install -y buildah"
        exit 1
    fi
    say "built $tag"
}

# ---------------------------------------------------------------- a trial without an engine and without a registry

lacks() {
    if [ "$(uname -s)" != Linux ]; then echo "only Linux can try out the image"; return; fi
    if [ "$(id -u)" != 0 ]; then echo "only root can try out the image: it mounts file systems"; return; fi
    for tool in buildah debootstrap unshare nsenter; do
        if ! command -v $tool >/dev/null 2>&1; then
            echo "$tool is not here: apt-get install -y buildah debootstrap util-linux"
            return
        fi
    done
    if ! unshare --mount --pid --net --fork true 2>/dev/null; then
        echo "this machine does not let root make namespaces"
    fi
}

# A store of our own: nobody else's images are seen or changed, and one `rm` removes it.
store() { buildah --root "$folder/store" --runroot "$folder/run" --storage-driver vfs "$@"; }

make_base() {
    if store inspect --type image "$base" >/dev/null 2>&1; then return; fi
    say "making a Debian ($suite) in $folder, once"
    rm -rf "$folder/debian"
    mkdir -p "$folder"
    if ! debootstrap --variant=minbase --include=python3,ca-certificates "$suite" "$folder/debian" \
        > "$folder/debootstrap.log" 2>&1; then
        tail -n 5 "$folder/debootstrap.log" >&2
        say "debootstrap failed; all it said is in $folder/debootstrap.log"
        exit 1
    fi
    rm -rf "$folder/debian/var/lib/apt/lists" "$folder/debian/var/cache/apt/archives"
    mkdir -p "$folder/debian/var/lib/apt/lists/partial" "$folder/debian/var/cache/apt/archives/partial"
    container=$(store from scratch)
    store add --quiet "$container" "$folder/debian" / >/dev/null
    store commit --quiet --rm "$container" "$base" >/dev/null
    rm -rf "$folder/debian"
}

# The variables that pip may have been given by its other names.
certificates() {
    for file in "${PIP_CERT:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt; do
        if [ -s "$file" ]; then echo "$file"; return; fi
    done
}

trial() {
    missing=$(lacks)
    if [ -n "$missing" ]; then
        say "$missing"
        exit 1
    fi
    unset TMPDIR    # what runs in the build would look for our folder there
    make_base
    store rm --all >/dev/null 2>&1 || true
    store rmi "$trial" >/dev/null 2>&1 || true
    say "building $trial; all that is said goes to $folder/build.log"
    PIP_CERT=$(certificates)
    if ! run_build store build --isolation chroot --pull-never --network host --format docker --layers=false \
        --build-arg "BASE=$base" --build-arg "BUILD_PACKAGES=gcc libc6-dev python3-dev python3-venv" \
        --tag "$trial" > "$folder/build.log" 2>&1; then
        tail -n 30 "$folder/build.log" >&2
        say "the image could not be built; all that was said is in $folder/build.log"
        exit 1
    fi
    container=$(store from --pull-never "$trial")
    store inspect --type image "$trial" > "$folder/image.json"
    echo "root=$(store mount "$container")"
    echo "settings=$folder/image.json"
}

clean() {
    # What is still mounted would be emptied, not removed.
    if [ -d "$folder/store" ] && command -v buildah >/dev/null 2>&1; then store rm --all >/dev/null 2>&1 || true; fi
    rm -rf "$folder"
}

case ${1:-} in
    build) build ;;
    lacks) lacks ;;
    trial) trial ;;
    clean) clean ;;
    *) sed -n '2,/^set -eu/{/^#/s/^# \{0,1\}//p;}' scripts/image.sh; exit 2 ;;
esac
