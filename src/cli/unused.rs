//! Options that a command, or what it is asked to do, does not use. They are refused: whoever gives one expects it to
//! change something.

use super::Failure;
use super::operator_choice::OperatorChoice;
use super::target_choice::TargetArguments;

/// Purpose of an option of a target.
#[derive(Clone, Copy)]
enum Use {
    /// The adapter that is started as a program.
    Adapter,
    /// A Powernode's REST surface.
    Powernode,
    /// Any target but the embedded reference.
    External,
    /// A target with a URL.
    Url,
    /// A target or an operator with a URL whose certificate is verified.
    Tls,
}

/// An option, and whether the command line has it.
type Given = (&'static str, fn(&TargetArguments) -> bool);

/// Every option of a target.
const OPTIONS: &[Given] = &[
    ("--adapter", |given| given.adapter.is_some()),
    ("--adapter-env", |given| !given.adapter_env.is_empty()),
    ("--adapter-timeout", |given| given.adapter_timeout.is_some()),
    ("--advertise", |given| given.advertise.is_some()),
    ("--ca", |given| given.ca.is_some()),
    ("--config", |given| given.config.is_some()),
    ("--contract", |given| given.contract.is_some()),
    ("--credentials", |given| given.credentials.is_some()),
    ("--defect", |given| !given.defect.is_empty()),
    ("--identity", |given| given.identity.is_some()),
    ("--listen", |given| given.listen.is_some()),
    ("--max-wait", |given| given.max_wait.is_some()),
    ("--operator", |given| given.operator.is_some()),
    ("--peer-certificate", |given| given.peer_certificate.is_some()),
    ("--peer-key", |given| given.peer_key.is_some()),
    ("--plain-http", |given| given.plain_http),
    ("--record", |given| !given.records.is_empty()),
    ("--release", |given| given.release.is_some()),
    ("--request-timeout", |given| given.request_timeout.is_some()),
    ("--system-roots", |given| given.system_roots),
    ("--target", |given| given.target.is_some()),
    ("--variant", |given| !given.variant.is_empty()),
    ("--way-back-open", |given| given.way_back_open),
];

/// The options that some targets do not use. The others are of use for each.
const OF_TARGETS: &[(&str, Use)] = &[
    ("--adapter-env", Use::Adapter),
    ("--credentials", Use::Powernode),
    ("--record", Use::Powernode),
    ("--adapter-timeout", Use::External),
    ("--identity", Use::External),
    ("--plain-http", Use::External),
    ("--way-back-open", Use::External),
    ("--max-wait", Use::External),
    ("--ca", Use::Tls),
    ("--system-roots", Use::Url),
];

/// The options of a target that no audit uses: it has no operator client, and reads no configuration file.
const NOT_IN_AUDITS: &[&str] = &[
    "--defect",
    "--variant",
    "--adapter",
    "--adapter-env",
    "--adapter-timeout",
    "--operator",
    "--credentials",
    "--record",
];

/// The options of a target that only a peer uses.
const OF_PEERS: &[&str] = &[
    "--release",
    "--contract",
    "--advertise",
    "--listen",
    "--way-back-open",
    "--max-wait",
    "--peer-certificate",
    "--peer-key",
];

/// Returns the options of a target that the command line has.
pub(super) fn given(given: &TargetArguments) -> Vec<&'static str> {
    OPTIONS.iter().filter(|(_, is_given)| is_given(given)).map(|(name, _)| *name).collect()
}

/// Refuses what the command line gives for a target and the target does not use. What the configuration file gives
/// stays, since it is for several commands.
pub(super) fn refuse(given: &TargetArguments, asked: &TargetArguments) -> Result<(), Failure> {
    let given = self::given(given);
    let mut unused = OF_TARGETS.iter().filter(|(flag, _)| given.contains(flag));
    match unused.find_map(|(flag, of)| Some((*flag, of.missing(asked)?))) {
        Some((flag, why)) => Err(Failure::usage(format!("{flag} is of no use here: {why}"))),
        None => Ok(()),
    }
}

impl Use {
    /// Returns why a target does not use the option; `None` if it does.
    fn missing(self, asked: &TargetArguments) -> Option<&'static str> {
        let is_powernode = matches!(asked.operator, Some(OperatorChoice::Powernode(_)));
        let is_external = asked.adapter.is_some() || asked.operator.is_some() || asked.target.is_some();
        let (is_used, why) = match self {
            Self::Adapter => (asked.adapter.is_some(), "no program is started; name one with --adapter"),
            Self::Powernode => (is_powernode, "only --operator powernode:URL has it"),
            Self::External => {
                (is_external, "the target is the embedded reference; name yours with --adapter or --operator")
            }
            Self::Url | Self::Tls if is_external => (
                asked.target.is_some()
                    || is_powernode
                    || (matches!(self, Self::Tls) && has_tls(asked.operator.as_ref())),
                "the operator names the URL of the target and its authorities; name the URL with --target",
            ),
            Self::Url | Self::Tls => {
                (false, "the target is the embedded reference; name yours with --adapter or --operator")
            }
        };
        (!is_used).then_some(why)
    }
}

/// Returns whether the operator is an adapter behind an https URL.
fn has_tls(operator: Option<&OperatorChoice>) -> bool {
    matches!(operator, Some(OperatorChoice::Http(url)) if url.scheme() == "https")
}

/// Refuses the options that no audit uses.
pub(super) fn refuse_in_audit(given: &TargetArguments) -> Result<(), Failure> {
    if let Some(flag) = first(NOT_IN_AUDITS, given) {
        return Err(Failure::usage(format!("{flag}: an audit uses no operator client; see `covenant run`")));
    }
    if given.target.is_some() {
        return Err(Failure::usage("--target is of no use here: an audit takes the URL as its argument"));
    }
    if given.config.is_some() {
        return Err(Failure::usage("--config is of no use here: an audit reads no configuration file"));
    }
    Ok(())
}

/// Refuses the options that only an audit with a token uses.
pub(super) fn refuse_without_token(
    given: &TargetArguments,
    of_audit: &[(&'static str, bool)],
) -> Result<(), Failure> {
    let own = of_audit.iter().find(|(_, is_given)| *is_given).map(|(flag, _)| *flag);
    match own.or_else(|| first(OF_PEERS, given)) {
        Some(flag) => Err(Failure::usage(format!(
            "{flag} is of no use here: without a token the audit is that of an anonymous client, which has no peer, \
             makes a few calls, and evaluates no clause; name a token with --token-file"
        ))),
        None => Ok(()),
    }
}

fn first(options: &[&'static str], given: &TargetArguments) -> Option<&'static str> {
    let given = self::given(given);
    options.iter().copied().find(|flag| given.contains(flag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Args;

    #[test]
    fn every_option_of_a_target_is_in_the_table() {
        let command = TargetArguments::augment_args(clap::Command::new("x"));
        let mut expected: Vec<String> =
            command.get_arguments().filter_map(|one| Some(format!("--{}", one.get_long()?))).collect();
        expected.sort_unstable();
        let known: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, expected);
        let used = OF_TARGETS.iter().map(|(name, _)| name).chain(NOT_IN_AUDITS).chain(OF_PEERS);
        for name in used {
            assert!(known.contains(name), "{name}");
        }
    }
}
