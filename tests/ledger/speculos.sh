#!/bin/sh
# Installs Ledger's own emulator below target/ and runs the real Ethereum app in it. Whatever cannot be installed here
# ends it with a sentence and no error.
#
# SPECULOS_APP=path/to/app.elf takes another app than 1.9.18; SPECULOS_MODEL (nanosp, nanox) then says what it is for, and for an
# app too old to say it itself SPECULOS_SDK and SPECULOS_APPNAME=Ethereum:VERSION do the rest.
set -eu

skip() {
    echo "make speculos: skipped: $1" >&2
    exit 0
}

here=target/speculos
mkdir -p "$here/app"

[ "$(uname -s)" = Linux ] || skip "the emulator runs on Linux only"
if ! command -v qemu-arm-static >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y qemu-user-static; } >/dev/null 2>&1 || true
    fi
    command -v qemu-arm-static >/dev/null || skip "qemu-arm-static is missing: install qemu-user-static"
fi

export SPECULOS="$here/venv/bin/speculos"
if [ ! -x "$SPECULOS" ]; then
    python3 -m venv "$here/venv" 2>/dev/null || skip "python3 with its venv module is missing"
    "$here/venv/bin/pip" install --quiet speculos==0.25.0 || skip "speculos 0.25.0 cannot be installed"
fi

if [ -z "${SPECULOS_APP:-}" ]; then
    # A crate carries the binary of app 1.9.18 for its own tests: taken from there, never kept here.
    SPECULOS_APP="$here/app/vendor/emerald-hwkey/testdata/ledger-elf/ethereum-nanox-2.0.2-1.9.18.elf"
    if [ ! -f "$SPECULOS_APP" ]; then
        printf '[package]\nname = "app"\nversion = "0.0.0"\n[lib]\npath = "none.rs"\n[workspace]\n[dependencies]\nemerald-hwkey = "=0.7.0"\n' \
            >"$here/app/Cargo.toml"
        : >"$here/app/none.rs"
        (cd "$here/app" && cargo vendor --quiet vendor >/dev/null) || skip "the app 1.9.18 cannot be fetched"
        [ -f "$SPECULOS_APP" ] || skip "the app 1.9.18 is not where it was"
    fi
    # It is too old to say its own name.
    export SPECULOS_APPNAME=Ethereum:1.9.18 SPECULOS_MODEL=nanox SPECULOS_SDK=2.0.2
fi
export SPECULOS_APP

exec cargo test --locked --quiet --test ledger speculos -- --ignored --test-threads 1
