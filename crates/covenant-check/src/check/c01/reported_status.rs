//! The status of a peer, as the target reports it.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use serde_json::Value;

use crate::check::c12::peer_list::{is_joined, rows_in};
use crate::check::outcome::Stop;
use crate::check::query::{Call, is_admitted, peer_shown};
use covenant_model::transcript::{Operation, Trace};

/// The maximum number of admitted peers that a verdict names.
const NAMED_MAX: usize = 6;

/// The reported status of a peer, and the label under which it was reported.
pub(super) struct ReportedStatus<'a> {
    /// The number of the entry.
    pub(super) n: u64,
    label: &'a str,
    status: Value,
}

impl<'a> ReportedStatus<'a> {
    /// Returns the status in the answer to a call of the peer. An answer may report none.
    pub(super) fn in_answer(call: &Call<'a>) -> Option<Self> {
        let data = call.exchange.data().filter(|_| call.exchange.succeeded())?;
        let status = data.get("status").filter(|status| !status.is_null())?;
        Some(Self { n: call.n(), label: call.entry.label.as_deref()?, status: status.clone() })
    }

    /// Returns the status in the result of `peer.show` with this label.
    pub(super) fn shown(trace: &Trace, label: &'a str) -> Option<Self> {
        let (n, peer) = peer_shown(trace, label)?;
        Some(Self { n, label, status: peer["status"].clone() })
    }

    /// Returns the status of the peer that answered a join, in the result of `peer.list`: of its row by the id in the result of the
    /// join, or by its address where the join was refused. Returns `None` for a refused join without a row.
    pub(super) fn listed(trace: &Trace, join: &'a str, (n, list): (u64, &Operation)) -> Option<Self> {
        let (_, made) = trace.operation(join)?;
        let row = rows_in(list).iter().find(|row| is_joined(row, made));
        row.or(made.result.as_ref())?;
        Some(Self { n, label: join, status: row.map_or(Value::Null, |row| row["status"].clone()) })
    }

    /// Returns whether the peer is admitted, or `None` if the status is not one of the wire.
    pub(super) fn is_admitted(&self) -> Option<bool> {
        is_admitted(&self.status)
    }
}

impl Display for ReportedStatus<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let status = self.status.as_str().map_or_else(|| self.status.to_string(), ToOwned::to_owned);
        write!(f, "{:?} is {status:?}", self.label)
    }
}

/// Ends a check as broken if one of these peers is admitted.
pub(super) fn none_is_admitted(statuses: &[ReportedStatus<'_>]) -> Result<(), Stop> {
    let admitted: Vec<&ReportedStatus<'_>> =
        statuses.iter().filter(|status| status.is_admitted() == Some(true)).collect();
    if admitted.is_empty() {
        return Ok(());
    }
    let named: BTreeSet<String> = admitted.iter().map(ToString::to_string).collect();
    let more = named.len().saturating_sub(NAMED_MAX);
    let mut named: Vec<String> = named.into_iter().take(NAMED_MAX).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    Err(Stop::final_breach(
        named.join(", "),
        admitted.iter().map(|status| status.n).collect::<BTreeSet<u64>>(),
    ))
}

/// Ends a check as unproven if a status is not one of the wire.
pub(super) fn each_is_known(statuses: &[ReportedStatus<'_>]) -> Result<(), Stop> {
    match statuses.iter().find(|status| status.is_admitted().is_none()) {
        Some(status) => Err(Stop::unproven(format!("{status}, which is no status of the wire"), [status.n])),
        None => Ok(()),
    }
}
