//! The embedded reference as a release, with changes, defects and variants.

use std::net::IpAddr;
use std::sync::Arc;

use semver::Version;
use serde_json::json;

use super::Failure;
use super::target_choice::patches;
use crate::operator::{Embedded, EmbeddedOptions};
use crate::reference::{Patch, release_change};

/// Returns the patches of variants, and of names of defects or of a release change. Refuses a change beside another one or a
/// defect: two of them may take one hook of the platform, and the second would hide the first.
pub(super) fn patches_of(variants: &[String], names: &[String]) -> Result<Vec<&'static Patch>, Failure> {
    let (changes, defects) = apart(names);
    if let [first, ..] = changes.as_slice()
        && names.len() > 1
    {
        return Err(Failure::usage(format!("{first}: a release change stands alone; leave out the others")));
    }
    let changes = changes.iter().filter_map(|name| release_change(name)).map(|change| &change.patch);
    Ok(patches(variants, &defects)?.into_iter().chain(changes).collect())
}

/// Returns the names of release changes, and the others.
pub(super) fn apart(names: &[String]) -> (Vec<String>, Vec<String>) {
    names.iter().cloned().partition(|name| release_change(name).is_some())
}

/// Returns the platform. Without a release it has its own.
pub(super) fn embedded(
    listen: IpAddr,
    release: Option<&Version>,
    patches: Vec<&'static Patch>,
) -> Arc<Embedded> {
    let settings = release.map_or_else(
        || json!({}),
        |release| json!({"release": release.to_string(), "last_known_good_release": format!("v{release}")}),
    );
    Arc::new(Embedded::new(EmbeddedOptions { listen, patches, settings }))
}
