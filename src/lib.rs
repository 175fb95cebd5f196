//! covenant
pub mod check;
pub mod cli;
pub mod clock;
pub mod contract;
pub mod golden;
pub mod net;
pub mod operator;
pub mod peer;
pub mod pki;
pub mod property;
pub mod reference;
pub mod report;
pub mod scenario;
pub mod score;
pub mod suite;
pub mod transcript;
pub mod wire;
