//! Records of migrations, as the target shows them.

use serde_json::Value;

use covenant_model::transcript::Trace;

/// Returns the record of a migration that the target showed under a label: to the source of the migration, or
/// to the operator.
pub(in crate::check) fn migration_shown(trace: &Trace, label: &str) -> Option<(u64, Value)> {
    let exchange = trace.exchanges_labelled(label).find_map(|(n, exchange)| Some((n, exchange.data()?)));
    exchange.or_else(|| {
        let (n, operation) = trace.operation(label)?;
        let result = operation.result.clone()?;
        Some((n, result.get("migration").cloned().unwrap_or(result)))
    })
}
