//! Moments as another platform writes them.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};

/// Digits of a fraction of a second that a timestamp holds: nanoseconds.
const FRACTION_DIGITS: usize = 9;

/// Reads a moment of RFC 3339, with any number of fraction digits. Digits beyond nanoseconds are cut off.
#[must_use]
pub fn read_moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| without_excess_digits(text)?.parse().ok())
}

/// Reads a member that holds a moment (`#[serde(deserialize_with)]`).
///
/// # Errors
///
/// The text is no moment of RFC 3339.
pub fn deserialize_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    read_moment(&text)
        .ok_or_else(|| de::Error::custom(format!("a time as in RFC 3339 was expected, found {text:?}")))
}

fn without_excess_digits(text: &str) -> Option<String> {
    let (before, after) = text.split_once(['.', ','])?;
    let zone = after.find(|character: char| !character.is_ascii_digit())?;
    let digits = after.get(..zone.min(FRACTION_DIGITS))?;
    Some(format!("{before}.{digits}{}", &after[zone..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_any_number_of_fraction_digits() {
        let expected: Timestamp = "2026-06-01T12:00:00.123456789Z".parse().expect("a timestamp");
        for text in [
            "2026-06-01T12:00:00.123456789Z",
            "2026-06-01T12:00:00.12345678999999Z",
            "2026-06-01T14:00:00.123456789000000000001+02:00",
            "2026-06-01t12:00:00,1234567890z",
        ] {
            assert_eq!(read_moment(text), Some(expected), "{text}");
        }
        for text in ["2026-06-01", "2026-06-01T12:00:00.1234567890", "2026-06-01T12:00:00.Z", "noon", ""] {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }
}
