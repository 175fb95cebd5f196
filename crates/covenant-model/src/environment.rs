//! Shortages of the machine: whatever call meets one, the run ends as a fault of the environment, and no side is blamed.
//!
//! A shortage is one of the process, and its error names no run. So each run, and each scenario, remembers when it began:
//! what was short before that is over, and taints nothing later, in a self-test or a watch of days too.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Numbers of the errors of the system for too many open files: of this process, and of the machine.
const TOO_MANY_FILES: [i32; 2] = [24, 23];

static NOTED: Mutex<Noted> = Mutex::new(Noted { count: 0, last: String::new() });

/// The shortages that this process has met.
struct Noted {
    count: u64,
    /// The last one, for a person.
    last: String,
}

/// Notes an error that shows a shortage. Returns whether it does.
pub fn note(error: &io::Error) -> bool {
    let is_shortage =
        cfg!(unix) && error.raw_os_error().is_some_and(|number| TOO_MANY_FILES.contains(&number));
    if is_shortage {
        let mut noted = noted();
        noted.count += 1;
        noted.last = format!("{error}; raise the limit, for example with `ulimit -n 4096`");
    }
    is_shortage
}

/// The moment at which something began, counted in the shortages before it.
#[derive(Clone, Copy, Debug)]
pub struct Begin(u64);

impl Begin {
    /// Returns the present moment.
    #[must_use]
    pub fn now() -> Self {
        Self(noted().count)
    }

    /// Returns the last shortage since then, for a person; `None` if there was none.
    #[must_use]
    pub fn shortage_since(self) -> Option<String> {
        let noted = noted();
        (noted.count > self.0).then(|| noted.last.clone())
    }
}

fn noted() -> MutexGuard<'static, Noted> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_is_that_of_what_ran_meanwhile_and_other_errors_are_none() {
        let first = Begin::now();
        for number in [2, 13, 111] {
            assert!(!note(&io::Error::from_raw_os_error(number)), "{number}");
        }
        assert!(!note(&io::Error::other("too many open files")));
        assert_eq!(first.shortage_since(), None);
        if !cfg!(unix) {
            return;
        }
        assert!(note(&io::Error::from_raw_os_error(24)));
        assert!(first.shortage_since().is_some_and(|why| why.contains("ulimit -n")));
        // What begins afterwards is not tainted.
        assert_eq!(Begin::now().shortage_since(), None);
        assert!(first.shortage_since().is_some(), "it is not forgotten by another beginning");
    }
}
