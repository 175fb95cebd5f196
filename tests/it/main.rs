//! Tests of the library and of the program as a user sees them. They are one test program, which is linked once.
//!
//! The other test programs are separate for a reason: `conformance` has a harness of its own; `hostile`,
//! `python_platform` and `seeds` take long, and parallel tests would disturb their limits of time and memory.

mod adapter;
mod adapter_server;
mod audit;
mod cli;
mod delayed_reads;
mod errors;
mod misbehaviours;
mod parsers;
mod powernode;
mod recordings;
mod shared_target;
mod snapshots;
mod wire;
