//! Limits that the system sets to this process: prepared once, before a command begins.

/// The number of open files that the largest run needs.
#[cfg(unix)]
const FILES: u64 = 65_536;

/// Raises the soft limit of open files as far as the hard one allows, and lets a write beyond the largest file size
/// fail, where it would end the process.
#[cfg(unix)]
pub(super) fn prepare() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // A limit that cannot be raised stays.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, soft.max(hard.min(FILES)), hard);
    }
    // The handler stays until the process ends. It does nothing but be there.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    if let Ok(runtime) = runtime {
        let _entered = runtime.enter();
        let too_large = nix::sys::signal::Signal::SIGXFSZ as i32;
        let _ = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(too_large));
    }
}

#[cfg(not(unix))]
pub(super) fn prepare() {}
