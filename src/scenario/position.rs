//! Errors in a file, shown at their position.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::nearest::nearest;

/// An error at a position of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatFault {
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
    pub(crate) hint: Option<String>,
}

impl FormatFault {
    pub(crate) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), span, hint: None }
    }

    /// Adds a hint with the known name that is nearest to `word`.
    pub(crate) fn nearest<'a>(mut self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.hint = nearest(word, known).map(|near| format!("did you mean `{near}`?"));
        self
    }

    /// Renders the fault for a person: file, line, column, the line itself, and a hint. Whoever prints it says that
    /// it is an error.
    pub(crate) fn render(&self, path: &str, source: &str) -> String {
        let span = within(&self.span, source);
        let (line, column) = line_and_column(source, span.start);
        let snippet = Snippet::source(source).path(path).annotation(AnnotationKind::Primary.span(span));
        let mut group =
            Group::with_title(Level::ERROR.no_name().primary_title(&self.message)).element(snippet);
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint));
        }
        let drawn = Renderer::plain().render(&[group]);
        format!("{path}:{line}:{column}: {drawn}")
    }
}

/// Renders an error of the TOML parser for a person: file, line, column, the line itself, and the nearest known word.
#[must_use]
pub(crate) fn shown_in_file(error: &toml::de::Error, path: &str, source: &str) -> String {
    of_toml(error).render(path, source)
}

/// Converts an error of the TOML parser or of a type's deserializer.
pub(super) fn of_toml(error: &toml::de::Error) -> FormatFault {
    let message = error.message().to_owned();
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let fault = FormatFault::new(message.clone(), error.span().unwrap_or(0..0));
    match words.split_first() {
        Some((word, known)) if message.starts_with("unknown") => fault.nearest(word, known.iter().copied()),
        _ => fault,
    }
}

fn within(span: &Range<usize>, source: &str) -> Range<usize> {
    let floor = |at: usize| {
        let at = at.min(source.len());
        (0..=at).rev().find(|at| source.is_char_boundary(*at)).unwrap_or(0)
    };
    let mut start = floor(span.start);
    // The span of a table begins with its header; the fault is in the line after it.
    if source[start..].starts_with("[[")
        && let Some(end) = source[start..].find('\n')
    {
        start += end + 1;
    }
    // A span of several lines is shown by its first line.
    let line_end = source[start..].find('\n').map_or(source.len(), |end| start + end);
    start..floor(span.end).clamp(start, line_end)
}

fn line_and_column(source: &str, at: usize) -> (usize, usize) {
    let before = &source[..at];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_file_line_column_and_the_nearest_word() {
        let source = "a = 1\nbéhaviour = 2\n";
        let at = source.find("béh").expect("it is there");
        let fault =
            FormatFault::new("unknown field", at..at + 10).nearest("béhaviour", ["behaviour", "peer"]);
        let text = fault.render("x.toml", source);
        assert!(text.starts_with("x.toml:2:1: unknown field\n"), "{text}");
        assert!(text.contains("did you mean `behaviour`?"), "{text}");
    }

    #[test]
    fn a_span_that_is_off_is_no_panic() {
        for span in [0..0, 900..1000, 7..8] {
            let _ = FormatFault::new("x", span).render("x.toml", "a = 1\nbé = 2");
        }
    }
}
