"""What differs between the generations of the wire, as a table."""

from typing import NamedTuple


class Generation(NamedTuple):
    name: str
    # Accept signs a request or exchanges authorities, `/trust_bundle` is there, and the CN is that of a certificate.
    has_certificates: bool = False
    # Each heartbeat and each change of status is an event.
    logs_peers: bool = False
    # Grant tokens carry an HMAC. Without it the id of the grant is the token.
    signs_tokens: bool = False
    # "Any" is written `["*"]`; a blank allowlist is refused at creation, and an empty one denies.
    stars_allowlists: bool = False
    # A refused certificate is answered with the fingerprint of the expected anchor, and a reason.
    names_anchor: bool = False
    # The answer to accept has `sdwan_attach` and `governance`.
    scans_at_accept: bool = False
    # The operator reads events, approves what is gated, and renews a log-in.
    has_new_surface: bool = False


GENERATIONS = {
    generation.name: generation
    for generation in (
        Generation("G1"),
        Generation("G2", has_certificates=True, logs_peers=True),
        Generation("G3", *[True] * 7),
    )
}
