//! Tasks of one server: its listener, its connections and their HTTP/2 streams. No task outlives the server.
//! Otherwise a killed platform would continue to write to its store.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

/// Running tasks of a server. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tasks(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    running: JoinSet<()>,
    aborted: bool,
}

impl Tasks {
    /// Starts a task, unless the server has been aborted.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state();
        // Remove the tasks that have ended, normally or by a panic.
        while state.running.try_join_next().is_some() {}
        if !state.aborted {
            state.running.spawn(task);
        }
    }

    /// Waits until all running tasks have ended.
    pub(super) async fn ended(&self) {
        while poll_fn(|cx| self.state().running.poll_join_next(cx)).await.is_some() {}
    }

    /// Ends each task at its next await. [`Tasks::ended`] waits until all have ended.
    pub(super) fn abort(&self) {
        let mut state = self.state();
        state.aborted = true;
        state.running.abort_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Executor for hyper, which starts a task for each stream of an HTTP/2 connection.
impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}
