//! The tables of defects and variants.
