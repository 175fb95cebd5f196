//! Finds what a copy to share leaves out: addresses, host names, contacts, what belongs to other parties.

use std::collections::BTreeSet;

use serde_json::Value;
use url::{Host, Url};

use super::addresses::addresses_in;
use super::hosts::hosts_in;
use super::placeholders::Class;
use super::view::View;
use crate::transcript::is_same_id;

/// Members that hold a contact or an address of a person.
const CONTACTS: [&str; 14] = [
    "operator_contact",
    "contact",
    "contacts",
    "security_contact",
    "abuse_contact",
    "email",
    "mail",
    "phone",
    "telephone",
    "street",
    "postal_address",
    "responsible_person",
    "fax",
    "mobile",
];
/// Members that hold a host, under any name of it.
const HOSTS: [&str; 8] =
    ["host", "hostname", "host_name", "fqdn", "server_name", "remote_host", "dns_name", "dns_names"];
/// Members that may hold a host: a text with a dot is one.
const MAYBE_HOSTS: [&str; 9] = [
    "domain",
    "endpoint",
    "instance",
    "authority",
    "node",
    "server",
    "subject_alt_names",
    "subject_alternative_names",
    "sans",
];
/// Members that hold the subject of a certificate.
const SUBJECTS: [&str; 6] =
    ["peer_subject", "subject", "issuer", "common_name", "organization", "organisation"];
/// Members that hold the id of a peer of the target.
const PEER_IDS: [&str; 4] = ["peer_id", "federation_peer_id", "remote_peer_id", "remote_instance_id"];
/// Members that hold the row of a peer, whose `id` is then that of a peer.
const PEERS: [&str; 4] = ["peer", "peers", "remote_peer", "federation_peer"];
/// The member of an accept that names the subject under which the caller knows the other.
const OWN_SUBJECT: &str = "caller_inbound_subject";
/// Members of the row of another peer that say who it is.
const OF_PARTIES: [&str; 8] = [
    "name",
    "display_name",
    "label",
    "description",
    "remote_subject",
    "fingerprint",
    "certificate_fingerprint",
    "serial",
];
/// Headers that hold a host or an address, beside a URL.
const HOST_HEADERS: [&str; 8] = [
    "host",
    "x-forwarded-host",
    ":authority",
    "x-forwarded-server",
    "via",
    "x-served-by",
    "forwarded",
    "x-backend-server",
];
/// The shortest id by which a longer text is known to be of its peer, in bytes. A shorter one may be part of any text.
const ID_LENGTH_MIN: usize = 16;
/// The most places of one text at which JSON is looked for in vain: each costs the rest of the text.
const JSON_TRIES_MAX: usize = 256;
/// Folders below which the name of a user stands.
const HOMES: [&str; 4] = ["/home/", "/Users/", "\\Users\\", "\\\\Users\\\\"];

/// Values that were found in a run.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) found: BTreeSet<(Class, String)>,
    /// The ids of the peers that the run made.
    own: BTreeSet<String>,
}

impl Values {
    /// Adds the ids of the peers that the run made, which stay. Every entry is passed to this before any to
    /// [`Self::entry`].
    pub(super) fn own_ids(&mut self, entry: &Value) {
        let what = &entry["what"];
        let operation = &what["operation"];
        if matches!(operation["method"].as_str(), Some("peer.propose" | "peer.join")) {
            self.own.extend(id_of(&operation["result"]["peer_id"]));
        }
        let exchange = &what["exchange"];
        let path = exchange["request"]["path"].as_str().unwrap_or_default();
        if path.split('?').next().is_some_and(|path| path.ends_with("/accept")) {
            for side in ["request", "response"] {
                self.ids_in(&exchange[side]["body"]);
            }
        }
    }

    fn ids_in(&mut self, body: &Value) {
        match body {
            Value::Object(members) => {
                for (name, member) in members {
                    if PEER_IDS.contains(&name.as_str()) || name == OWN_SUBJECT {
                        self.own.extend(id_of(member));
                    }
                    self.ids_in(member);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.ids_in(item)),
            _ => {}
        }
    }

    /// Adds what is in an entry.
    pub(super) fn entry(&mut self, entry: &Value) {
        let start = &entry["what"]["run"];
        for word in start["target_arguments"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !word.starts_with("--") && !word.contains("://") {
                self.add(Class::Argument, word);
            }
        }
        if let Some(path) = start["settings"]["scenarios"].as_str() {
            self.add(Class::Argument, path);
        }
        for word in start["settings"]["attested"].as_object().into_iter().flatten() {
            let stated = word.1.as_str().and_then(|text| text.rsplit_once(" (stated by "));
            if let Some((by, _)) = stated.and_then(|(_, by)| by.split_once(" at ")) {
                self.add(Class::Contact, by);
            }
        }
        for side in ["request", "response"] {
            self.headers(&entry["what"]["exchange"][side]["headers"]);
        }
        self.value("", entry);
    }

    fn headers(&mut self, headers: &Value) {
        for header in headers.as_array().into_iter().flatten() {
            let (Some(name), Some(value)) = (header[0].as_str(), header[1].as_str()) else { continue };
            let name = name.to_ascii_lowercase();
            if HOST_HEADERS.contains(&name.as_str()) {
                for part in value.split([',', ' ', ';', '"']) {
                    // `host=fed.acme.net`, as `forwarded` has it.
                    self.authority(part.rsplit('=').next().unwrap_or(part));
                }
            } else if name.ends_with("-dn") || name.contains("subject") || name.contains("issuer") {
                self.subject(value);
            }
        }
    }

    fn value(&mut self, name: &str, value: &Value) {
        match value {
            Value::String(text) => {
                self.member(name, text);
                self.text(text);
            }
            Value::Number(number) => self.member(name, &number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.value(name, item)),
            Value::Object(members) => {
                self.row(name, members);
                for (inner, member) in members {
                    self.text(inner);
                    // Every text below a contact is of the contact.
                    let name = if is_contact(name) { name } else { inner.as_str() };
                    self.value(name, member);
                }
            }
            _ => {}
        }
    }

    /// Adds what a member's name says of its text.
    fn member(&mut self, name: &str, text: &str) {
        let may_be_host = MAYBE_HOSTS.contains(&name) && text.contains('.');
        if is_contact(name) {
            self.add(Class::Contact, text);
        } else if SUBJECTS.contains(&name) {
            self.subject(text);
        } else if PEER_IDS.contains(&name) && !self.is_own(text) {
            self.add(Class::Peer, text);
        } else if (HOSTS.contains(&name) || may_be_host) && !text.contains("://") {
            // A name in a certificate: `DNS:fed.acme.net`.
            self.authority(text.trim_start_matches("DNS:"));
        }
    }

    /// Adds the subject of a certificate, and each of its names: `CN=fed, O=Acme`, or `/O=Acme/CN=fed`.
    fn subject(&mut self, text: &str) {
        if self.own.contains(&text.to_lowercase()) {
            return;
        }
        let separators: &[char] = if text.starts_with('/') { &['/', ','] } else { &[','] };
        for part in text.split(separators) {
            let named = part.split_once('=').map(|(kind, rest)| (kind.trim(), rest));
            let (kind, rest) = named.unwrap_or(("", part));
            let part = rest.trim().trim_matches('"');
            // A country is no one.
            if kind != "C" && !self.is_own(part) {
                self.add(Class::Subject, part);
            }
        }
    }

    /// Returns whether an id or a subject is that of a peer which the run made.
    fn is_own(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let is_of =
            |id: &String| is_same_id(id, &lower) || id.len() >= ID_LENGTH_MIN && lower.contains(id.as_str());
        self.own.contains(&lower) || self.own.iter().any(is_of)
    }

    /// Adds what says who the peer of a row is, if the run did not make it.
    fn row(&mut self, name: &str, members: &serde_json::Map<String, Value>) {
        let own_id = PEERS.contains(&name).then_some("id");
        let id = PEER_IDS.into_iter().chain(own_id).find_map(|name| id_of(members.get(name)?));
        let Some(id) = id.filter(|id| !self.is_own(id)) else { return };
        if id.starts_with('<') {
            return;
        }
        self.add(Class::Peer, &id);
        for name in OF_PARTIES {
            if let Some(text) = members.get(name).and_then(Value::as_str) {
                self.add(Class::Party, text);
            }
        }
    }

    /// Adds what the form of a text shows: hosts of URLs, addresses, email addresses, names of users.
    pub(super) fn text(&mut self, text: &str) {
        self.plain_text(text);
        if let Some(view) = View::without_escapes(text) {
            self.plain_text(&view.text());
            self.json_in(&view.text());
        }
        self.json_in(text);
    }

    /// Adds what JSON in a text has: an answer that was cut or is no JSON as a whole, a line of a log.
    fn json_in(&mut self, text: &str) {
        let (mut rest, mut failed) = (text, 0);
        while let Some(at) = rest.find('{').filter(|_| failed < JSON_TRIES_MAX) {
            let mut values = serde_json::Deserializer::from_str(&rest[at..]).into_iter::<Value>();
            if let Some(Ok(value)) = values.next() {
                rest = &rest[at + values.byte_offset()..];
                self.value("", &value);
            } else {
                rest = &rest[at + 1..];
                failed += 1;
            }
        }
    }

    /// Adds what a text has behind the name of a member: `"contact": "Jo"` and `contact="Jo"`.
    fn members_in(&mut self, text: &str) {
        let parts: Vec<&str> = text.split('"').collect();
        for (n, part) in parts.iter().enumerate() {
            let Some(next) = parts.get(n + 1) else { break };
            if let Some(name) = part.strip_suffix('=') {
                self.member(
                    name.rsplit(|c: char| c.is_whitespace() || c == ',').next().unwrap_or(name),
                    next,
                );
            } else if let Some(value) = parts.get(n + 2).filter(|_| next.trim() == ":") {
                self.member(part, value);
            }
        }
        for word in text.split(|c: char| c.is_whitespace() || c == ',') {
            if let Some((name, value)) = word.split_once('=').filter(|(_, value)| !value.starts_with('"')) {
                self.member(name, value);
            }
        }
    }

    fn plain_text(&mut self, text: &str) {
        let (mut rest, mut is_first) = (text, true);
        while let Some(at) = rest.find("://") {
            let scheme =
                rest[..at].rfind(|c: char| !c.is_ascii_alphanumeric() && c != '+').map_or(0, |end| end + 1);
            if is_first || scheme < at {
                let after = &rest[at + 3..];
                let end = after
                    .find(|c: char| c.is_whitespace() || "/?#\"'<>\\)(,;`|".contains(c))
                    .unwrap_or(after.len());
                self.authority(&after[..end]);
            }
            is_first = false;
            rest = &rest[at + 3..];
        }
        self.members_in(text);
        for host in hosts_in(text) {
            self.host(host);
        }
        for address in addresses_in(text) {
            self.add(Class::Address, address);
        }
        for word in text.split(|c: char| c.is_whitespace() || "\"'<>(),;:\\[]{}=&|/".contains(c)) {
            self.email(word.trim_matches('.'));
        }
        for home in HOMES {
            for after in text.split(home).skip(1) {
                let user = after.split(|c: char| "/:\"' \\".contains(c)).next().unwrap_or_default();
                self.add(Class::User, user);
            }
        }
    }

    fn email(&mut self, word: &str) {
        // Signs of the text around it.
        let word = word.trim_start_matches(['`', '*', '!', '?', '#']);
        let Some((local, behind)) = word.rsplit_once('@') else { return };
        let is_domain = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
        let domain = behind.split(|c: char| !is_domain(c)).next().unwrap_or_default().trim_end_matches('.');
        let word = &word[..local.len() + 1 + domain.len()];
        // `declared@1` is a label.
        let is_named = domain.contains(|c: char| c.is_alphabetic());
        if !local.is_empty() && is_named {
            self.add(Class::Email, word);
            if domain.contains('.') {
                self.host(domain);
            }
        }
    }

    /// Adds the host of an authority: `user@host:8443`. The text around it may go on behind the host or its port.
    fn authority(&mut self, authority: &str) {
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let end = match host.strip_prefix('[') {
            Some(inner) => inner.find(']').map_or(host.len(), |end| end + 2),
            None => host.find(|c: char| ":[]{}*!".contains(c)).unwrap_or(host.len()),
        };
        let host = &host[..end];
        let Ok(url) = format!("https://{host}").parse::<Url>() else { return };
        match url.host() {
            // As it is written: a URL has it in lower case, and international names encoded.
            Some(Host::Domain(encoded)) => {
                let host = host.trim_start_matches('.');
                self.host(host);
                if !host.is_ascii() {
                    self.host(encoded);
                }
            }
            Some(Host::Ipv4(address)) => self.add(Class::Address, &address.to_string()),
            Some(Host::Ipv6(address)) if !address.is_unspecified() => {
                self.add(Class::Address, &address.to_string());
            }
            _ => {}
        }
    }

    /// Adds a host name, and the domain above it: `fed.acme.net` is of `acme.net`.
    fn host(&mut self, name: &str) {
        let name = name.trim_end_matches('.');
        self.add(Class::Host, name);
        if let Some((_, above)) = name.split_once('.').filter(|(_, above)| above.contains('.')) {
            self.add(Class::Host, above);
        }
    }

    fn add(&mut self, class: Class, text: &str) {
        let text = text.trim();
        let is_placeholder = text.starts_with('<') && text.ends_with('>');
        // Signs alone say nothing.
        if text.contains(char::is_alphanumeric) && !is_placeholder {
            self.found.insert((class, text.to_owned()));
        }
    }
}

/// Returns whether a member holds a contact. One with the time of a contact holds none.
fn is_contact(name: &str) -> bool {
    let is_of_contact = || {
        let lower = name.to_ascii_lowercase();
        lower.contains("contact") && !lower.ends_with("_at") && !lower.starts_with("last_")
    };
    CONTACTS.contains(&name) || is_of_contact()
}

/// Returns an id, in lower case. A platform may count its peers, and a blank id is none.
fn id_of(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(id) => id.trim().to_lowercase(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    Some(id).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found_in(entries: &[Value]) -> BTreeSet<(Class, String)> {
        let mut values = Values::default();
        for entry in entries {
            values.own_ids(entry);
        }
        for entry in entries {
            values.entry(entry);
        }
        values.found
    }

    #[test]
    fn hosts_addresses_and_contacts_are_found() {
        let body = json!({"json": {"data": {
            "metadata": {"operator_contact": {"name": "Jo Doe", "mail": "jo@acme.net"}},
            "text": "see https://status.acme.net:8443/x or 10.1.2.3:80 or [fd00::17], at 10:20:30 with 1.4.2",
            "note": "ask ops@other.org; logs in /home/jdoe/run",
            "reachable": {"https://fed.member.net:8443": true, "in@member.org": 1, "10.7.8.9": "up"},
            "error": "sending to https://fed.refused.net:8443: refused, [https://fed.bracket.net] down, **https://bold.net**",
            "mail": "mailto:a@query.net?subject=x, b@loud.net! or `c@ticks.net` or https://[fd00::18]:8443: down",
        }}});
        let headers = json!([["Host", "fed.acme.net:8443"], ["x-forwarded-for", "192.168.7.9"]]);
        let entry = json!({"what": {"exchange": {"request": {"path": "/x", "headers": headers}, "response": {"body": body}}}});
        let found = found_in(&[entry]);
        for (class, value) in [
            (Class::Contact, "Jo Doe"),
            (Class::Email, "jo@acme.net"),
            (Class::Host, "status.acme.net"),
            (Class::Host, "acme.net"),
            (Class::Host, "fed.acme.net"),
            (Class::Address, "10.1.2.3"),
            (Class::Address, "fd00::17"),
            (Class::Address, "192.168.7.9"),
            (Class::Email, "ops@other.org"),
            (Class::User, "jdoe"),
            (Class::Host, "fed.member.net"),
            (Class::Email, "in@member.org"),
            (Class::Address, "10.7.8.9"),
            (Class::Host, "fed.refused.net"),
            (Class::Host, "fed.bracket.net"),
            (Class::Host, "bold.net"),
            (Class::Email, "a@query.net"),
            (Class::Email, "b@loud.net"),
            (Class::Email, "c@ticks.net"),
            (Class::Address, "fd00::18"),
        ] {
            assert!(found.contains(&(class, value.to_owned())), "{value}: {found:?}");
        }
        assert!(!found.iter().any(|(_, value)| value == "1.4.2" || value.contains("10:20")), "{found:?}");
    }

    #[test]
    fn what_the_name_of_a_member_says_is_found_in_texts_too() {
        let other = "02b2075f-ab38-734e-bd8b-a790d60fdad4";
        let inner =
            json!({"operator_contact": "Jo Doe", "peer_id": other, "name": "Clinic of Y"}).to_string();
        let party = (Class::Party, "Clinic of Y");
        for (value, found) in [
            (json!({"error": inner}), vec![(Class::Contact, "Jo Doe"), (Class::Peer, other), party]),
            (json!({"error": format!("500: {inner}, at 12")}), vec![(Class::Contact, "Jo Doe"), party]),
            (json!({"error": format!("{{\"data\": {inner},}}")}), vec![(Class::Contact, "Jo Doe"), party]),
            // An answer that was cut.
            (json!(inner[..inner.len() - 1]), vec![(Class::Contact, "Jo Doe"), (Class::Peer, other)]),
            (
                json!(format!("peer_id={other} contact=\"Jo Doe\"")),
                vec![(Class::Contact, "Jo Doe"), (Class::Peer, other)],
            ),
            (
                json!({"peers": [{"id": other, "name": "Clinic of Y"}], "note": "C:\\Users\\jdoe\\x"}),
                vec![(Class::Peer, other), party, (Class::User, "jdoe")],
            ),
            (
                json!({"legal_contact": "Jo Doe", "last_contact_at": "2026", "contactPhone": "+49 30 555"}),
                vec![(Class::Contact, "Jo Doe"), (Class::Contact, "+49 30 555")],
            ),
            (
                json!({"host": "db7", "endpoint": "fed.acme:8443", "domain": "none", "sans": ["DNS:a.acme"]}),
                vec![(Class::Host, "db7"), (Class::Host, "fed.acme"), (Class::Host, "a.acme")],
            ),
            (
                json!({"issuer": "C = DE, O = Acme Ltd, OU = IT Dept", "subject": "/O=Oneline/CN=fed"}),
                ["Acme Ltd", "IT Dept", "Oneline", "fed"].map(|name| (Class::Subject, name)).to_vec(),
            ),
            (
                json!("https://klinik-ä.acme.de/x"),
                vec![(Class::Host, "klinik-ä.acme.de"), (Class::Host, "xn--klinik--cxa.acme.de")],
            ),
        ] {
            let all = found_in(std::slice::from_ref(&value));
            for (class, text) in found {
                assert!(all.contains(&(class, text.to_owned())), "{text} of {value}: {all:?}");
            }
            assert!(!all.iter().any(|(_, text)| ["2026", "none", "DE"].contains(&text.as_str())), "{all:?}");
        }
        let headers = json!([
            ["Forwarded", "for=x;host=fed.acme;by=gw"],
            ["server", "gw1.acme.local"],
            ["set-cookie", "a=b; Domain=.acme.net"],
            ["x-client-cert-dn", "CN=fed-client"]
        ]);
        let all = found_in(&[json!({"what": {"exchange": {"response": {"headers": headers}}}})]);
        for text in ["fed.acme", "gw", "gw1.acme.local", "acme.net", "fed-client"] {
            assert!(all.iter().any(|(_, found)| found == text), "{text}: {all:?}");
        }
    }

    #[test]
    fn a_peer_of_another_party_is_found_and_one_of_the_run_is_not() {
        let own = "01a2075f-ab38-734e-bd8b-a790d60fdad4";
        let other = "02b2075f-ab38-734e-bd8b-a790d60fdad4";
        let proposed = json!({"what": {"operation": {"method": "peer.propose", "parameters": {}, "result": {"peer_id": own}}}});
        let listed = json!({"what": {"operation": {"method": "peer.list", "parameters": {}, "result": {"peers": [
            {"peer_id": own, "name": "alice"},
            {"peer_id": other, "name": "Hospital of X", "remote_subject": "dr-who"},
        ]}}}});
        let found = found_in(&[listed, proposed]);
        for (class, value) in
            [(Class::Peer, other), (Class::Party, "Hospital of X"), (Class::Party, "dr-who")]
        {
            assert!(found.contains(&(class, value.to_owned())), "{value}: {found:?}");
        }
        assert!(!found.iter().any(|(_, value)| value == own || value == "alice"), "{found:?}");
    }

    #[test]
    fn hosts_and_contacts_are_found_behind_escapes() {
        let text = r#"{\"url\": \"https:\/\/fed.acme.net\/x\", \"mail\": \"ops\u0040other.org\"} cb=https%3A%2F%2Fa.third.net%2F"#;
        let found = found_in(&[json!({"what": {"note": {"message": text}}})]);
        for (class, value) in
            [(Class::Host, "fed.acme.net"), (Class::Email, "ops@other.org"), (Class::Host, "a.third.net")]
        {
            assert!(found.contains(&(class, value.to_owned())), "{value}: {found:?}");
        }
    }

    #[test]
    fn a_short_an_empty_or_a_numeric_id_makes_no_other_peer_the_runs_own() {
        for own in [json!(""), json!(" "), json!("1"), json!(1), json!("p"), json!(null)] {
            let proposed = json!({"what": {"operation": {"method": "peer.propose", "parameters": {}, "result": {"peer_id": own}}}});
            let listed = json!({"what": {"operation": {"method": "peer.list", "parameters": {}, "result": {"peers": [
                {"peer_id": own, "name": "alice"},
                {"peer_id": 12, "name": "Hospital of X", "peer_subject": "CN=clinic-1.p"},
                {"peer_id": "peer-1", "name": "Clinic of Y"},
            ]}}}});
            let found = found_in(&[proposed, listed]);
            for (class, value) in [
                (Class::Peer, "12"),
                (Class::Peer, "peer-1"),
                (Class::Party, "Hospital of X"),
                (Class::Party, "Clinic of Y"),
                (Class::Subject, "clinic-1.p"),
            ] {
                assert!(found.contains(&(class, value.to_owned())), "{own}: {value}: {found:?}");
            }
            assert!(!found.iter().any(|(_, value)| value == "alice"), "{own}: {found:?}");
        }
    }

    #[test]
    fn a_number_that_is_a_contact_is_found() {
        let phone = json!({"what": {"note": {"facts": {"contact": {"phone": 4_930_123_456_u64}}}}});
        assert_eq!(found_in(&[phone]), BTreeSet::from([(Class::Contact, "4930123456".to_owned())]));
    }

    #[test]
    fn the_words_that_named_a_target_are_found() {
        let start = json!({"what": {"run": {"target": "https://fed.acme.net (the platform behind the adapter python3 my.py)",
            "target_arguments": ["--adapter", "python3 my.py", "--target", "https://fed.acme.net"], "settings": {}}}});
        let found = found_in(&[start]);
        assert!(found.contains(&(Class::Argument, "python3 my.py".to_owned())));
        assert!(found.contains(&(Class::Host, "fed.acme.net".to_owned())));
    }
}
