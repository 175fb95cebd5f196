//! File of a transcript: lines, each with the digest of the line before.

use std::fs::File;
use std::io::{self, Write};

use super::size::LINES_MAX;
use crate::wire::canonical::sha256_hex;

/// File of lines, each with the digest of the line before.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) file: File,
    /// SHA-256 of the last line; empty before the first.
    pub(super) last: String,
    /// Number of lines.
    pub(super) lines: u64,
    /// Length of the lines, in bytes.
    pub(super) length: u64,
    /// `true` if nothing more is written: the run has ended, or a line could not be written.
    pub(super) closed: bool,
}

impl Chain {
    pub(super) const fn new(file: File) -> Self {
        Self { file, last: String::new(), lines: 0, length: 0, closed: false }
    }

    /// Adds a line, whole or not at all: what is written can be read back. A kill leaves complete lines and at most
    /// one incomplete line.
    pub(super) fn add(&mut self, mut line: String, is_seal: bool) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        // The last line is left for the seal.
        if self.lines + 1 >= LINES_MAX as u64 && !is_seal {
            return Err(io::Error::other(format!("a transcript has {LINES_MAX} lines at most")));
        }
        let last = sha256_hex(&line);
        line.push('\n');
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            self.closed = true;
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.last = last;
        self.lines += 1;
        self.length += line.len() as u64;
        Ok(())
    }
}
