//! Identification of the caller: the CN of a certificate that chains to the anchor kept for that peer. It is
//! checked again on every request, also on a kept-alive connection (11.5).

use jiff::Timestamp;

use crate::policy::policy;
use crate::reply::Reply;
use crate::store::rows::Peer;
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_net::net::Inbound;
use covenant_net::pki::{Certificate, Trust};

policy! {
    /// The policy for the admission of callers.
    Policy {
        /// Returns whether a peer in this state may call.
        may_call: fn(&Peer, Timestamp) -> bool = may_call,
        /// Returns whether a peer with the right certificate is admitted. It is checked on every call.
        is_admitted: fn(&Transaction<'_>, &Inbound, &Peer) -> Result<bool, StoreError> =
            |tx, _, peer| Ok(is_admitted(tx, peer)),
        /// Returns whether a certificate is the peer's, by the PEM text of this platform's authority.
        is_its_certificate: fn(&Peer, &Certificate, &str, Timestamp) -> bool = is_its_certificate,
        /// Controls whether a client's certificate is accepted after its end when a connection begins (11.5).
        accepts_ended_clients: bool = false,
        /// Returns the refusal of a peer that may not call now.
        refuse: fn(&Peer) -> Reply = |_| Reply::unauthorized("No reachable FederationPeer for mTLS subject"),
        /// Returns whether the peer's certificate is revoked.
        is_revoked: fn(&Peer, Timestamp) -> bool = is_revoked,
    }
}

/// The admission of a caller.
pub(crate) enum Caller {
    /// An unknown caller.
    AnonymousClient(Reply),
    /// A peer that may not call now.
    Rejected(Peer, Reply),
    /// A peer that may call.
    Admitted(Peer),
}

/// Returns whether the peer is enrolled, active or degraded, and of a kind that calls.
pub(crate) fn may_call(peer: &Peer, _: Timestamp) -> bool {
    peer.status.may_call() && peer.peer_kind == "platform"
}

/// Returns whether the certificate chains to the peer's own authority if trust was exchanged, else whether it
/// is the one certificate that this platform's authority signed for the peer.
pub(crate) fn is_its_certificate(
    peer: &Peer,
    certificate: &Certificate,
    own_authority: &str,
    now: Timestamp,
) -> bool {
    let leads_to = |anchor: &str| {
        let trust = Trust::new();
        trust.add("anchor", anchor).is_ok() && trust.check_client(&[certificate.der()], now).is_ok()
    };
    match &peer.anchor_pem {
        Some(anchor) => leads_to(anchor),
        None => peer.certificate_serial.as_deref() == Some(&*certificate.serial) && leads_to(own_authority),
    }
}

/// Returns whether the peer is revoked. A certificate is revoked from the time of the revocation on.
pub(crate) fn is_revoked(peer: &Peer, _: Timestamp) -> bool {
    peer.certificate_revoked_at.is_some()
}

/// Returns whether the peer's state and its certificate admit it, on any connection.
pub(crate) fn is_admitted(tx: &Transaction<'_>, peer: &Peer) -> bool {
    let policy = &tx.policy.identity;
    !(policy.is_revoked)(peer, tx.now) && (policy.may_call)(peer, tx.now)
}

/// Identifies the caller.
pub(super) fn caller(tx: &Transaction<'_>, call: &Inbound) -> Result<Caller, StoreError> {
    let anonymous_client = |text: &str| Ok(Caller::AnonymousClient(Reply::unauthorized(text)));
    let Some(certificate) = &call.peer_certificate else {
        return anonymous_client("mTLS client certificate required");
    };
    let subject = certificate.common_name.as_deref().unwrap_or_default();
    let known = match subject.strip_prefix("fed:") {
        Some(id) => table::find::<Peer>(tx.db, id)?,
        None => None,
    };
    let Some(peer) = known else {
        return anonymous_client("No reachable FederationPeer for mTLS subject");
    };
    if !(tx.policy.identity.is_its_certificate)(&peer, certificate, tx.keys.authority.pem(), tx.now) {
        return anonymous_client("Client certificate not issued by this peer's CA (anchor mismatch)");
    }
    if !(tx.policy.identity.is_admitted)(tx, call, &peer)? {
        let refusal = (tx.policy.identity.refuse)(&peer);
        return Ok(Caller::Rejected(peer, refusal));
    }
    Ok(Caller::Admitted(peer))
}
