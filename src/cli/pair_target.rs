//! A target of a pair, as `--old`, `--new` and `--matrix` name it.

use std::sync::Arc;

use semver::Version;

use super::Failure;
use super::embedded_release::{embedded, patches_of};
use super::operator::{adapter, operator_targets};
use super::operator_choice::OperatorChoice;
use super::target_choice::TargetArguments;
use crate::gate::PairTarget;
use crate::operator::Targets;
use crate::reference::VARIANTS;

/// The word for the embedded reference platform.
const REFERENCE: &str = "reference";

/// Builds a target: `reference:1.5.0+CHANGE` or `reference:1.5.0+DEFECT,VARIANT`, the URL of an adapter, or the command line
/// of one.
pub(super) fn pair_target(text: &str, shared: &TargetArguments) -> Result<PairTarget, Failure> {
    let of_reference =
        text.strip_prefix(REFERENCE).filter(|rest| rest.is_empty() || rest.starts_with([':', '+']));
    if let Some(rest) = of_reference {
        return reference(text, rest.strip_prefix(':').unwrap_or(rest), shared);
    }
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    let targets = if is_url {
        let operator: OperatorChoice =
            text.parse().map_err(|error| Failure::usage(format!("{text}: {error}")))?;
        operator_targets(&operator, shared, vec![])?
    } else {
        adapter(text, &shared.adapter_env, shared.method_time_max(), None)?
    };
    Ok(PairTarget { name: text.to_owned(), targets, release: None, is_one: is_url })
}

/// Builds the embedded reference as a release, with changes, defects and variants.
fn reference(text: &str, rest: &str, shared: &TargetArguments) -> Result<PairTarget, Failure> {
    let (version, names) = rest.split_once('+').unwrap_or((rest, ""));
    let release: Option<Version> = match version {
        "" => None,
        version => Some(version.parse().map_err(|error| {
            Failure::usage(format!("{text}: a release such as reference:1.5.0 was expected: {error}"))
        })?),
    };
    let names: Vec<String> =
        names.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect();
    let is_variant = |name: &String| VARIANTS.iter().any(|variant| variant.name == name);
    let (variants, others): (Vec<String>, Vec<String>) = names.into_iter().partition(is_variant);
    let patches = patches_of(&variants, &others)?;
    let targets: Arc<dyn Targets> = embedded(shared.run_context(None)?.listen, release.as_ref(), patches);
    Ok(PairTarget { name: text.to_owned(), targets, release, is_one: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Result<PairTarget, String> {
        pair_target(text, &TargetArguments::default()).map_err(|failure| failure.error.to_string())
    }

    #[test]
    fn a_target_is_a_release_of_the_reference_a_url_or_a_command_line() {
        let release = |text: &str| named(text).expect(text).release.map(|release| release.to_string());
        assert_eq!(release("reference"), None);
        assert_eq!(release("reference:1.5.0").as_deref(), Some("1.5.0"));
        assert_eq!(
            release("reference:1.5.0+release-counts-milliseconds,http1-only").as_deref(),
            Some("1.5.0")
        );
        assert!(named("http://127.0.0.1:9/operator").expect("a URL").is_one);
        assert!(!named("python3 adapter.py").expect("a command line").is_one);
        for (text, expected) in [
            ("reference:1.5", "reference:1.5.0 was expected"),
            ("reference:1.5.0+no-such-change", "no-such-change"),
            ("", "names no program"),
        ] {
            let error = named(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
