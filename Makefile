# What a machine with Rust, Node.js and a C compiler needs to test breakglass and to show it. `make setup` does
# nothing when nothing is missing.

comma := ,
MISSING = { echo "make: $(1)" >&2; exit 1; }

.PHONY: setup fixtures test demo bench bench-peers fuzz look speculos mutants completions clean deny tools libudev
.NOTPARALLEL:

setup: tools libudev
	@node tests/fixtures/prepare.mjs registry

# Without the protocols of the library's tests, which take a minute to fetch and compile.
fixtures: tools libudev
	@node tests/fixtures/prepare.mjs

test: setup
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo doc --locked --no-deps --lib --document-private-items --quiet
	cargo test --locked

demo: fixtures
	@cargo test --locked --quiet --test demo

clean:
	cargo clean
	rm -rf tests/fixtures/node_modules

tools:
	@command -v cargo >/dev/null || $(call MISSING,cargo is missing: install Rust)
	@command -v cc >/dev/null || $(call MISSING,cc is missing: install a C compiler)
	@command -v node >/dev/null || $(call MISSING,node is missing: install Node.js)
	@command -v npm >/dev/null || $(call MISSING,npm is missing: install it beside Node.js)
	@cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt \
		|| $(call MISSING,rustfmt is missing: install it beside cargo)
	@cargo clippy --version >/dev/null 2>&1 || rustup component add clippy \
		|| $(call MISSING,clippy is missing: install it beside cargo)

# On Linux the library that speaks to hardware wallets is built against libudev.
libudev:
	@if [ "$$(uname -s)" != Linux ] || pkg-config --exists libudev 2>/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then \
		if command -v apt-get; then \
			export DEBIAN_FRONTEND=noninteractive; \
			apt-get update -qq; apt-get install -qq -y libudev-dev pkg-config; \
		elif command -v dnf; then dnf install -q -y systemd-devel pkgconf-pkg-config; \
		elif command -v pacman; then pacman -Sy --noconfirm --needed systemd-libs pkgconf; \
		elif command -v apk; then apk add -q eudev-dev pkgconf; \
		fi >/dev/null; \
	fi; \
	pkg-config --exists libudev 2>/dev/null || $(call MISSING,the headers of libudev or pkg-config are missing: \
	install libudev-dev and pkg-config (Debian$(comma) Ubuntu)$(comma) systemd-devel and pkgconf-pkg-config (Fedora)$(comma) \
	systemd-libs and pkgconf (Arch) or eudev-dev and pkgconf (Alpine))

bench: fixtures
	@cargo bench --locked --quiet --bench rounds

# What strangers send, for a minute each: FUZZ_SECONDS=600 makes it ten. Finds are kept below target/fuzz.
FUZZ_SECONDS ?= 60
FUZZ = PATH="$$PWD/target/tools/bin:$$PATH" RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz

fuzz: tools libudev
	@command -v c++ >/dev/null || $(call MISSING,c++ is missing: install a C++ compiler)
	@PATH="$$PWD/target/tools/bin:$$PATH" cargo fuzz --version >/dev/null 2>&1 \
		|| cargo install --quiet --locked --debug --root target/tools cargo-fuzz
	@cp Cargo.lock tests/fuzz/Cargo.lock
	@for target in reply import; do \
		mkdir -p target/fuzz/corpus/$$target target/fuzz/finds; \
		$(FUZZ) --dev --sanitizer none $$target target/fuzz/corpus/$$target tests/fuzz/seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1 -verbosity=0 -artifact_prefix=target/fuzz/finds/ \
			|| exit 1; \
	done

# The record's page in a real browser, narrow and wide, light and dark: pictures of it in target/look.
look: fixtures
	@rm -rf target/look && mkdir -p target/look
	@BREAKGLASS_LOOK="$$PWD/target/look" cargo test --locked --quiet --test story record::from_the_alarm >/dev/null
	@node tests/look/look.mjs target/look/incident.html target/look

# The real Ethereum app in Ledger's own emulator; SPECULOS_APP_STAX=path/to/app.elf and the like take a newer one for a model.
speculos: fixtures
	@sh tests/ledger/speculos.sh

# What others use for a dry run, to be measured beside us: a few minutes, once.
bench-peers: fixtures
	@command -v python3 >/dev/null || $(call MISSING,python3 is missing: install it with its module venv)
	cargo install --quiet --locked --root target/peers --version '^0.13' safe-rs-cli
	python3 -m venv target/peers/venv
	target/peers/venv/bin/pip install --quiet safe-cli==1.9.0 typer==0.16.0 'click<8.2'
	@$(MAKE) bench

# Licences, advisories, bans and sources of everything the program is built from. Without the advisory database the rest
# is checked, and that is said.
deny: tools
	@PATH="$$PWD/target/tools/bin:$$PATH" cargo deny --version >/dev/null 2>&1 \
		|| cargo install --quiet --locked --root target/tools cargo-deny
	@export PATH="$$PWD/target/tools/bin:$$PATH"; deny="cargo deny --locked --log-level error --config .cargo/deny.toml"; \
	$$deny check --hide-inclusion-graph bans licenses sources || exit 1; \
	if $$deny fetch db >/dev/null 2>&1; then $$deny check --hide-inclusion-graph advisories; \
	else echo "make: the advisory database cannot be had here: known vulnerabilities were not checked" >&2; fi

# Each decision of the rooms that judge, changed one at a time, against the unit tests alone: all changes are compiled into
# one copy of the crate, and each is tried with the tests that meet it. What no test notices must stand with its reason in
# tests/mutants/explained.txt. MUTANTS_OF='src/check/endpoints.rs' takes one file, MUTANTS_OF='--missed src/check' what was
# missed there the last time.
MUTANTS_OF ?= src/safe src/proposal src/check src/ceremony src/chain/quorum.rs src/chain/agreement.rs src/chain/settle.rs

mutants: fixtures
	@CARGO_TARGET_DIR=target/mutants/tool cargo build --quiet --locked --manifest-path tests/mutants/Cargo.toml
	@target/mutants/tool/debug/breakglass-mutants $(MUTANTS_OF)

completions:
	@cargo build --locked --quiet
	@for pair in bash:breakglass.bash zsh:_breakglass fish:breakglass.fish powershell:_breakglass.ps1 elvish:breakglass.elv; do \
		target/debug/breakglass completions $${pair%%:*} > completions/$${pair#*:}; \
	done
