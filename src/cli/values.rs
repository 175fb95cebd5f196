//! The values of all options, beyond what each parser takes.

use std::ffi::{OsStr, OsString};

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};

/// Lets each option of a command take a text such as `-1` as its value, so that the message names what is expected there.
pub(super) fn taking_negative_numbers(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let takes = argument.get_action().takes_values() && !argument.is_last_set();
        if takes { argument.allow_negative_numbers(true) } else { argument }
    });
    command.mut_subcommands(taking_negative_numbers)
}

/// The options of `covenant peer` that take tokens, any number of them.
const TOKENS: [&str; 2] = ["--join", "--accept"];

/// Returns the words of a command line, where each value of `--join` and of `--accept` of `covenant peer` is joined to
/// its option as `--join=VALUE`. One token in 64 that a platform draws in base64url begins with `-`, and would be read as
/// an option.
pub(super) fn with_tokens_joined(words: Vec<OsString>) -> Vec<OsString> {
    if words.iter().skip(1).find(|word| !is_hyphened(word)).is_none_or(|command| command != "peer") {
        return words;
    }
    let mut joined = Vec::new();
    let mut takes = None;
    let mut is_first = false;
    for word in words {
        if let Some(option) = TOKENS.into_iter().find(|option| word == *option) {
            (takes, is_first) = (Some(option), true);
            joined.push(word);
            continue;
        }
        if is_option(&word) {
            takes = None;
        }
        match takes {
            // The first value stays apart, for the messages about a missing one.
            Some(_) if is_first && !is_hyphened(&word) => joined.push(word),
            Some(option) => {
                if is_first {
                    joined.pop();
                }
                let mut one = OsString::from(format!("{option}="));
                one.push(word);
                joined.push(one);
            }
            None => joined.push(word),
        }
        is_first = false;
    }
    joined
}

fn is_hyphened(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// True if a word is an option, known or misspelt: its name has lower-case letters and hyphens, and after a single hyphen
/// stand four letters at most. A drawn token is longer, or has other characters.
fn is_option(word: &OsStr) -> bool {
    let Some(text) = word.to_str() else { return false };
    if let Some(long) = text.strip_prefix("--") {
        let name = long.split_once('=').map_or(long, |(name, _)| name);
        return name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    }
    text.strip_prefix('-')
        .is_some_and(|short| short.len() <= 4 && short.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// Refuses an empty text as the value of an option. It is mostly a variable of a script that is not set.
pub(super) fn refuse_empty(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    if let Some(name) = empty_option(command, matches) {
        let message = format!(
            "the value of {name} is empty; leave the option out, or check the variable that gives it"
        );
        return Err(command.error(ErrorKind::InvalidValue, message));
    }
    Ok(())
}

fn empty_option(command: &Command, matches: &ArgMatches) -> Option<String> {
    let is_empty = |id: &str| {
        let given = matches.try_get_raw(id).ok().flatten();
        given.into_iter().flatten().any(OsStr::is_empty)
    };
    // The arguments of another program are its own.
    let own = command.get_arguments().filter(|argument| !argument.is_last_set());
    let found = own.filter(|argument| is_empty(argument.get_id().as_str())).map(ToString::to_string).next();
    found.or_else(|| {
        let (name, inner) = matches.subcommand()?;
        empty_option(command.find_subcommand(name)?, inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(words: &str) -> String {
        let words = with_tokens_joined(words.split(' ').map(OsString::from).collect());
        words.iter().map(|word| word.to_str().expect("UTF-8")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_token_that_begins_with_a_hyphen_is_no_option() {
        for (given, expected) in [
            (
                "covenant peer --join https://a tok1 --every 1s",
                "covenant peer --join https://a --join=tok1 --every 1s",
            ),
            ("covenant peer --join https://a -hZ3_9 -q", "covenant peer --join https://a --join=-hZ3_9 -q"),
            (
                "covenant peer --join https://a --Zy-3 -qabcdef -q",
                "covenant peer --join https://a --join=--Zy-3 --join=-qabcdef -q",
            ),
            (
                "covenant peer --accept -1abcd tok2 --control f",
                "covenant peer --accept=-1abcd --accept=tok2 --control f",
            ),
            ("covenant peer --accept --control f", "covenant peer --accept --control f"),
            (
                "covenant peer --join https://a tok1 --evry 1s",
                "covenant peer --join https://a --join=tok1 --evry 1s",
            ),
            (
                "covenant peer --join https://a tok1 --evry=1S",
                "covenant peer --join https://a --join=tok1 --evry=1S",
            ),
            ("covenant peer --join https://a -vq", "covenant peer --join https://a -vq"),
            ("covenant run -- a --join b -c", "covenant run -- a --join b -c"),
        ] {
            assert_eq!(joined(given), expected, "{given}");
        }
    }
}
