//! Durations on the command line.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// The shortest and the longest duration.
const DURATION_MIN: Duration = Duration::from_secs(1);
const DURATION_MAX: Duration = Duration::from_hours(365 * 24);

/// Parses a duration: `3d`, `12h`, `90m`, `1h 30m`. A day has 24 hours.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span: Span = text.parse().map_err(|_| format!("{text:?}: write 3d, 12h, 90m or 30s"))?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours());
    match length.ok().and_then(|length| Duration::try_from(length).ok()) {
        Some(length) if (DURATION_MIN..=DURATION_MAX).contains(&length) => Ok(length),
        _ => Err(format!("{text:?}: expected a duration from a second to a year of 365 days")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_and_lasts_a_second_to_a_year() {
        for (text, seconds) in [
            ("3d", 259_200),
            ("12h", 43_200),
            ("90m", 5400),
            ("30s", 30),
            ("1h 30m", 5400),
            ("365d", 31_536_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "3", "d", "0s", "366d", "-1h", "1month", "1y", "3 days ago", "99999999999999999999d", "ä"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
