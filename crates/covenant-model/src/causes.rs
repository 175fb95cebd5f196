//! The text of an error with its causes.
//!
//! The message of an error says what failed, and its source is the cause. Code that turns an error into text, for a
//! person or a file, calls [`with_causes`], so that each cause is printed once.

use std::error::Error;

/// Returns the message of an error, followed by the messages of its causes, as `what: why: why`.
///
/// Errors of other crates may repeat a source in their own message, or a message in their source. The longer text is
/// kept.
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut messages = vec![error.to_string()];
    for cause in std::iter::successors(error.source(), |cause| (*cause).source()) {
        let cause = cause.to_string();
        if messages.iter().all(|message| !message.contains(&cause)) {
            messages.retain(|message| !cause.contains(message.as_str()));
            messages.push(cause);
        }
    }
    messages.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{message}")]
    struct Layer {
        message: &'static str,
        source: Option<Box<Layer>>,
    }

    fn chain(messages: &[&'static str]) -> Option<Box<Layer>> {
        let (message, rest) = messages.split_first()?;
        Some(Box::new(Layer { message, source: chain(rest) }))
    }

    #[test]
    fn every_cause_is_printed_once() {
        for (messages, text) in [
            (&["cannot read"][..], "cannot read"),
            (&["cannot read", "no such file"], "cannot read: no such file"),
            (&["cannot read", "disk", "broken"], "cannot read: disk: broken"),
            (&["cannot read: broken", "broken"], "cannot read: broken"),
            (&["run", "disk: broken", "broken"], "run: disk: broken"),
            (&["run", "broken", "error 5: broken"], "run: error 5: broken"),
        ] {
            assert_eq!(with_causes(&*chain(messages).expect("a message")), text);
        }
    }
}
