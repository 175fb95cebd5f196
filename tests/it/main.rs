//! Tests of the library and of the program as a user sees them. They are one test program, which is linked once.
//!
//! The other test programs are separate for a reason: `conformance` has a harness of its own; parallel tests would
//! disturb the limits of time and memory of `hostile`; `platforms` takes too long for every change.

mod adapter;
mod adapter_server;
mod attestations;
mod audit;
mod audit_clean;
mod audit_folders;
mod audit_plans;
mod bad_flags;
mod bad_paths;
mod blame;
mod certify;
mod cli;
mod couriers;
mod dead_sensors;
mod described;
mod diagnoses;
mod documented_commands;
mod errors;
mod fail_fast;
mod final_breaches;
mod foreign_transcripts;
mod gate;
mod gate_options;
mod gate_pairs;
mod gate_restart;
mod gate_ways;
mod held;
mod host_names;
mod known_breaches;
mod limits;
mod missing_methods;
mod other_clock;
mod parsers;
mod peer;
mod persons_word;
mod pipeline;
mod powernode;
mod program;
mod python;
mod recordings;
mod redacted;
mod retries;
mod run_folders;
mod seals;
mod secrets;
mod shortages;
mod show;
mod signals;
mod snapshots;
mod tampering;
mod templates;
mod watches;
mod wire;

/// How many scenarios of a check [`dead_sensors`] plays. `platforms` plays all of them.
const SCENARIOS_OF_A_CHECK: usize = 3;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
