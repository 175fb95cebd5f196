//! Tests of the library and of the program as a user sees them. They are one test program, which is linked once.
//!
//! The other test programs are separate for a reason: `conformance` has a harness of its own; parallel tests would
//! disturb the limits of time and memory of `hostile`.

mod adapter;
mod adapter_server;
mod audit;
mod busy_clock;
mod cli;
mod dead_sensors;
mod delayed_reads;
mod documented_commands;
mod errors;
mod foreign_transcripts;
mod misbehaviours;
mod own_kinds;
mod parsers;
mod powernode;
mod powernode_platform;
mod program;
mod python_platform;
mod recordings;
mod seals;
mod seeds;
mod shared_target;
mod snapshots;
mod wire;
