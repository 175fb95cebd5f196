//! covenant
pub mod clock;
