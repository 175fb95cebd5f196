//! Shortages of the machine: whatever call meets one, the run ends as a fault of the environment, and no side is blamed.

use std::io;
use std::sync::OnceLock;

/// Numbers of the errors of the system for too many open files: of this process, and of the machine.
const TOO_MANY_FILES: [i32; 2] = [24, 23];

static SHORTAGE: OnceLock<String> = OnceLock::new();

/// Notes an error that shows a shortage. Returns whether it does.
pub fn note(error: &io::Error) -> bool {
    let is_shortage =
        cfg!(unix) && error.raw_os_error().is_some_and(|number| TOO_MANY_FILES.contains(&number));
    if is_shortage {
        SHORTAGE.get_or_init(|| format!("{error}; raise the limit, for example with `ulimit -n 4096`"));
    }
    is_shortage
}

/// Returns the shortage that this process has met, for a person; `None` if it has met none.
#[must_use]
pub fn shortage() -> Option<&'static str> {
    SHORTAGE.get().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_errors_are_no_shortage() {
        for number in [2, 13, 111] {
            assert!(!note(&io::Error::from_raw_os_error(number)), "{number}");
        }
        assert!(!note(&io::Error::other("too many open files")));
        assert_eq!(shortage(), None);
    }
}
