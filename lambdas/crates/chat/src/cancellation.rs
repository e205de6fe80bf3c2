use tokio::sync::watch;

/// Whether the caller has asked for the answer to end. Cheap to clone; it never comes to be un-asked.
#[derive(Debug, Clone)]
pub struct Cancellation(Option<watch::Receiver<bool>>);

/// Asks.
#[derive(Debug)]
pub struct Canceller(watch::Sender<bool>);

impl Cancellation {
    pub fn new() -> (Canceller, Self) {
        let (sender, receiver) = watch::channel(false);
        (Canceller(sender), Self(Some(receiver)))
    }

    /// Where nobody can ask.
    pub fn never() -> Self {
        Self(None)
    }

    /// Resolves once it was asked for; never, if nobody can ask any more.
    pub async fn requested(&self) {
        if let Some(asked) = &self.0
            && asked.clone().wait_for(|asked| *asked).await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

impl Canceller {
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}
