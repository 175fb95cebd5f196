//! What a user of the library or of the program meets, in one test program: built once, linked once.
//!
//! Beside it: `conformance` has a harness of its own; `hostile`, `python_platform` and `seeds` are long, and measure
//! what they share a machine with.

mod adapter;
mod audit;
mod cli;
mod desk;
mod late;
mod misbehaviours;
mod parsers;
mod powernode;
mod reach;
mod recordings;
mod wire;
