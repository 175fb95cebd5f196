//! The check of an adapter, method by method.

mod check;

pub use check::{Finding, MethodLine, check_operator};
