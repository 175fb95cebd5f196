//! Whole runs against platforms that are not the embedded reference, or that it does not show alone: the Python platform,
//! platforms of each wire generation, a target that all scenarios share, kinds of its own, reads that come late, ids in
//! other forms, other seeds. They take minutes, so `cargo test` leaves them out: `ci/platforms` runs them.

#[path = "../it/adapter_server.rs"]
mod adapter_server;
mod delayed_reads;
mod gate_ways;
mod own_kinds;
mod powernode_platform;
#[path = "../it/python.rs"]
mod python;
mod python_platform;
mod seeds;
mod shared_target;
mod written_ids;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
