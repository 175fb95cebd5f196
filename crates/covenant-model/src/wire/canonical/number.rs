//! Notations of a number in JSON, as the common languages write them.

use std::ops::RangeInclusive;

/// Notation of a number that is no integer of 64 bits.
#[derive(Debug)]
pub(super) struct Notation {
    /// Decimal exponents for which the number is written without an exponent.
    plain: RangeInclusive<i32>,
    /// `true` if an integer without an exponent ends with `.0`.
    plain_zero: bool,
    /// `true` if a mantissa of one digit ends with `.0`.
    mantissa_zero: bool,
    /// Mark of the exponent, before a positive and before a negative one.
    marks: (&'static str, &'static str),
    /// Smallest number of digits of the exponent.
    exponent_digits: usize,
}

/// Every common notation.
pub(super) static NOTATIONS: &[Notation] = &[
    // JavaScript, Go and RFC 8785.
    Notation {
        plain: -6..=20,
        plain_zero: false,
        mantissa_zero: false,
        marks: ("e+", "e-"),
        exponent_digits: 1,
    },
    // Python.
    Notation {
        plain: -4..=15,
        plain_zero: true,
        mantissa_zero: false,
        marks: ("e+", "e-"),
        exponent_digits: 2,
    },
    // Ruby.
    Notation {
        plain: -4..=15,
        plain_zero: true,
        mantissa_zero: true,
        marks: ("e+", "e-"),
        exponent_digits: 2,
    },
    // Java.
    Notation { plain: -3..=6, plain_zero: true, mantissa_zero: true, marks: ("E", "E-"), exponent_digits: 1 },
    // .NET.
    Notation {
        plain: -5..=14,
        plain_zero: false,
        mantissa_zero: false,
        marks: ("E+", "E-"),
        exponent_digits: 2,
    },
    // PHP, without and with the fraction of an integer.
    Notation {
        plain: -5..=16,
        plain_zero: false,
        mantissa_zero: true,
        marks: ("e+", "e-"),
        exponent_digits: 1,
    },
    Notation {
        plain: -5..=16,
        plain_zero: true,
        mantissa_zero: true,
        marks: ("e+", "e-"),
        exponent_digits: 1,
    },
    // Rust, by two libraries.
    Notation {
        plain: -5..=15,
        plain_zero: true,
        mantissa_zero: false,
        marks: ("e", "e-"),
        exponent_digits: 1,
    },
    Notation {
        plain: -5..=15,
        plain_zero: true,
        mantissa_zero: false,
        marks: ("e+", "e-"),
        exponent_digits: 1,
    },
    // No exponents.
    Notation {
        plain: -400..=400,
        plain_zero: false,
        mantissa_zero: false,
        marks: ("", ""),
        exponent_digits: 1,
    },
    Notation {
        plain: -400..=400,
        plain_zero: true,
        mantissa_zero: false,
        marks: ("", ""),
        exponent_digits: 1,
    },
];

impl Notation {
    /// Returns the shortest digits that give this number again, in the notation.
    pub(super) fn write(&self, number: f64) -> String {
        let shortest = format!("{number:e}");
        let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        if self.plain.contains(&exponent) {
            return self.plainly(number);
        }
        let mark = if exponent < 0 { self.marks.1 } else { self.marks.0 };
        let zero = if self.mantissa_zero && !mantissa.contains('.') { ".0" } else { "" };
        let width = self.exponent_digits;
        format!("{mantissa}{zero}{mark}{:0width$}", exponent.unsigned_abs())
    }

    fn plainly(&self, number: f64) -> String {
        let text = format!("{number}");
        if self.plain_zero && !text.contains('.') { text + ".0" } else { text }
    }
}
