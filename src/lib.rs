//! covenant
pub mod clock;
pub mod net;
pub mod pki;
pub mod transcript;
pub mod wire;
