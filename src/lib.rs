//! covenant
pub mod clock;
pub mod wire;
