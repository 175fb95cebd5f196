//! Generations of the observed wire (`wire.md`): what each of them has, as data, one file each.

mod g1;
mod g2;
mod g3;

pub use g1::{FORWARDED_G1, G1, PLAIN_TOKEN};
pub use g2::{FORWARDED, G2};
pub use g3::{G3, SIGNED_TOKEN};

use std::fmt;

use super::grant::TokenForm;
use super::path::Route;

/// Every generation, in the order of publication.
pub static GENERATIONS: &[&Generation] = &[&G1, &G2, &G3];

/// Name of a certificate of mutual TLS, on the command line and in the description of an adapter.
pub const TLS_NAME: &str = "tls";
/// Name of the headers of a proxy in the description of an adapter. The generation says which headers.
pub const FORWARDED_NAME: &str = "forwarded";

/// A generation of the observed wire.
#[derive(Debug)]
pub struct Generation {
    /// Name: `G1`.
    pub name: &'static str,
    /// Time since which platforms speak it.
    pub since: &'static str,
    /// Routes of the observed wire that it has, by [`Route::name`].
    pub routes: &'static [&'static str],
    /// Form in which a proxy forwards the identity of a caller.
    pub forwarded: &'static ForwardedForm,
    /// Members by which a caller asks for its identity in accept. Without any, accept gives it none.
    pub credentials: &'static [&'static str],
    /// Form of the grant tokens that it issues.
    pub token: &'static TokenForm,
}

impl Generation {
    /// Returns the generation of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        GENERATIONS.iter().copied().find(|generation| generation.name == name)
    }

    /// Returns the newest generation, which the suite speaks unless the target is an older one.
    #[must_use]
    pub fn newest() -> &'static Self {
        GENERATIONS[GENERATIONS.len() - 1]
    }

    /// Returns the generations that have a route, or those that lack it.
    #[must_use]
    pub fn by_route(route: &Route, is_there: bool) -> Vec<&'static Self> {
        GENERATIONS.iter().copied().filter(|generation| generation.has(route) == is_there).collect()
    }

    /// Returns whether it has a route.
    #[must_use]
    pub fn has(&self, route: &Route) -> bool {
        self.routes.contains(&route.name())
    }
}

impl PartialEq for Generation {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Writes the generations that a platform may be: `G1`, or `G2 or later`.
#[must_use]
pub fn names_of(generations: &[&Generation]) -> String {
    match generations {
        [] => "of no known generation".to_owned(),
        [one] => one.name.to_owned(),
        [first, ..] => format!("{} or later", first.name),
    }
}

/// Identity of a caller, as a proxy knows it.
#[derive(Clone, Debug, Default)]
pub struct ProxiedCaller {
    /// Id of the row that the receiver keeps for the caller.
    pub peer_id: Option<String>,
    /// CN and PEM of the caller's certificate.
    pub certificate: Option<(String, String)>,
}

/// Form in which a proxy forwards the identity of a caller (`wire.md` §3).
pub struct ForwardedForm {
    /// Name on the command line: `forwarded-g1`.
    pub name: &'static str,
    /// Description, for a person.
    pub about: &'static str,
    /// Returns the headers; none if the caller has no such identity yet.
    pub headers: fn(&ProxiedCaller) -> Vec<(String, String)>,
    /// Returns the CN in a header, by its name and value; `None` if the header does not name the caller.
    pub subject: fn(&str, &str) -> Option<String>,
}

impl fmt::Debug for ForwardedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Form in which a caller's identity reaches the platform (`wire.md` §3).
#[derive(Clone, Copy, Debug, Default)]
pub enum CallerForm {
    /// Client certificate; the platform or the proxy before it terminates TLS.
    #[default]
    Tls,
    /// Headers of a proxy.
    Forwarded(&'static ForwardedForm),
}

impl CallerForm {
    /// Returns every form: TLS, then the headers of each generation, the newest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut forms = vec![Self::Tls];
        for generation in GENERATIONS.iter().rev() {
            let form = Self::Forwarded(generation.forwarded);
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        forms
    }

    /// Returns the form with this name on the command line.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|form| form.name() == name)
    }

    /// Reads the members `identity` and `generation` of an adapter's description. The default is TLS, and the
    /// newest generation.
    #[must_use]
    pub fn described(identity: Option<&str>, generation: Option<&str>) -> Self {
        let generation = generation.and_then(Generation::named).unwrap_or(Generation::newest());
        match identity {
            Some(FORWARDED_NAME) => Self::Forwarded(generation.forwarded),
            _ => Self::Tls,
        }
    }

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => TLS_NAME,
            Self::Forwarded(form) => form.name,
        }
    }

    /// Returns a description, for a person.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Tls => "The certificate of mutual TLS",
            Self::Forwarded(form) => form.about,
        }
    }
}

impl PartialEq for CallerForm {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for CallerForm {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_has_the_routes_of_the_one_before() {
        for pair in GENERATIONS.windows(2) {
            assert!(pair[0].routes.iter().all(|route| pair[1].routes.contains(route)), "{}", pair[1].name);
        }
        for generation in GENERATIONS {
            assert_eq!(Generation::named(generation.name), Some(*generation));
        }
        assert_eq!(Generation::named("G0"), None);
    }

    #[test]
    fn only_the_first_generation_lacks_a_trust_bundle() {
        let of = |is_there| names_of(&Generation::by_route(&Route::TrustBundle, is_there));
        assert_eq!((of(false).as_str(), of(true).as_str()), ("G1", "G2 or later"));
    }

    #[test]
    fn a_form_is_found_by_its_name_and_by_an_adapters_description() {
        let names: Vec<&str> = CallerForm::all().into_iter().map(CallerForm::name).collect();
        assert_eq!(names, ["tls", "forwarded", "forwarded-g1"]);
        assert!(names.iter().all(|name| CallerForm::named(name).is_some_and(|form| form.name() == *name)));
        assert_eq!(CallerForm::named("forwarded-g2"), None);
        for (identity, generation, name) in [
            (None, None, "tls"),
            (Some("tls"), Some("G1"), "tls"),
            (Some("forwarded"), Some("G1"), "forwarded-g1"),
            (Some("forwarded"), Some("G2"), "forwarded"),
            (Some("forwarded"), None, "forwarded"),
            (Some("forwarded"), Some("G9"), "forwarded"),
        ] {
            assert_eq!(
                CallerForm::described(identity, generation).name(),
                name,
                "{identity:?} {generation:?}"
            );
        }
    }

    #[test]
    fn what_a_proxy_forwards_reads_back() {
        let pem = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n";
        let certificate = Some(("fed:0190".to_owned(), pem.to_owned()));
        let caller = ProxiedCaller { peer_id: Some("0190".to_owned()), certificate };
        for (generation, subject) in [(&G1, "federation-peer-0190"), (&G2, "fed:0190"), (&G3, "fed:0190")] {
            let headers = (generation.forwarded.headers)(&caller);
            let read: Vec<String> = headers
                .iter()
                .filter_map(|(name, value)| (generation.forwarded.subject)(name, value))
                .collect();
            assert_eq!(read, [subject], "{}", generation.name);
            assert!((generation.forwarded.headers)(&ProxiedCaller::default()).is_empty());
        }
    }
}
