use tokio::task::JoinHandle;

/// Runs a function's loop in a task of its own. For what wakes main's future tokio asks the system for events once more
/// before it polls that, which would be at every token.
pub fn as_task<T: Send + 'static>(run: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(run)
}
