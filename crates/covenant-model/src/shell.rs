//! Words of a command line that a person may copy into a shell.

use std::borrow::Cow;
use std::fmt::Display;

/// Returns a word, quoted so that a shell reads it as one word and runs nothing in it.
#[must_use]
pub fn word(text: &str) -> String {
    // No argument of a program holds a NUL byte, and no quotes protect one.
    let text = text.replace('\0', "");
    shlex::try_quote(&text).map_or_else(|_| String::new(), Cow::into_owned)
}

/// Returns words as a command line.
#[must_use]
pub fn line<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|one| word(one.as_ref())).collect();
    quoted.join(" ")
}

/// Returns a flag with its value. A value that looks like a flag is bound to its own.
#[must_use]
pub fn flag(flag: &str, value: impl Display) -> String {
    let value = value.to_string();
    if value.starts_with('-') {
        return format!("{flag}={}", word(&value));
    }
    format!("{flag} {}", word(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_the_words_and_runs_nothing() {
        for text in [
            "plain",
            "",
            "two words",
            "x; touch PWNED",
            "$(touch P)",
            "`id`",
            "it's",
            "a\nb",
            "!!",
            "\u{1b}[31m",
            "\"$(id)'",
        ] {
            assert_eq!(shlex::split(&word(text)), Some(vec![text.to_owned()]), "{text:?}");
            assert_eq!(shlex::split(&line([text, text])), Some(vec![text.to_owned(); 2]), "{text:?}");
        }
        assert_eq!(word("a\0$(id)"), word("a$(id)"));
    }

    #[test]
    fn a_value_in_the_form_of_a_flag_is_none() {
        assert_eq!(flag("--only", "01-a/b"), "--only 01-a/b");
        assert_eq!(flag("--only", "--adapter=touch P"), "--only='--adapter=touch P'");
    }
}
