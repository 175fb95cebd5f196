//! `network.probe`: the way from the platform's host to a peer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::method::methods;
use super::{Example, Extra};

methods! {
    /// Methods about the network between the platform and its peers.
    NetworkMethod in Network {
        "network.probe" => Probe -> Probed {
            prompt: Some("From the platform's host, open this URL. Does anything answer?"),
            example: Example {
                parameters: r#"{"url": "https://127.0.0.1:4000", "peer_id": "0197b2f0-0000-7000-8000-0000000000a1"}"#,
                result: r#"{"reached": true, "detail": "answered 404"}"#,
            },
        }
    }
}

/// Opens a URL of a peer from the platform's host, to show that calls of the platform can arrive there.
///
/// One GET, without a certificate and without a redirect followed. Any answer is one that reached the peer, a
/// refusal too. If no call of the platform arrives in a stage, the suite asks for one probe: a notice
/// that never came is a breach only where a call could have arrived. A call that the peer records counts most. If
/// there is none, for example because the method opens a TCP connection only, the report says that it rests on
/// the result.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The peer's base URL.
    #[schemars(url)]
    pub url: String,
    /// The peer, where it is proposed already. A platform that calls its peers by their ids may need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<String>,
}

/// The result of a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Probed {
    /// True if the other end answered.
    pub reached: bool,
    /// The answer, or the reason why there was none, for a person.
    #[serde(default)]
    pub detail: String,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
