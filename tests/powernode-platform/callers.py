"""Who is calling: the headers of the proxy that ends TLS, the names and anchors of peers, and the proxy itself."""

import base64
import hashlib
import re
import ssl
import subprocess
from functools import lru_cache
from urllib.parse import quote, unquote

from federation.authority import common_name

from answers import unauthorized
from state import REACHABLE

INFO, CERTIFICATE = "X-Forwarded-Tls-Client-Cert-Info", "X-Forwarded-Tls-Client-Cert"


def identify(call):
    """Returns the peer that calls, as the platform's generation knows it."""
    return by_certificate(call) if call.platform.generation.has_certificates else by_record(call)


# -- G1: a certificate record has the name --------------------------------------------------------


def by_record(call):
    name = (call.headers.get("X-Client-S-DN-CN") or "").strip()
    subject = re.search(r"CN\s*=\s*([^,]+)", unquote(call.headers.get("X-Forwarded-TLS-Client-Cert-Subject") or ""))
    name = name or (subject[1].strip() if subject else "")
    if not name:
        raise unauthorized("mTLS client certificate required")
    certificate = call.platform.certificate(name)
    if certificate is None:
        raise unauthorized("Certificate not found for mTLS subject")
    if certificate["revoked"]:
        raise unauthorized("Certificate is revoked")
    peer = call.platform.tables["peer"][certificate["peer_id"]]
    if peer["status"] not in REACHABLE:
        raise unauthorized(f"FederationPeer is not in a reachable status ({peer['status']})")
    return peer


# -- G2 and G3: the name is that of the peer's row, and the certificate chains to the peer's anchor -----


def by_certificate(call):
    subject = re.search(r'CN\s*=\s*([^,"]+)', unquote(call.headers.get(INFO) or ""))
    if not subject:
        raise unauthorized("mTLS client certificate required")
    name, platform = subject[1].strip(), call.platform
    prefix, peers = platform.subject_of(""), platform.tables["peer"]
    peer = peers.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
    if peer is None or peer["status"] not in REACHABLE or peer["peer_kind"] != "platform":
        raise unauthorized("No reachable FederationPeer for mTLS subject")
    forwarded = call.headers.get(CERTIFICATE)
    if forwarded or not peer["anchor_pem"]:  # Without a certificate, the header alone is trusted.
        require_chain(platform, peer, forwarded and pem_of(forwarded), name)
    return peer


def require_chain(platform, peer, pem, name):
    """Refuses a certificate that does not chain to the anchor of the peer, or that has another name."""
    anchor = peer["anchor_pem"]
    reason = None
    if not (anchor and pem and platform.authority.issued_by(anchor, ssl.PEM_cert_to_DER_cert(pem))):
        reason = "did not chain"
    elif subject_of_certificate(pem) != name:
        reason = "verified but carries another CN"
    if reason is None:
        return
    text = "Client certificate not issued by this peer's CA"
    if platform.generation.names_anchor:
        fingerprint = hashlib.sha256((anchor or "").encode()).hexdigest()
        text = f"{text} (expected anchor sha256:{fingerprint}; {reason})"
    raise unauthorized(text)


def pem_of(forwarded):
    """Returns the first certificate of the header: percent-encoded PEM, or bare base64 of DER."""
    text = unquote(forwarded.split(",")[0]).strip()
    try:
        if not text.startswith("-----BEGIN"):
            return ssl.DER_cert_to_PEM_cert(base64.b64decode(text, validate=True))
        ssl.PEM_cert_to_DER_cert(text)
        return text
    except ValueError:
        return None


@lru_cache(maxsize=256)
def subject_of_certificate(pem):
    command = ["openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253"]
    line = subprocess.run(command, input=pem, text=True, capture_output=True, check=True, timeout=20).stdout
    name = re.search(r"CN=([^,\n]+)", line)
    return name and name[1]


# -- the proxy ------------------------------------------------------------------------------------


def end_tls(platform, connection):
    """Ends TLS as the proxy before the platform. Each connection trusts the anchors of that moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(*platform.authority.leaf("localhost"))
    # A caller of accept has no certificate yet.
    context.verify_mode = ssl.CERT_OPTIONAL
    anchors = {peer["anchor_pem"] for peer in platform.tables["peer"].copy().values() if peer["anchor_pem"]}
    for anchor in {platform.authority.pem, *anchors}:
        try:
            context.load_verify_locations(cadata=anchor)
        except ssl.SSLError:
            pass  # A peer handed in what is no certificate.
    return context.wrap_socket(connection, server_side=True)


def forward(headers, connection):
    """Replaces the identity in the headers by that of the connection, as the proxy does."""
    for name in (INFO, CERTIFICATE):
        del headers[name]
    der = connection.getpeercert(binary_form=True)
    if der:
        headers[INFO] = quote(f'Subject="CN={common_name(connection.getpeercert())}"', safe="")
        headers[CERTIFICATE] = quote(ssl.DER_cert_to_PEM_cert(der), safe="")
