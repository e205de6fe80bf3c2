//! One function: its environments, and the limit on how many of them run at once.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    Billed, FunctionConfig, InvokeError, Provisioned,
    environment::Environment,
    invocation::{self, Answer},
    logs::Logs,
};
use crate::faults::Planned;

const SHUT_DOWN: &str = "Lambda has been shut down";

pub(super) struct Function {
    pub(super) config: FunctionConfig,
    pub(super) logs: Arc<Logs>,
    slots: Arc<Semaphore>,
    pool: Mutex<Pool>,
    billed: Mutex<Billed>,
}

/// What happens to an invocation while every environment is busy.
#[derive(Debug, Clone, Copy)]
pub(super) enum Admission {
    OrThrottle,
    Queue,
}

#[derive(Default)]
struct Pool {
    /// Every environment that was started; the dead are swept out when somebody looks.
    started: Vec<Arc<Environment>>,
    /// Those without an invocation, the most recently used last.
    idle: Vec<Arc<Environment>>,
    shut_down: bool,
}

/// An environment to serve one invocation.
pub(super) struct Taken {
    pub(super) environment: Arc<Environment>,
    /// It has served before, so it may have died since without anybody's fault.
    pub(super) reused: bool,
}

impl Function {
    pub(super) fn new(config: FunctionConfig, logs: Arc<Logs>) -> Self {
        let slots = Arc::new(Semaphore::new(config.concurrency));
        Self { config, logs, slots, pool: Mutex::default(), billed: Mutex::default() }
    }

    /// Runs to the end even if the returned future is dropped: Lambda does not stop a function because its
    /// caller hung up.
    pub(super) async fn invoke(
        self: Arc<Self>,
        payload: Bytes,
        admission: Admission,
        planned: Option<Arc<Planned>>,
    ) -> Result<Answer, InvokeError> {
        let slot = self.admit(admission).await?;
        let gone = InvokeError::Exited { function: self.config.name.clone() };
        let (answer, answered) = oneshot::channel();
        tokio::spawn(invocation::serve(self, slot, payload, planned, answer));
        answered.await.unwrap_or(Err(gone))
    }

    /// The most recently used idle environment, or a new one that has been through its init.
    pub(super) async fn take(&self) -> Result<Taken, InvokeError> {
        let idle = {
            let mut pool = self.pool();
            if pool.shut_down {
                return Err(self.failed(SHUT_DOWN.to_owned()));
            }
            pool.idle.retain(|environment| environment.is_alive());
            pool.idle.pop()
        };
        match idle {
            Some(environment) => Ok(Taken { environment, reused: true }),
            None => Ok(Taken { environment: self.start().await?, reused: false }),
        }
    }

    /// One more idle environment.
    pub(super) async fn provision(&self) -> Result<Provisioned, InvokeError> {
        let environment = self.start().await?;
        let provisioned = Provisioned { pid: environment.pid, init: environment.init().unwrap_or_default() };
        self.give_back(environment);
        Ok(provisioned)
    }

    pub(super) fn bill(&self, duration: Duration) {
        let mut billed = self.billed.lock().expect("nothing panics while it holds the bill");
        billed.requests += 1;
        billed.duration += duration;
    }

    pub(super) fn billed(&self) -> Billed {
        *self.billed.lock().expect("nothing panics while it holds the bill")
    }

    /// A new environment, through its init.
    async fn start(&self) -> Result<Arc<Environment>, InvokeError> {
        let failed = |reason| self.failed(reason);
        let environment = Environment::start(&self.config, &self.logs).await.map_err(failed)?;
        if !self.register(&environment) {
            environment.kill();
            return Err(failed(SHUT_DOWN.to_owned()));
        }
        environment.ready().await.map_err(failed)?;
        Ok(environment)
    }

    fn failed(&self, reason: String) -> InvokeError {
        InvokeError::Init { function: self.config.name.clone(), reason }
    }

    pub(super) fn give_back(&self, environment: Arc<Environment>) {
        if environment.is_alive() {
            self.pool().idle.push(environment);
        }
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.pool().started.iter().filter(|it| it.is_alive()).map(|it| it.pid).collect()
    }

    pub(super) async fn shutdown(&self) {
        let started = {
            let mut pool = self.pool();
            pool.shut_down = true;
            pool.idle.clear();
            std::mem::take(&mut pool.started)
        };
        for environment in &started {
            environment.kill();
        }
        for environment in &started {
            environment.exited().await;
        }
    }

    /// `false` after a shutdown, which must not leave a process behind.
    fn register(&self, environment: &Arc<Environment>) -> bool {
        let mut pool = self.pool();
        pool.started.retain(|environment| environment.is_alive());
        if !pool.shut_down {
            pool.started.push(Arc::clone(environment));
        }
        !pool.shut_down
    }

    async fn admit(&self, admission: Admission) -> Result<OwnedSemaphorePermit, InvokeError> {
        let slots = Arc::clone(&self.slots);
        let slot = match admission {
            Admission::OrThrottle => slots.try_acquire_owned().ok(),
            Admission::Queue => slots.acquire_owned().await.ok(),
        };
        slot.ok_or_else(|| InvokeError::Throttled {
            function: self.config.name.clone(),
            limit: self.config.concurrency,
        })
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().expect("nothing panics while it holds the pool")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        for environment in &self.pool().started {
            environment.kill();
        }
    }
}
