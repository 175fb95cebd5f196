//! The tokens with which simulated peers join or are joined.

use std::collections::BTreeSet;
use std::path::Path;

use super::Failure;
use crate::clock::fresh_token;
use crate::{input, secret};

/// The environment variable that holds an acceptance token.
const TOKEN: &str = "COVENANT_ACCEPTANCE_TOKEN";
/// The longest token file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Where tokens come from.
pub(super) struct Tokens<'a> {
    /// Tokens of `--join`.
    pub(super) join: Option<&'a [String]>,
    /// Tokens of `--accept`; empty if covenant is to make them.
    pub(super) accept: Option<&'a [String]>,
    /// File of `--token-file`.
    pub(super) file: Option<&'a Path>,
    /// True if a file gets the tokens that covenant makes.
    pub(super) are_written: bool,
}

impl Tokens<'_> {
    /// Returns a token for each of `count` peers, and adds them to the secrets. `joins` if the peers join a platform.
    pub(super) fn read(&self, count: usize, joins: bool) -> Result<Vec<String>, Failure> {
        let given = self.given(joins)?;
        for token in &given {
            secret::learn_own("acceptance_token", token);
        }
        match given.len() {
            0 if !joins && self.are_written => Ok((0..count).map(|_| made()).collect()),
            0 if joins => Err(Failure::usage(format!(
                "--join: a token of the platform's operator is needed for each peer; give it after the URL, in --token-file, \
                 or in {TOKEN}"
            ))),
            0 => Err(Failure::usage(
                "name a platform with --join URL TOKEN, or a token with which one joins with --accept TOKEN; with --control \
                 FILE covenant makes the tokens, and FILE gets them",
            )),
            found if found < count => Err(Failure::usage(format!(
                "{count} peers need a token each, and {found} are given: a token is good for one peer"
            ))),
            // Which of them would be left is nothing to guess: a token that is not used stays good.
            found if found > count => Err(Failure::usage(format!(
                "{found} tokens are given for {count} {}: give as many as there are peers, or name more peers with --peer or --count",
                if count == 1 { "peer" } else { "peers" }
            ))),
            _ => match doubled(&given) {
                Some(place) => Err(Failure::usage(format!(
                    "token {place} is the same as one before it: a token is good for one peer"
                ))),
                None => Ok(given),
            },
        }
    }

    fn given(&self, joins: bool) -> Result<Vec<String>, Failure> {
        let named = if joins { self.join } else { self.accept };
        let named = named.unwrap_or_default();
        if let Some(path) = self.file {
            if !named.is_empty() {
                return Err(Failure::usage("--token-file: the command line has tokens already"));
            }
            let text = input::read_text(path, FILE_BYTES_MAX)
                .map_err(|error| Failure::usage(format!("--token-file {error}")))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            return Ok(lines.map(ToOwned::to_owned).collect());
        }
        if named.is_empty() && joins {
            let token = std::env::var(TOKEN).ok().map(|token| token.trim().to_owned());
            return Ok(token.filter(|token| !token.is_empty()).into_iter().collect());
        }
        Ok(named.to_vec())
    }
}

/// Returns the place of a token, from 1, that stands in the list already.
fn doubled(tokens: &[String]) -> Option<usize> {
    let mut seen = BTreeSet::new();
    tokens.iter().position(|token| !seen.insert(token)).map(|place| place + 1)
}

fn made() -> String {
    let token = fresh_token();
    secret::learn_own("acceptance_token", &token);
    token
}
