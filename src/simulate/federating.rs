//! How a simulated peer federates: it joins the target, or waits until the target joins it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use super::Federates;
use super::simulated::{Simulated, why};
use crate::operator::{Address, is_here};
use crate::peer::{Received, StepContext, TargetAddress};
use crate::wire::path::{PREFIX, Route};
use crate::with_causes;

/// The time between two attempts to reach a target that does not answer.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// The time after which a wait for the target is begun again.
const WAIT_TIME: Duration = Duration::from_hours(1);
/// The time within which whoever gives a token hears of the first attempt with it.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(45);

/// An attempt to join that has ended.
#[derive(Clone, Debug)]
pub(super) struct Attempted {
    /// The number of the token that it was made with.
    token: u64,
    /// Why the target did not admit the peer.
    outcome: Result<(), String>,
}

/// How an attempt to federate ended.
enum Attempt {
    Federated,
    /// The target answered, and did not admit the peer.
    Refused,
    /// There was no answer.
    Unanswered,
}

impl Simulated {
    /// Returns once the peer is federated.
    pub(super) async fn federate(&self) {
        loop {
            let (federates, number) = {
                let state = self.state();
                (state.federates.clone(), state.tokens)
            };
            let attempt = match federates {
                Federates::Joins { address, token } => self.join(address, &token, number).await,
                Federates::Accepts { .. } => {
                    self.admit().await;
                    Attempt::Federated
                }
            };
            match attempt {
                Attempt::Federated => {
                    // A token that was given meanwhile is not tried: it would be, unasked, once this peering ends.
                    let mut state = self.state();
                    state.tokens_done = state.tokens;
                    drop(state);
                    return self.say("the peering begins");
                }
                Attempt::Refused => self.token_after(number).await,
                // Another token may be given meanwhile.
                Attempt::Unanswered => drop(timeout(RETRY_INTERVAL, self.token_after(number)).await),
            }
        }
    }

    /// Waits until a token is given after the one of this number.
    async fn token_after(&self, number: u64) {
        while self.state().tokens <= number {
            self.again.notified().await;
        }
    }

    /// Waits until a token is given with which the peer federates again.
    pub(super) async fn another_token(&self) {
        let done = self.state().tokens_done;
        self.token_after(done).await;
    }

    /// Tries once to join the target, with the token of this number.
    async fn join(&self, address: Address, token: &str, number: u64) -> Attempt {
        self.set_target(address);
        let (attempt, outcome) = match self.peer.accept(&StepContext::default(), token, &Value::Null).await {
            Err(error) => (Attempt::Refused, Err(with_causes(&error))),
            Ok(outcome) => {
                self.learn(&outcome);
                let why = format!("the target did not admit the peer: {}", why(&outcome));
                match (self.peer.is_federated(), outcome.failure) {
                    (true, _) => (Attempt::Federated, Ok(())),
                    (false, None) => (Attempt::Refused, Err(why)),
                    (false, Some(_)) => (Attempt::Unanswered, Err(why)),
                }
            }
        };
        match (&attempt, &outcome) {
            (Attempt::Refused, Err(why)) => self.say(&format!("{why}; `join TOKEN` tries another token")),
            (Attempt::Unanswered, Err(_)) => {
                self.say(&format!("tries again every {} s", RETRY_INTERVAL.as_secs()));
            }
            _ => {}
        }
        self.attempts.send_replace(Some(Attempted { token: number, outcome }));
        attempt
    }

    /// Waits until the target has joined. It may have done so before this is called.
    async fn admit(&self) {
        self.say(&format!("waits at {} for the target to join", self.peer.base_url_text()));
        loop {
            let last = self.state().last_accept;
            let is_new = |received: &Received| received.route == Some(Route::Accept) && received.n > last;
            let Some(accept) = self.peer.wait_for(is_new, WAIT_TIME).await else { continue };
            self.state().last_accept = accept.n;
            if self.peer.is_federated() {
                return self.call_back(&accept.body);
            }
        }
    }

    /// Takes the address at which a target that joined is called, if that is allowed.
    fn call_back(&self, accept: &Value) {
        match call_back_url(accept, &self.confirmed_hosts, self.plain_http) {
            Ok(url) => self.set_target(Address { base_url: url, ca_bundle_pem: None, caller: self.caller }),
            Err(why) => self.say(&format!("the peer only answers: {why}")),
        }
    }

    fn set_target(&self, address: Address) {
        self.peer.set_target(TargetAddress {
            base_url: address.base_url,
            ca_bundle_pem: address.ca_bundle_pem,
            host_names_checked: self.host_names_checked,
            caller: address.caller,
        });
        self.state().has_target = true;
    }

    /// Federates again, with another token. Returns what came of it: of the first attempt, if the peer joins.
    pub(super) async fn federate_with(&self, token: &str) -> Result<&'static str, String> {
        let mut attempts = self.attempts.subscribe();
        let (joins, number) = {
            let mut state = self.state();
            state.tokens += 1;
            // What an earlier token came to says nothing of this one.
            self.attempts.send_replace(None);
            let joins = match &mut state.federates {
                Federates::Joins { token: own, .. } => {
                    token.clone_into(own);
                    true
                }
                Federates::Accepts { token: own } => {
                    token.clone_into(own);
                    false
                }
            };
            (joins, state.tokens)
        };
        if !joins {
            self.peer.propose_with(token);
        }
        self.again.notify_one();
        // A peer that waits for its next heartbeat sees only then that the peering has ended.
        self.beat.notify_one();
        if !joins {
            return Ok("waits for the target to join with this token");
        }
        // An attempt with the token before may be under way.
        let is_of_this = |attempted: &Option<Attempted>| {
            attempted.as_ref().is_some_and(|attempted| attempted.token >= number || attempted.outcome.is_ok())
        };
        let attempted = match timeout(ATTEMPT_TIME_MAX, attempts.wait_for(is_of_this)).await {
            Ok(Ok(attempted)) => attempted.clone(),
            _ => None,
        };
        match attempted {
            None => Err("the target has not answered yet; status shows whether it does".to_owned()),
            Some(Attempted { token, outcome }) if token == number => outcome.map(|()| "federated again"),
            Some(Attempted { token, .. }) if token > number => {
                Err("another token was given meanwhile; status shows whether it federates".to_owned())
            }
            Some(_) => Err("the token before was admitted meanwhile, and this one was not tried".to_owned()),
        }
    }
}

/// Returns the URL at which a target that joined is called. The error says why it is not called.
fn call_back_url(accept: &Value, confirmed_hosts: &[String], plain_http: bool) -> Result<Url, String> {
    let endpoints = accept["endpoints"].as_array().into_iter().flatten();
    let mut urls = endpoints.filter_map(|endpoint| endpoint["url"].as_str()?.parse::<Url>().ok());
    let Some(mut url) = urls.next() else { return Err("the target names no endpoint".to_owned()) };
    let host = url.host_str().unwrap_or_default().to_owned();
    if !is_here(&url) && !confirmed_hosts.contains(&host) {
        return Err(format!("{host} is another machine; --yes {host} allows calls to it"));
    }
    match url.scheme() {
        "https" => {}
        "http" if plain_http => {}
        "http" => {
            return Err(format!(
                "the target names {url}, and in plain http anyone on the way reads and changes the calls; --plain-http allows it"
            ));
        }
        other => return Err(format!("the target names {url}; http or https was expected, found {other}")),
    }
    let path = url.path().trim_end_matches('/').trim_end_matches(PREFIX).to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_target_that_joined_is_called_only_where_that_is_allowed() {
        let url = |text: &str, confirmed: &[String], plain_http| {
            call_back_url(&json!({"endpoints": [{"url": text}]}), confirmed, plain_http)
        };
        let yes = ["platform.example".to_owned()];
        let allowed = |text: &str, plain_http| url(text, &yes, plain_http).expect(text).to_string();
        assert_eq!(allowed(&format!("https://127.0.0.1:8443/x{PREFIX}"), false), "https://127.0.0.1:8443/x");
        assert_eq!(allowed("https://platform.example/", false), "https://platform.example/");
        assert_eq!(allowed("http://platform.example/", true), "http://platform.example/");
        for (text, confirmed, plain_http, expected) in [
            ("http://127.0.0.1:3000", &yes[..], false, "--plain-http allows it"),
            ("http://platform.example", &yes, false, "--plain-http allows it"),
            ("http://platform.example", &[], true, "--yes platform.example"),
            ("https://platform.example", &[], false, "--yes platform.example"),
            ("ftp://127.0.0.1/", &yes, true, "found ftp"),
        ] {
            let refused = url(text, confirmed, plain_http).expect_err(text);
            assert!(refused.contains(expected), "{refused}");
        }
        assert!(call_back_url(&json!({}), &yes, true).expect_err("no endpoint").contains("no endpoint"));
    }
}
