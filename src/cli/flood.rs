//! `covenant flood`: drives handshakes at a target, to see what it stands.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use url::Url;

use super::duration::duration;
use super::number::{AtOnce, FloodRate, RequestTimeout};
use super::peer::confirm;
use super::stop::stopped;
use super::target_choice::TargetArguments;
use super::{Exit, Failure, block_on, message, print};
use crate::runner::{refuse_unwritable, write_new_private};
use crate::simulate::{Flood, Flooded, flood, in_milliseconds};

/// Arguments of `covenant flood`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each handshake has a TLS connection of its own, and a token that no target knows: nothing is left behind. A \
                  target has to limit a flood (6.1) and serve others meanwhile; `covenant run --behaviour handshake-flood` checks it."
)]
pub(super) struct Arguments {
    /// URL of the target's federation plane
    #[arg(value_parser = super::url::parse)]
    url: Url,
    /// Number of handshakes in a second
    #[arg(long, value_name = "R")]
    rate: FloodRate,
    /// Duration of the flood (10s, 5m)
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    lasts: Duration,
    /// Maximum number of handshakes at the same time
    #[arg(long, value_name = "N", default_value = "32")]
    at_once: AtOnce,
    /// File that gets the distribution of the latencies, as the tools of HdrHistogram draw it
    #[arg(long, value_name = "FILE")]
    histogram: Option<PathBuf>,
    /// Host name of a target on another machine: you state that it is yours to be flooded [default: covenant asks]
    #[arg(long, value_name = "HOST")]
    yes: Vec<String>,
    /// PEM file with the authorities to trust for the target [default: pin the first certificate seen]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Trust the authorities of this system for the target
    #[arg(long, conflicts_with = "ca")]
    system_roots: bool,
    /// Allow a target on another machine to be called with plain http
    #[arg(long)]
    plain_http: bool,
    /// Seconds that one handshake may take [default: 10]
    #[arg(long, value_name = "SECONDS")]
    request_timeout: Option<RequestTimeout>,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let asked = TargetArguments {
        target: Some(arguments.url.clone()),
        ca: arguments.ca.clone(),
        system_roots: arguments.system_roots,
        plain_http: arguments.plain_http,
        request_timeout: arguments.request_timeout,
        ..TargetArguments::default()
    };
    // Before the flood, which cannot be had again.
    if let Some(path) = arguments.histogram.as_deref().filter(|path| path.symlink_metadata().is_ok()) {
        return Err(Failure::usage(format!(
            "--histogram {}: exists, and nothing is overwritten; name another file",
            path.display()
        )));
    }
    if let Some(path) = &arguments.histogram {
        refuse_unwritable(path)?;
    }
    confirm(&arguments.url, &arguments.yes, "a flood of handshakes takes what the target has")?;
    let address = asked.address()?.ok_or_else(|| Failure::usage("a URL is needed"))?;
    let settings = Flood {
        address,
        host_names_checked: arguments.ca.is_some() || arguments.system_roots,
        rate: arguments.rate.get(),
        lasts: arguments.lasts,
        at_once: usize::try_from(arguments.at_once.get()).unwrap_or(1),
        limits: asked.limits(),
    };
    let flooded = block_on(async {
        // Held before the first word: whoever reads it may stop the flood.
        let stopped = stopped();
        message(&format!(
            "flood: {} handshakes a second for {:?} at {}\n",
            settings.rate, settings.lasts, arguments.url
        ));
        flood(&settings, stopped).await
    })?
    .map_err(|error| Failure::new(Exit::Environment, error))?;
    print(&summary(&flooded))?;
    if let Some(path) = &arguments.histogram {
        write_new_private(path, flooded.distribution().as_bytes(), false)?;
    }
    if flooded.interrupted {
        return Err(Failure::new(
            Exit::Interrupted,
            anyhow::anyhow!("interrupted after {:.1?}: this is what was measured by then", flooded.took),
        ));
    }
    if flooded.latency.is_empty() {
        return Err(Failure::new(
            Exit::Target,
            anyhow::anyhow!("{}: no handshake was answered", arguments.url),
        ));
    }
    Ok(Exit::Kept)
}

fn summary(flooded: &Flooded) -> String {
    let outcomes: Vec<String> =
        flooded.outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
    let at = |quantile: f64| in_milliseconds(flooded.latency.value_at_quantile(quantile));
    let latency = if flooded.latency.is_empty() {
        "none, as no handshake was answered".to_owned()
    } else {
        format!(
            "median {:.1} ms, 90 % {:.1}, 99 % {:.1}, 99.9 % {:.1}, max {:.1}",
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            in_milliseconds(flooded.latency.max())
        )
    };
    format!(
        "handshakes: {} sent of {} due in {:.1?}; {:.0} answered a second\noutcomes: {}\nlatency: {latency}\n",
        flooded.sent,
        flooded.due,
        flooded.took,
        flooded.rate(),
        outcomes.join(", "),
    )
}
