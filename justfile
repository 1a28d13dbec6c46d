# Short names for commands of the README and of the suite.

[private]
default:
    @just --list

# run everything in one process, with the in-memory store
dev *ARGS:
    cargo run -- dev {{ ARGS }}

# mint a token with the dev secret: just token --user alice
token *ARGS:
    cargo run --quiet -- token {{ ARGS }}

# run the whole suite, or: just test --only unit
test *ARGS:
    tests/run {{ ARGS }}

# run the end-to-end tests whose name contains FILTER
e2e FILTER="":
    tests/run --only e2e -- {{ FILTER }}

# run the simulation of the whole path with more seeds: just simulate 100000
simulate SEEDS="20000":
    ROOMCAST_SIM_SEEDS={{ SEEDS }} cargo test --release -p roomcast-core --test simulation

# run the benchmark with its peers, and write docs/performance.md: just bench --quick
bench *ARGS:
    crates/bench/run {{ ARGS }}

# format the sources
fmt:
    cargo fmt --all

# check format, lints and imports
lint:
    tests/run --only format --only layers --only clippy

# lint the gRPC contract and compare it with an earlier one
proto-lint:
    tests/run --only proto-format --only proto-lint --only proto-breaking

# check licences, sources, dependencies between crates, advisories
deny:
    tests/run --only boundaries --only deny --only advisories

# open the documentation of the crates in the browser
doc:
    cargo doc --workspace --no-deps --locked --open
