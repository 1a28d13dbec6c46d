# shellcheck shell=bash
# shellcheck disable=SC2154 # root is set by the script that sources this file
# The tools that tests/run and crates/bench/run use. Each `need_…` finds a tool, installs it, or exits with a message that
# names what is missing. System packages come from apt-get, if it exists; pinned tools are installed in .cache/tools, in one
# folder per version. Source this file with $root set to the root of the repository.

readonly GRPCURL_VERSION=1.9.1 # the newest version that the Go of Debian 12 builds
readonly CARGO_DENY_VERSION=0.20.2
readonly CENTRIFUGO_VERSION=6.9.1
readonly tools=$root/.cache/tools

say() { printf '   %s\n' "$*" >&2; }

die() {
    say "missing: $*"
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# at_least WANTED FOUND: whether the dotted version FOUND is WANTED or newer.
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# apt_install WHAT PACKAGE…: installs packages; WHAT describes them in the message where apt-get does not exist.
apt_install() {
    local what=$1
    shift
    has apt-get || die "$what (no apt-get here; install it and run this again)"
    local -a as_root=(env)
    if ((EUID != 0)); then
        has sudo || die "$what (run as root: apt-get install $*)"
        as_root=(sudo env)
    fi
    say "installing $* with apt-get"
    "${as_root[@]}" apt-get update -qq >&2 || say "apt-get update failed; continuing with the present package lists"
    "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ||
        die "$what (apt-get install $* failed)"
}

need_rust() {
    has cargo || die "cargo; install Rust with rustup (https://rustup.rs), which then follows rust-toolchain.toml"
    has cc || apt_install "a C compiler" build-essential
    cargo fmt --version >/dev/null 2>&1 || die "rustfmt (rustup component add rustfmt)"
    cargo clippy --version >/dev/null 2>&1 || die "clippy (rustup component add clippy)"
}

# need_node [VERSION]: this version or newer; 18 by default.
need_node() {
    local wanted=${1:-18} found
    has node || apt_install "Node.js $wanted or newer" nodejs
    has npm || apt_install "npm" npm
    found=$(node --version)
    at_least "$wanted" "${found#v}" || die "Node.js $wanted or newer (found $found)"
}

# npm_packages FOLDER [NODE]: installs the packages of the lockfile unless they are installed; needs this Node.js or newer.
npm_packages() {
    need_node "${2:-}"
    local folder=$root/$1
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed" && return
    say "npm ci in $1"
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error >&2) || die "the packages of $1 (npm ci failed)"
    cp "$folder/package-lock.json" "$folder/node_modules/.installed"
}

need_buf() {
    npm_packages tests/ci/tools
    PATH=$root/tests/ci/tools/node_modules/.bin:$PATH
}

need_deny() {
    need_rust
    local folder=$tools/cargo-deny-$CARGO_DENY_VERSION
    if [[ ! -x $folder/bin/cargo-deny ]]; then
        say "building cargo-deny $CARGO_DENY_VERSION (about a minute, once)"
        # Without optimisations, because the build takes longer than the checks.
        CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$folder/target cargo install cargo-deny --quiet --locked --debug \
            --version "$CARGO_DENY_VERSION" --root "$folder" >&2 || die "cargo-deny (cargo install failed)"
        rm -rf "$folder/target"
    fi
    PATH=$folder/bin:$PATH
}

need_grpcurl() {
    local folder=$tools/grpcurl-$GRPCURL_VERSION
    if [[ ! -x $folder/grpcurl ]]; then
        has go || apt_install "Go 1.19 or newer" golang-go
        local found
        found=$(go env GOVERSION)
        at_least 1.19 "${found#go}" || die "Go 1.19 or newer (found $found)"
        say "building grpcurl $GRPCURL_VERSION"
        GOBIN=$folder go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@v$GRPCURL_VERSION" >&2 ||
            die "grpcurl (go install failed)"
    fi
    export GRPCURL=$folder/grpcurl
}

need_centrifugo() {
    local folder=$tools/centrifugo-$CENTRIFUGO_VERSION
    if [[ ! -x $folder/centrifugo ]]; then
        has go || apt_install "Go" golang-go
        say "building Centrifugo $CENTRIFUGO_VERSION (a few minutes, once)"
        GOBIN=$folder go install "github.com/centrifugal/centrifugo/v${CENTRIFUGO_VERSION%%.*}@v$CENTRIFUGO_VERSION" >&2 ||
            die "Centrifugo (go install failed; it needs a newer Go than $(go env GOVERSION)?)"
    fi
    export CENTRIFUGO=$folder/centrifugo
}

need_redis() {
    has redis-server || apt_install "redis-server 7 or newer" redis-server
    local found
    found=$(redis-server --version | sed -n 's/.*v=\([0-9.]*\).*/\1/p')
    at_least 7 "$found" || die "redis-server 7 or newer (found $found)"
}

need_node_driver() {
    npm_packages tests/drivers/node
}

need_clients() {
    npm_packages clients 20.19
}

need_chromium() {
    if [[ -z ${CHROMIUM:-} ]]; then
        has chromium || has chromium-browser || apt_install "Chromium" chromium
        CHROMIUM=$(command -v chromium || command -v chromium-browser) || die "Chromium"
    fi
    export CHROMIUM
}

need_python() {
    has python3 || apt_install "Python 3.10 or newer" python3
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        die "Python 3.10 or newer (found $(python3 --version))"
}

need_python_driver() {
    need_python
    local folder=$root/tests/drivers/python venv=$tools/python
    if ! cmp -s "$folder/requirements.txt" "$venv/.installed"; then
        python3 -c 'import ensurepip' 2>/dev/null || apt_install "Python's venv" python3-venv
        say "creating the Python environment"
        python3 -m venv --clear "$venv" >&2 || die "Python's venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$folder/requirements.txt" >&2 ||
            die "the packages of tests/drivers/python (pip install failed)"
        cp "$folder/requirements.txt" "$venv/.installed"
    fi
    export PYTHON=$venv/bin/python
}
