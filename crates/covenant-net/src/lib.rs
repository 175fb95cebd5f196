//! Certificates, sockets and HTTP on both ends, with limits on every read. This crate knows no federation
//! message.
//!
//! - [`pki`]: authorities, leaves, requests, revocation. The only module that names types of rcgen and
//!   rustls.
//! - [`net`]: clients and servers over hyper, with limits in bytes, counts and time.

pub mod net;
pub mod pki;
