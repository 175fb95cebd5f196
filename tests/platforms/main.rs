//! Whole runs against platforms that are not the embedded reference, or that it does not show alone: the Python platform,
//! platforms of each wire generation, a target that all scenarios share, kinds of its own, reads that come late, ids in
//! other forms, other seeds, an operator that is busy, one of whose sensors is dead, one that lacks a method; and misbehaviours as whole commitments see them. They take minutes, so `cargo test` leaves them out: `ci/platforms` runs them.

#[path = "../it/adapter_server.rs"]
mod adapter_server;
mod busy_clock;
#[path = "../it/dead_sensors.rs"]
mod dead_sensors;
mod delayed_reads;
mod gate_ways;
#[path = "../it/held.rs"]
mod held;
mod misbehaviours;
#[path = "../it/missing_methods.rs"]
mod missing_methods;
mod own_kinds;
mod powernode_platform;
#[path = "../it/python.rs"]
mod python;
mod python_platform;
mod recorded_way;
mod seeds;
mod shared_target;
mod written_ids;

/// How many scenarios of a check [`dead_sensors`] plays, and of a method [`missing_methods`]: all, since there are fewer.
const SCENARIOS_OF_A_CHECK: usize = 1_000;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
