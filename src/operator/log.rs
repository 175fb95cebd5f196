//! The log of the adapters' standard errors. No secret that the process knows is in it, and no character that hides
//! text.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use covenant_model::private;
use covenant_model::wire::harmless::visible;

use crate::secret;

/// The size limit of a log, in bytes. The log states that the rest is left out.
const LOG_BYTES_MAX: usize = 1 << 20;
/// The longest line that is kept whole, so that a secret in it is found.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// A log: a file with a size limit, which is created when the first adapter starts, or nothing.
#[derive(Clone, Default)]
pub struct Log(Option<Arc<Mutex<LogFile>>>);

struct LogFile {
    path: PathBuf,
    file: Option<File>,
    bytes_left: usize,
}

impl Log {
    /// Makes a log in a file of this path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        let file = LogFile { path: path.to_owned(), file: None, bytes_left: LOG_BYTES_MAX };
        Self(Some(Arc::new(Mutex::new(file))))
    }

    /// Creates the file, unless it is there. One that cannot be created does not end a run.
    fn open(&self) {
        let Some(log) = &self.0 else { return };
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.file.is_none() {
            log.file = private::create(&log.path).ok();
        }
    }

    fn write(&self, line: &[u8]) {
        let Some(log) = &self.0 else { return };
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.bytes_left == 0 {
            return;
        }
        let text = visible(&secret::without_any(&String::from_utf8_lossy(line)));
        let mut fitting = text.len().min(log.bytes_left);
        while !text.is_char_boundary(fitting) {
            fitting -= 1;
        }
        let is_full = fitting < text.len() || text.len() == log.bytes_left;
        log.bytes_left = if is_full { 0 } else { log.bytes_left - fitting };
        // A log that cannot be written does not end a run.
        let Some(file) = &mut log.file else { return };
        let _ = file.write_all(&text.as_bytes()[..fitting]);
        if is_full {
            let _ = file.write_all(b"\n(what follows is left out: this log holds 1 MiB)\n");
        }
    }
}

/// The lines of one adapter: a secret may arrive in two pieces. The rest is written when it is dropped.
pub(super) struct Lines {
    log: Log,
    open: Vec<u8>,
}

impl Lines {
    pub(super) fn new(log: Log) -> Self {
        log.open();
        Self { log, open: vec![] }
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        self.open.extend(piece);
        while let Some(end) = self.open.iter().position(|byte| *byte == b'\n') {
            let rest = self.open.split_off(end + 1);
            self.log.write(&std::mem::replace(&mut self.open, rest));
        }
        if self.open.len() >= LINE_BYTES_MAX {
            self.log.write(&std::mem::take(&mut self.open));
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.open.is_empty() {
            self.log.write(&self.open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(pieces: &[&[u8]]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("adapter.log");
        let log = Log::at(&path);
        assert!(!path.exists(), "no adapter has started");
        let mut lines = Lines::new(log);
        for piece in pieces {
            lines.push(piece);
        }
        drop(lines);
        std::fs::read_to_string(path).expect("it reads")
    }

    #[test]
    fn a_log_states_its_size_limit() {
        let piece = [b'x'; 4096];
        let text = logged(&[piece.as_slice(); 300]);
        assert!(text.len() < LOG_BYTES_MAX + 100 && text.contains("left out"), "{}", text.len());
    }

    #[test]
    fn a_log_has_no_secret_and_hides_nothing() {
        secret::learn_seen("bearer_token", "fgs.logged.12345");
        let text = logged(&[
            b"one fgs.logg".as_slice(),
            b"ed.12345\npassword=hunter22 \x1b[31mred\x1b[0m \xe2\x80\xae\xff\t",
            b"end",
        ]);
        assert_eq!(
            text,
            "one <bearer_token>\npassword=<password> \\u{1b}[31mred\\u{1b}[0m \\u{202e}\u{fffd}\tend"
        );
    }
}
