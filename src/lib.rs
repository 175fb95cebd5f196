//! covenant
pub mod clock;
pub mod contract;
pub mod net;
pub mod peer;
pub mod pki;
pub mod reference;
pub mod transcript;
pub mod wire;
