# What a fresh machine with Rust, Node and a C compiler needs to build, test and show breakglass.

FIXTURES := tests/fixtures
INSTALLED := $(FIXTURES)/node_modules/.package-lock.json
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

# One build: the same profile and features for clippy, tests and demo.
CARGO := cargo
export CARGO_TERM_QUIET ?= false

.PHONY: setup test demo clean tools libudev fixtures
.NOTPARALLEL:

setup: tools libudev fixtures

test: setup
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) test --locked

demo: setup
	$(CARGO) test --locked --quiet --test demo

clean:
	$(CARGO) clean
	rm -rf $(FIXTURES)/node_modules

tools:
	@for tool in cargo cc node npm tar; do \
	    command -v $$tool >/dev/null || { echo "make: $$tool is missing: install Rust, a C compiler and Node.js first" >&2; exit 1; }; \
	done
	@for part in fmt clippy; do \
	    cargo $$part --version >/dev/null 2>&1 || rustup component add $${part/fmt/rustfmt} ; \
	done

# The device library links libudev on Linux.
libudev:
	@[ "$$(uname -s)" != Linux ] || pkg-config --exists libudev 2>/dev/null || sh $(FIXTURES)/install-libudev

fixtures: $(INSTALLED)
	@node $(FIXTURES)/compile.mjs

$(INSTALLED): $(FIXTURES)/package-lock.json
	cd $(FIXTURES) && $(NPM_CI)
	@touch $@
