//! covenant
pub mod check;
pub mod clock;
pub mod contract;
pub mod net;
pub mod operator;
pub mod peer;
pub mod pki;
pub mod reference;
pub mod scenario;
pub mod transcript;
pub mod wire;
