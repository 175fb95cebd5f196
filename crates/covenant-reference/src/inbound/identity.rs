//! Who is calling: the CN of a certificate that leads to the anchor kept for that very peer. Asked
//! again on every request, also of a connection that is kept alive (11.5).

use jiff::Timestamp;

use crate::inbound::Reply;
use crate::policy::policy;
use crate::store::rows::Peer;
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_net::net::Inbound;
use covenant_net::pki::{Certificate, Trust};

policy! {
    /// Decisions about who is let in.
    Policy {
        /// Whether a peer in this state may call.
        may_call: fn(&Peer, Timestamp) -> bool = may_call,
        /// Whether this certificate is the one kept for this peer, by the platform's own authority.
        is_its_certificate: fn(&Peer, &Certificate, &str, Timestamp) -> bool = is_its_certificate,
        /// Whether a peer with the right certificate is let in, asked again on every call.
        is_welcome: fn(&Transaction<'_>, &Inbound, &Peer) -> Result<bool, StoreError> =
            |tx, _, peer| Ok(is_welcome(tx, peer)),
        /// Whether the peer's certificate has been revoked.
        is_revoked: fn(&Peer, Timestamp) -> bool = is_revoked,
    }
}

/// What a caller is to this platform.
pub(crate) enum Caller {
    /// No one that it knows.
    AnonymousClient(Reply),
    /// A peer that may not call now.
    Barred(Peer, Reply),
    /// A peer that may.
    Welcome(Peer),
}

/// Enrolled, active or degraded, and of the kind that calls.
pub(crate) fn may_call(peer: &Peer, _: Timestamp) -> bool {
    peer.status.may_call() && peer.peer_kind == "platform"
}

/// It leads to the peer's own authority where trust was exchanged; else it is the one certificate
/// that our authority signed for it.
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

/// From the moment of a revocation on.
pub(crate) fn is_revoked(peer: &Peer, _: Timestamp) -> bool {
    peer.certificate_revoked_at.is_some()
}

/// By its state and its certificate's, on whichever connection it calls.
fn is_welcome(tx: &Transaction<'_>, peer: &Peer) -> bool {
    let policy = &tx.policy.identity;
    !(policy.is_revoked)(peer, tx.now) && (policy.may_call)(peer, tx.now)
}

/// Finds out who is calling.
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
    let policy = &tx.policy.identity;
    if !(policy.is_its_certificate)(&peer, certificate, tx.keys.authority.pem(), tx.now) {
        return anonymous_client("Client certificate not issued by this peer's CA (anchor mismatch)");
    }
    if !(policy.is_welcome)(tx, call, &peer)? {
        let refusal = Reply::unauthorized("No reachable FederationPeer for mTLS subject");
        return Ok(Caller::Barred(peer, refusal));
    }
    Ok(Caller::Welcome(peer))
}
