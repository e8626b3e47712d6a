# The menu: `just --list`. Nothing here is needed to build or test; see CONTRIBUTING.md.

export CARGO_TARGET_DIR := justfile_directory() / "target"

# Everything that a change has to pass, peers installed by apt
ci:
    .ci/run

# Put the code into its standard form
fmt:
    cargo fmt --all

# All lints, as errors
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# All tests; peers that are missing are skipped
test *ARGS:
    cargo test --workspace {{ARGS}}

# The documentation, with broken links as errors
doc:
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps

# Licences, banned crates, sources
deny:
    cargo test -p waxwing-interop --test supply_chain
    if command -v cargo-deny >/dev/null; then cargo deny check licenses bans sources; fi

# The tests against other people's programs; none may be missing
interop:
    WAXWING_REQUIRE_PEERS=1 cargo test -p waxwing-interop -p waxwing-cli

# BoringSSL's test runner; see docs/conformance.md
bogo RUNNER COMMIT:
    cargo build -p waxwing-bogo-shim
    cargo run -p waxwing-bogo-shim --bin bogo -- {{RUNNER}} {{COMMIT}}

# The engine without the standard library, with its peaks of memory
no-std:
    cargo run --release --manifest-path testing/no-std/Cargo.toml

# Each fuzz target for some seconds
fuzz-smoke *SECONDS:
    testing/fuzz/smoke {{SECONDS}}

# One fuzz target, for as long as you like
fuzz TARGET *ARGS:
    testing/fuzz/run {{TARGET}} {{ARGS}}

# All tables of docs/performance.md, and summary.json, in less than twenty minutes
perf *ARGS:
    -cargo build --release --manifest-path testing/bench/Cargo.toml -p waxwing-bench-boringssl
    cargo run --release --manifest-path testing/bench/Cargo.toml -- all {{ARGS}}

# Instruction counts under valgrind; --check compares some with those that --accept wrote
icount *ARGS:
    cargo run --release --manifest-path testing/bench/Cargo.toml -- icount {{ARGS}}

# Web servers on the loopback interface
sockets *ARGS:
    cargo run --release --manifest-path testing/bench/Cargo.toml -- sockets {{ARGS}}

# Bytes of code by what is compiled in
sizes:
    cargo run --release --manifest-path testing/bench/Cargo.toml -- sizes

# Heap bytes and allocations by stage of a connection, and resident memory of idle ones
mem *ARGS:
    cargo run --release --manifest-path testing/bench/Cargo.toml -- memory {{ARGS}}
