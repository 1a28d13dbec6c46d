# Shorthands for what the README names; nothing here does anything else.

[private]
default:
    @just --list

# everything in one process, with the in-memory store
dev *ARGS:
    cargo run -- dev {{ ARGS }}

# mint a token with the dev secret: just token --user alice
token *ARGS:
    cargo run --quiet -- token {{ ARGS }}

# the whole suite, or: just test --only unit
test *ARGS:
    tests/run {{ ARGS }}

# only the end-to-end tests, or those whose name contains FILTER
e2e FILTER="":
    tests/run --only e2e -- {{ FILTER }}

# the simulation of the whole path with more seeds: just simulate 100000
simulate SEEDS="20000":
    ROOMCAST_SIM_SEEDS={{ SEEDS }} cargo test --release -p roomcast-core --test simulation

# measure everything beside its peers, and write docs/performance.md: just bench --quick
bench *ARGS:
    crates/bench/run {{ ARGS }}

# rewrite the sources in the house format
fmt:
    cargo fmt --all

# formatting and lints
lint:
    tests/run --only format --only clippy

# lint the gRPC contract and compare it with the past
proto-lint:
    tests/run --only proto-format --only proto-lint --only proto-breaking

# licences, sources, borders between crates, advisories
deny:
    tests/run --only boundaries --only deny --only advisories

# the crates' documentation, in the browser
doc:
    cargo doc --workspace --no-deps --locked --open
