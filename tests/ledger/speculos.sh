#!/bin/sh
# Installs Ledger's own emulator below target/ and runs the real Ethereum app in it, model by model. Whatever cannot be
# installed here ends it with a sentence and no error.
#
# SPECULOS_APP_NANOSP, SPECULOS_APP_NANOX, SPECULOS_APP_STAX, SPECULOS_APP_FLEX and SPECULOS_APP_APEX_P name an app's file for
# that model; or SPECULOS_APP="nanosp=path stax=path". Ledger builds them for each model: app-ethereum, `make BOLOS_SDK=…`.
# Without any, the app 1.9.18 that a crate carries is tried on a Nano X: it signs hashes only.
set -eu

skip() {
    echo "make speculos: skipped: $1" >&2
    exit 0
}

here=target/speculos
models="nanosp nanox stax flex apex_p"
mkdir -p "$here"

# Prints the file that is named for a model.
app_for() {
    for pair in ${SPECULOS_APP:-}; do
        case "$pair" in
            "$1="*) echo "${pair#*=}" && return ;;
        esac
    done
    eval "echo \"\${SPECULOS_APP_$(echo "$1" | tr a-z A-Z):-}\""
}

# Installs a release of the emulator beside the others, and names it in SPECULOS.
emulator() {
    SPECULOS="$here/$1/bin/speculos"
    if [ ! -x "$SPECULOS" ]; then
        python3 -m venv "$here/$1" 2>/dev/null || skip "python3 with its venv module is missing"
        "$here/$1/bin/pip" install --quiet "speculos==$1" || skip "speculos $1 cannot be installed"
    fi
    export SPECULOS
}

# Runs the tests on one model with one app.
run() {
    [ -f "$2" ] || { echo "make speculos: there is no file $2 for $1" >&2 && exit 1; }
    echo "make speculos: $1, $2" >&2
    SPECULOS_MODEL="$1" SPECULOS_FILE="$2" \
        cargo test --locked --quiet --test ledger speculos -- --ignored --test-threads 1
}

for pair in ${SPECULOS_APP:-}; do
    case " $models " in
        *" ${pair%%=*} "*) ;;
        *) echo "make speculos: SPECULOS_APP is \"MODEL=path …\" with the models $models: not $pair" >&2 && exit 1 ;;
    esac
done

[ "$(uname -s)" = Linux ] || skip "the emulator runs on Linux only"
if ! command -v qemu-arm-static >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y qemu-user-static; } >/dev/null 2>&1 || true
    fi
    command -v qemu-arm-static >/dev/null || skip "qemu-arm-static is missing: install qemu-user-static"
fi

named=
for model in $models; do
    app=$(app_for "$model")
    if [ -n "$app" ]; then
        named="$named $model"
        emulator 0.27.1
        run "$model" "$app"
    fi
done
if [ -n "$named" ]; then
    echo "make speculos: ran on$named" >&2
    exit 0
fi

# A crate carries the binary of app 1.9.18 for its own tests: taken from there, never kept here. The last emulator that
# runs it is 0.25.0.
crate="$here/app/vendor/emerald-hwkey/testdata/ledger-elf"
if [ ! -d "$crate" ]; then
    mkdir -p "$here/app"
    printf '[package]\nname = "app"\nversion = "0.0.0"\n[lib]\npath = "none.rs"\n[workspace]\n[dependencies]\nemerald-hwkey = "=0.7.0"\n' \
        >"$here/app/Cargo.toml"
    : >"$here/app/none.rs"
    (cd "$here/app" && cargo vendor --quiet vendor >/dev/null) || skip "the app 1.9.18 cannot be fetched"
    [ -d "$crate" ] || skip "the app 1.9.18 is not where it was"
fi
emulator 0.25.0
# It is too old to say its own name. The emulator reads no text off a Nano S, for which the crate has one too.
export SPECULOS_APPNAME=Ethereum:1.9.18
export SPECULOS_SDK=2.0.2
run nanox "$crate/ethereum-nanox-2.0.2-1.9.18.elf"
echo "make speculos: ran app 1.9.18 on nanox; SPECULOS_APP_NANOSP=path and the like take a newer one" >&2
